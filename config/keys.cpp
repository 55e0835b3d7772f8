// SPDX-License-Identifier: Apache-2.0
#include "config/keys.hpp"

#include "config/token_owners.hpp"

#include <algorithm>
#include <array>

namespace eventweft::config {

namespace {

template <auto Section, auto Member>
field at(settings& s, const std::string&) {
  return &((s.*Section).*Member);
}

/// A member of a member, for sections such as `[server.tls]`.
template <auto Section, auto Part, auto Member>
field within(settings& s, const std::string&) {
  return &(((s.*Section).*Part).*Member);
}

template <auto Member>
field of_platform(settings& s, const std::string& name) {
  return &(s.platforms[name].*Member);
}

template <auto Member>
field of_processor(settings& s, const std::string& name) {
  return &(s.processors[name].*Member);
}

/// A key that fills the member of the section's key `other`.
constexpr key alias(std::string_view section, std::string_view name, kind type,
                    field (*member)(settings&, const std::string&),
                    std::string_view other) {
  return {section, name, type, member, 0, 0, {}, other};
}

constexpr uint64_t second = 1'000;
constexpr uint64_t hour = 3'600 * second;
constexpr uint64_t day = 24 * hour;
constexpr uint64_t kib = 1ull << 10;
constexpr uint64_t mib = 1ull << 20;
constexpr uint64_t gib = 1ull << 30;
constexpr uint64_t tib = 1ull << 40;

constexpr std::string_view log_levels = "trace|debug|info|warn|error|off";
constexpr std::string_view ssl_modes =
    "disable|allow|prefer|require|verify-ca|verify-full";

constexpr std::string_view sasl_mechanisms =
    "PLAIN|SCRAM-SHA-256|SCRAM-SHA-512";

using s = settings;
using ev = event_settings;
using sv = server_settings;
using ts = tls_settings;
using au = auth_settings;
using li = limit_settings;
using st = store_settings;
using db = database_settings;
using pl = platform_settings;
using sm = streaming_settings;
using co = correlation_settings;
using wh = webhook_settings;
using rt = retention_settings;
using te = telemetry_settings;
using su = supervisor_settings;
using cl = cluster_settings;
using lg = log_settings;
using pr = processor_settings;
using dl = dead_letters_settings;

constexpr auto key_table = std::to_array<key>({
    {"event", "max_workers", kind::whole, at<&s::event, &ev::max_workers>, 1,
     256},
    {"event", "queue_maxsize", kind::whole, at<&s::event, &ev::queue_maxsize>,
     1, 1'000'000},
    {"event", "queue_wait", kind::seconds, at<&s::event, &ev::queue_wait>, 0,
     60 * second},
    {"event", "enable_correlation", kind::boolean,
     at<&s::event, &ev::enable_correlation>},
    {"event", "enable_streaming", kind::boolean,
     at<&s::event, &ev::enable_streaming>},
    {"event", "platforms_directory", kind::text,
     at<&s::event, &ev::platforms_directory>},

    {"server", "listen", kind::text, at<&s::server, &sv::listen>},
    {"server", "threads", kind::whole, at<&s::server, &sv::threads>, 0, 1'024},
    {"server", "max_connections", kind::whole,
     at<&s::server, &sv::max_connections>, 1, 1'000'000},
    {"server", "max_body_bytes", kind::bytes,
     at<&s::server, &sv::max_body_bytes>, kib, gib},
    {"server", "max_header_bytes", kind::bytes,
     at<&s::server, &sv::max_header_bytes>, kib, 16 * mib},
    {"server", "header_timeout", kind::seconds,
     at<&s::server, &sv::header_timeout>, 1, hour},
    {"server", "body_timeout", kind::seconds, at<&s::server, &sv::body_timeout>,
     1, hour},
    {"server", "idle_timeout", kind::seconds, at<&s::server, &sv::idle_timeout>,
     1, hour},
    {"server", "write_timeout", kind::seconds,
     at<&s::server, &sv::write_timeout>, 1, hour},
    {"server", "shutdown_timeout", kind::seconds,
     at<&s::server, &sv::shutdown_timeout>, 1, hour},
    {"server", "insecure", kind::boolean, at<&s::server, &sv::insecure>},
    {"server", "allowed_origins", kind::origins,
     at<&s::server, &sv::allowed_origins>},

    {"server.tls", "certificate", kind::text,
     within<&s::server, &sv::tls, &ts::certificate>},
    {"server.tls", "key", kind::text, within<&s::server, &sv::tls, &ts::key>},
    {"server.tls", "client_ca", kind::text,
     within<&s::server, &sv::tls, &ts::client_ca>},

    {"auth", "required", kind::choice, at<&s::auth, &au::required>, 0, 0,
     "auto|true|false"},
    {"auth", "jwt_keys", kind::text, at<&s::auth, &au::jwt_keys>},
    {"auth", "jwt_secret", kind::secret, at<&s::auth, &au::jwt_secret>},
    alias("auth", "jwt_secret_file", kind::secret_file,
          at<&s::auth, &au::jwt_secret>, "jwt_secret"),
    {"auth", "jwt_issuer", kind::text, at<&s::auth, &au::jwt_issuer>},
    {"auth", "jwt_audiences", kind::texts, at<&s::auth, &au::jwt_audiences>},
    {"auth", "jwt_leeway", kind::seconds, at<&s::auth, &au::jwt_leeway>, 0,
     hour},
    {"auth", "ticket_lifetime", kind::seconds,
     at<&s::auth, &au::ticket_lifetime>, second, hour},

    {"limits", "key_rate", kind::whole, at<&s::limits, &li::key_rate>, 0,
     1'000'000},
    {"limits", "key_burst", kind::whole, at<&s::limits, &li::key_burst>, 1,
     1'000'000},
    {"limits", "address_rate", kind::whole, at<&s::limits, &li::address_rate>,
     0, 1'000'000},
    {"limits", "address_burst", kind::whole, at<&s::limits, &li::address_burst>,
     1, 1'000'000},
    {"limits", "webhook_rate", kind::whole, at<&s::limits, &li::webhook_rate>,
     0, 1'000'000},
    {"limits", "webhook_burst", kind::whole, at<&s::limits, &li::webhook_burst>,
     1, 1'000'000},
    {"limits", "failure_rate", kind::whole, at<&s::limits, &li::failure_rate>,
     0, 1'000'000},
    {"limits", "failure_burst", kind::whole, at<&s::limits, &li::failure_burst>,
     1, 1'000'000},

    {"store", "url", kind::store_url, at<&s::store, &st::url>},
    {"store", "auto_migrate", kind::boolean, at<&s::store, &st::auto_migrate>},
    {"store", "batch_max_events", kind::whole,
     at<&s::store, &st::batch_max_events>, 1, 10'000},
    {"store", "batch_max_bytes", kind::bytes,
     at<&s::store, &st::batch_max_bytes>, kib, gib},
    {"store", "spool_directory", kind::text,
     at<&s::store, &st::spool_directory>},
    {"store", "spool_max_bytes", kind::bytes,
     at<&s::store, &st::spool_max_bytes>, mib, 16 * tib},
    {"store", "spool_after", kind::seconds, at<&s::store, &st::spool_after>,
     100, hour},
    {"store", "retry_min", kind::seconds, at<&s::store, &st::retry_min>, 1,
     hour},
    {"store", "retry_max", kind::seconds, at<&s::store, &st::retry_max>, 1,
     hour},
    {"store", "poll_interval", kind::seconds, at<&s::store, &st::poll_interval>,
     10, hour},
    {"store", "dedup_window", kind::seconds, at<&s::store, &st::dedup_window>,
     hour, 400 * day},

    {"database", "host", kind::text, at<&s::database, &db::host>},
    {"database", "port", kind::whole, at<&s::database, &db::port>, 1, 65'535},
    {"database", "database", kind::text, at<&s::database, &db::database>},
    {"database", "user", kind::text, at<&s::database, &db::user>},
    {"database", "password", kind::secret, at<&s::database, &db::password>},
    alias("database", "password_file", kind::secret_file,
          at<&s::database, &db::password>, "password"),
    {"database", "sslmode", kind::choice, at<&s::database, &db::sslmode>, 0, 0,
     ssl_modes},
    {"database", "sslrootcert", kind::text, at<&s::database, &db::sslrootcert>},
    {"database", "min_connections", kind::whole,
     at<&s::database, &db::min_connections>, 1, 1'000},
    {"database", "max_connections", kind::whole,
     at<&s::database, &db::max_connections>, 1, 1'000},
    {"database", "connect_timeout", kind::seconds,
     at<&s::database, &db::connect_timeout>, 1, hour},
    {"database", "statement_timeout", kind::seconds,
     at<&s::database, &db::statement_timeout>, 1, hour},
    {"database", "lock_timeout", kind::seconds,
     at<&s::database, &db::lock_timeout>, 1, hour},

    {platform_section, "enabled", kind::boolean, of_platform<&pl::enabled>},
    {platform_section, "secrets", kind::secrets, of_platform<&pl::secrets>},
    alias(platform_section, "secret", kind::secrets, of_platform<&pl::secrets>,
          "secrets"),
    alias(platform_section, "secret_file", kind::secret_file,
          of_platform<&pl::secrets>, "secrets"),
    {platform_section, "tokens", kind::secrets, of_platform<&pl::tokens>},
    alias(platform_section, "token", kind::secrets, of_platform<&pl::tokens>,
          "tokens"),
    alias(platform_section, "token_file", kind::secret_file,
          of_platform<&pl::tokens>, "tokens"),
    {platform_section, "allow_unsigned", kind::boolean,
     of_platform<&pl::allow_unsigned>},
    {platform_section, "tolerance", kind::seconds, of_platform<&pl::tolerance>,
     0, 7 * day},
    {platform_section, "max_body_bytes", kind::bytes,
     of_platform<&pl::max_body_bytes>, 0, gib},
    {platform_section, "priority", kind::rules, of_platform<&pl::priority>},
    {platform_section, "redact", kind::pointers, of_platform<&pl::redact>},
    {platform_section, "redact_tokens", kind::choices,
     of_platform<&pl::redact_tokens>, 0, 0, token_owner_choices},
    {platform_section, "keep", kind::text, of_platform<&pl::keep>},

    {processor_section, "enabled", kind::boolean, of_processor<&pr::enabled>},
    {processor_section, "kind", kind::choice, of_processor<&pr::kind>, 0, 0,
     "exec|http|noop"},
    {processor_section, "command", kind::texts, of_processor<&pr::command>},
    {processor_section, "directory", kind::text, of_processor<&pr::directory>},
    {processor_section, "environment", kind::variables,
     of_processor<&pr::environment>},
    {processor_section, "url", kind::web_url, of_processor<&pr::url>},
    {processor_section, "secret", kind::secret, of_processor<&pr::secret>},
    alias(processor_section, "secret_file", kind::secret_file,
          of_processor<&pr::secret>, "secret"),
    {processor_section, "format", kind::choice, of_processor<&pr::format>, 0, 0,
     "native|cloudevents"},
    {processor_section, "filter", kind::text, of_processor<&pr::filter>},
    {processor_section, "platforms", kind::texts, of_processor<&pr::platforms>},
    {processor_section, "event_types", kind::texts,
     of_processor<&pr::event_types>},
    {processor_section, "priority", kind::choice, of_processor<&pr::priority>,
     0, 0, "event|low|normal|high|critical"},
    {processor_section, "ordering", kind::choice, of_processor<&pr::ordering>,
     0, 0, "none|source|thread"},
    {processor_section, "max_retries", kind::whole,
     of_processor<&pr::max_retries>, 0, 1'000},
    {processor_section, "retry_delay", kind::seconds,
     of_processor<&pr::retry_delay>, 0, day},
    {processor_section, "max_retry_delay", kind::seconds,
     of_processor<&pr::max_retry_delay>, 0, day},
    {processor_section, "timeout", kind::seconds, of_processor<&pr::timeout>,
     10, day},
    {processor_section, "concurrency", kind::whole,
     of_processor<&pr::concurrency>, 0, 100'000},
    {processor_section, "answers", kind::boolean, of_processor<&pr::answers>},
    {processor_section, "start", kind::text, of_processor<&pr::start>},

    {"dead_letters", "alert_url", kind::web_url,
     at<&s::dead_letters, &dl::alert_url>},
    {"dead_letters", "alert_secret", kind::secret,
     at<&s::dead_letters, &dl::alert_secret>},
    {"dead_letters", "alert_window", kind::seconds,
     at<&s::dead_letters, &dl::alert_window>, 0, day},

    {"streaming", "reader_buffer_bytes", kind::bytes,
     at<&s::streaming, &sm::reader_buffer_bytes>, 4 * kib, gib},
    {"streaming", "ring_bytes", kind::bytes, at<&s::streaming, &sm::ring_bytes>,
     0, 64 * gib},
    {"streaming", "ring_events", kind::whole,
     at<&s::streaming, &sm::ring_events>, 0, 10'000'000},
    {"streaming", "page_events", kind::whole,
     at<&s::streaming, &sm::page_events>, 1, 10'000},
    {"streaming", "page_bytes", kind::bytes, at<&s::streaming, &sm::page_bytes>,
     kib, gib},
    {"streaming", "ping_interval", kind::seconds,
     at<&s::streaming, &sm::ping_interval>, 10, hour},
    {"streaming", "pong_timeout", kind::seconds,
     at<&s::streaming, &sm::pong_timeout>, 10, hour},
    {"streaming", "max_message_bytes", kind::bytes,
     at<&s::streaming, &sm::max_message_bytes>, 128, 16 * mib},
    {"streaming", "max_messages_per_second", kind::whole,
     at<&s::streaming, &sm::max_messages_per_second>, 1, 1'000'000},
    {"streaming", "compression", kind::boolean,
     at<&s::streaming, &sm::compression>},
    {"streaming", "compression_level", kind::whole,
     at<&s::streaming, &sm::compression_level>, 1, 9},
    {"streaming", "sse_retry", kind::seconds, at<&s::streaming, &sm::sse_retry>,
     0, hour},

    {"correlation", "threshold", kind::fraction,
     at<&s::correlation, &co::threshold>},
    {"correlation", "max_mentions", kind::whole,
     at<&s::correlation, &co::max_mentions>, 0, 1'000},
    {"correlation", "max_keys", kind::whole, at<&s::correlation, &co::max_keys>,
     1, 1'000},
    {"correlation", "max_links", kind::whole,
     at<&s::correlation, &co::max_links>, 1, 1'000'000'000},
    {"correlation", "max_remarks", kind::whole,
     at<&s::correlation, &co::max_remarks>, 1, 1'000'000'000},
    {"correlation", "max_joined_events", kind::whole,
     at<&s::correlation, &co::max_joined_events>, 1, 1'000'000'000},
    {"correlation", "branch_window", kind::seconds,
     at<&s::correlation, &co::branch_window>, hour, 10 * 365 * 24 * hour},
    {"correlation", "max_failures", kind::whole,
     at<&s::correlation, &co::max_failures>, 1, 1'000'000},
    {"correlation", "rules", kind::correlation_rules,
     at<&s::correlation, &co::rules>},

    {"webhooks", "enabled", kind::boolean, at<&s::webhooks, &wh::enabled>},
    {"webhooks", "allow_private_networks", kind::boolean,
     at<&s::webhooks, &wh::allow_private_networks>},
    {"webhooks", "allowed_networks", kind::text,
     at<&s::webhooks, &wh::allowed_networks>},
    {"webhooks", "ca_file", kind::text, at<&s::webhooks, &wh::ca_file>},
    {"webhooks", "queue_servers", kind::text,
     at<&s::webhooks, &wh::queue_servers>},
    {"webhooks", "queue_tls", kind::boolean, at<&s::webhooks, &wh::queue_tls>},
    {"webhooks", "queue_ca_file", kind::text,
     at<&s::webhooks, &wh::queue_ca_file>},
    {"webhooks", "queue_user", kind::text, at<&s::webhooks, &wh::queue_user>},
    {"webhooks", "queue_password", kind::secret,
     at<&s::webhooks, &wh::queue_password>},
    alias("webhooks", "queue_password_file", kind::secret_file,
          at<&s::webhooks, &wh::queue_password>, "queue_password"),
    {"webhooks", "queue_sasl_mechanism", kind::choice,
     at<&s::webhooks, &wh::queue_sasl_mechanism>, 0, 0, sasl_mechanisms},
    {"webhooks", "queue_credentials_file", kind::text,
     at<&s::webhooks, &wh::queue_credentials_file>},
    {"webhooks", "timeout", kind::seconds, at<&s::webhooks, &wh::timeout>, 10,
     hour},
    {"webhooks", "max_in_flight", kind::whole,
     at<&s::webhooks, &wh::max_in_flight>, 1, 100'000},
    {"webhooks", "max_concurrent", kind::whole,
     at<&s::webhooks, &wh::max_concurrent>, 1, 1'000},
    {"webhooks", "max_unfinished", kind::whole,
     at<&s::webhooks, &wh::max_unfinished>, 1, 100'000},
    {"webhooks", "retry_schedule", kind::text,
     at<&s::webhooks, &wh::retry_schedule>},
    {"webhooks", "retry_jitter_percent", kind::whole,
     at<&s::webhooks, &wh::retry_jitter_percent>, 0, 100},
    {"webhooks", "max_retry_after", kind::seconds,
     at<&s::webhooks, &wh::max_retry_after>, 0, 30 * day},
    {"webhooks", "max_age", kind::seconds, at<&s::webhooks, &wh::max_age>,
     second, 365 * day},
    {"webhooks", "breaker_failures", kind::whole,
     at<&s::webhooks, &wh::breaker_failures>, 1, 1'000'000},
    {"webhooks", "breaker_min", kind::seconds,
     at<&s::webhooks, &wh::breaker_min>, 1, day},
    {"webhooks", "breaker_max", kind::seconds,
     at<&s::webhooks, &wh::breaker_max>, 1, day},
    {"webhooks", "max_streams", kind::whole, at<&s::webhooks, &wh::max_streams>,
     8, 1'000'000},
    {"webhooks", "max_subscriptions", kind::whole,
     at<&s::webhooks, &wh::max_subscriptions>, 0, 1'000'000},

    {"retention", "keep", kind::text, at<&s::retention, &rt::keep>},
    {"retention", "audit", kind::text, at<&s::retention, &rt::audit>},

    {"telemetry", "sample_every", kind::whole,
     at<&s::telemetry, &te::sample_every>, 0, 1'000'000},

    {"supervisor", "restart_min", kind::seconds,
     at<&s::supervisor, &su::restart_min>, 1, hour},
    {"supervisor", "restart_max", kind::seconds,
     at<&s::supervisor, &su::restart_max>, 1, hour},
    {"supervisor", "max_restarts", kind::whole,
     at<&s::supervisor, &su::max_restarts>, 0, 1'000'000},
    {"supervisor", "restart_window", kind::seconds,
     at<&s::supervisor, &su::restart_window>, 1, day},

    {"cluster", "enabled", kind::boolean, at<&s::cluster, &cl::enabled>},
    {"cluster", "name", kind::text, at<&s::cluster, &cl::name>},
    {"cluster", "listen", kind::text, at<&s::cluster, &cl::listen>},
    {"cluster", "advertise", kind::text, at<&s::cluster, &cl::advertise>},
    {"cluster", "certificate", kind::text, at<&s::cluster, &cl::certificate>},
    {"cluster", "key", kind::text, at<&s::cluster, &cl::key>},
    {"cluster", "ca", kind::text, at<&s::cluster, &cl::ca>},
    {"cluster", "insecure", kind::boolean, at<&s::cluster, &cl::insecure>},
    {"cluster", "lease", kind::seconds, at<&s::cluster, &cl::lease>, second,
     hour},
    {"cluster", "drain_delay", kind::seconds, at<&s::cluster, &cl::drain_delay>,
     0, hour},
    {"cluster", "relay_appends", kind::boolean,
     at<&s::cluster, &cl::relay_appends>},
    {"cluster", "window_bytes", kind::bytes, at<&s::cluster, &cl::window_bytes>,
     64 * kib, gib},

    {"log", "level", kind::choice, at<&s::log, &lg::level>, 0, 0, log_levels},
    {"log", "format", kind::choice, at<&s::log, &lg::format>, 0, 0,
     "text|json"},
    {"log", "file", kind::text, at<&s::log, &lg::file>},
});

} // namespace

std::span<const key> keys() noexcept {
  return key_table;
}

const key* find_key(std::string_view section, std::string_view name) noexcept {
  const auto found = std::ranges::find_if(key_table, [&](const key& k) {
    return k.section == section && k.name == name;
  });
  return found == key_table.end() ? nullptr : &*found;
}

} // namespace eventweft::config
