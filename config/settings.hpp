// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// The typed configuration: every key, its unit and its default, in one place.
/// `config/loader.hpp` fills it from flags, environment and file;
/// `config/eventweft.sample.toml` documents each key for users. A section
/// `[a.b]` is the member `b` of the member `a`; durations are given in seconds
/// unless the key's name says otherwise, sizes in bytes.
namespace eventweft::config {

using std::chrono::milliseconds;

/// `[event]`
struct event_settings {
  /// Workers that verify and read webhooks side by side, for each platform, and
  /// threads that all processors' handlers share. 1 … 256.
  uint32_t max_workers = 4;
  /// Webhooks in flight before senders wait, then get 503; and events that one
  /// processor takes up at a time, 16 at least. 1 … 1,000,000.
  uint32_t queue_maxsize = 1'000;
  /// How long a webhook waits for a place in that queue.
  milliseconds queue_wait{2'000};
  bool enable_correlation = true;
  bool enable_streaming = true;
  /// Where further definitions of platforms (`*.toml`) are, in the file
  /// relative to its folder; empty: none but those that are built in.
  std::string platforms_directory;
};

/// `[server.tls]`
struct tls_settings {
  /// PEM files: the certificate with what leads from it to its authority, and
  /// its key. Both empty: no TLS. Read again when they change.
  std::string certificate;
  std::string key;
  /// Authorities (PEM); if set, clients need a certificate from one of them.
  std::string client_ca;
};

/// `[server]`
struct server_settings {
  /// HOST:PORT; port 0 picks a free one.
  std::string listen = "127.0.0.1:8080";
  /// I/O threads; 0 is one for each processor.
  uint32_t threads = 0;
  uint32_t max_connections = 20'000;
  uint64_t max_body_bytes = 25ull << 20;
  uint32_t max_header_bytes = 64u << 10;
  /// From the first byte (or the accept) to the end of the header block.
  milliseconds header_timeout{10'000};
  /// For the whole body.
  milliseconds body_timeout{30'000};
  /// Between requests on a kept-alive connection.
  milliseconds idle_timeout{75'000};
  /// For one answer to be taken by the client.
  milliseconds write_timeout{30'000};
  /// From SIGTERM to the forced end.
  milliseconds shutdown_timeout{15'000};
  /// Serve beyond this machine without any authentication.
  bool insecure = false;
  /// Web pages of which origins, apart from the server's own, may use the
  /// API and read answers: "https://app.example.org"; "*" is any.
  std::vector<std::string> allowed_origins;
  tls_settings tls;
};

/// `[auth]`
struct auth_settings {
  /// "true", "false", or "auto": once there is an API key or `jwt_keys`.
  std::string required = "auto";
  /// A PEM file or a JSON Web Key Set that JSON Web Tokens are verified with;
  /// empty: there are none. Read again when it changes.
  std::string jwt_keys;
  /// The one secret for tokens with HS256, 32 bytes or more.
  std::string jwt_secret;
  /// `iss` and one of `aud`; empty: not looked at.
  std::string jwt_issuer;
  std::vector<std::string> jwt_audiences;
  /// How far the clocks of issuer and hub may be apart.
  milliseconds jwt_leeway{60'000};
  /// How long a ticket for a stream can be used.
  milliseconds ticket_lifetime{30'000};
};

/// `[limits]`: requests a second on average, and how many at once; 0: no
/// limit.
struct limit_settings {
  uint32_t key_rate = 0;
  uint32_t key_burst = 100;
  /// By address: everything but webhooks and probes.
  uint32_t address_rate = 0;
  uint32_t address_burst = 200;
  /// By address: webhooks.
  uint32_t webhook_rate = 0;
  uint32_t webhook_burst = 1'000;
  /// By address: credentials that do not hold.
  uint32_t failure_rate = 10;
  uint32_t failure_burst = 100;
};

/// `[store]`
struct store_settings {
  /// `sqlite:PATH` or `postgresql://…`; empty: PostgreSQL if `[database]` or
  /// `DB_HOST` says so, else `sqlite:eventweft.db`.
  std::string url;
  bool auto_migrate = true;
  /// Most events in one transaction. 1 … 10,000.
  uint32_t batch_max_events = 500;
  /// Most payload bytes in one transaction.
  uint64_t batch_max_bytes = 8ull << 20;
  /// Where events wait while the store is away; empty: no spool.
  std::string spool_directory = "spool";
  uint64_t spool_max_bytes = 1ull << 30;
  /// An event that a silent store has not answered for goes to the spool.
  milliseconds spool_after{5'000};
  /// First and longest pause between attempts to reach a store that is away.
  milliseconds retry_min{100};
  milliseconds retry_max{5'000};
  /// How often the log's head is looked up in case nobody told us of a
  /// commit.
  milliseconds poll_interval{2'000};
  /// PostgreSQL: how far back a delivery is recognised as one that is already
  /// there. The same on all nodes.
  milliseconds dedup_window{14 * 24 * 3'600'000ll};
};

/// `[database]`: PostgreSQL by its parts.
struct database_settings {
  std::string host;
  uint16_t port = 5432;
  std::string database = "eventweft";
  std::string user = "eventweft";
  std::string password;
  std::string sslmode = "prefer";
  /// PEM: whom "verify-ca" and "verify-full" trust; empty: libpq's default.
  std::string sslrootcert;
  uint32_t min_connections = 1;
  uint32_t max_connections = 10;
  milliseconds connect_timeout{5'000};
  milliseconds statement_timeout{30'000};
  milliseconds lock_timeout{10'000};
};

/// `[[platforms.NAME.priority]]`: the first rule that fits decides, before
/// the platform's own.
struct priority_rule {
  /// With `*` as a wildcard; "Issue" also fits "Issue:create".
  std::string event_type = "*";
  /// A JSON pointer into the payload; empty: no condition.
  std::string field;
  /// What the text there must be, with `*` as a wildcard.
  std::string value = "*";
  /// "low", "normal", "high", "critical"
  std::string priority = "normal";
};

/// `[platforms.NAME]`
struct platform_settings {
  bool enabled = true;
  /// All of them are accepted: the new and the old one while rotating.
  std::vector<std::string> secrets;
  /// Bearer tokens, where the platform takes them (`events`, `deployments`,
  /// declarative platforms with `algorithm = "token"`). Without any, the
  /// secrets stand for them.
  std::vector<std::string> tokens;
  /// Take webhooks without any proof where there is no secret.
  bool allow_unsigned = false;
  /// How far a signed time may be from now; 0: the platform's own default.
  milliseconds tolerance{0};
  uint64_t max_body_bytes = 0; ///< 0: the server's
  std::vector<priority_rule> priority;
  /// JSON pointers whose values are replaced by "[redacted]" before anything
  /// is stored or streamed; `*` stands for any one member or index.
  std::vector<std::string> redact;
  /// Known shapes of tokens that are replaced wherever they stand in the
  /// payload: "github", "gitlab", "slack", "aws", "stripe", "google",
  /// "linear", "npm", "jwt", "private_key", or "all".
  std::vector<std::string> redact_tokens;
  /// Like `[retention] keep`, for this platform's events; empty: that one.
  std::string keep;
};

/// `[streaming]`
struct streaming_settings {
  /// Bytes that may wait for one slow reader before it leaves live mode.
  uint64_t reader_buffer_bytes = 1ull << 20;
  /// Latest events kept in memory so that a reader can join without the
  /// store, in bytes and in number.
  uint64_t ring_bytes = 32ull << 20;
  uint32_t ring_events = 20'000;
  /// One page of catching up.
  uint32_t page_events = 500;
  uint64_t page_bytes = 1ull << 20;
  milliseconds ping_interval{15'000};
  /// A WebSocket whose peer is silent for this long is closed.
  milliseconds pong_timeout{45'000};
  /// Largest message a client may send.
  uint32_t max_message_bytes = 64u << 10;
  /// Messages read from one client in a second; what it sends beyond that
  /// waits.
  uint32_t max_messages_per_second = 1'000;
  /// Offer permessage-deflate to WebSocket clients that ask for it.
  bool compression = false;
  /// zlib's: 1 is quick, 9 small.
  uint32_t compression_level = 4;
  /// What SSE clients are told to wait before they reconnect.
  milliseconds sse_retry{2'000};
};

/// `[[correlation.rules]]`: a rule that reads correlation keys out of events.
struct correlation_rule {
  std::string name;
  /// A filter as JSON; empty: all events.
  std::string match;
  /// The key, with values in braces.
  std::string key;
  /// With a pattern: where the text is that it is looked for in.
  std::string field;
  /// RE2.
  std::string pattern;
  /// 0 … 1.
  double confidence = 1;
  /// Seconds; 0: for ever.
  uint32_t window = 0;
};

/// `[correlation]`: which events are about the same piece of work.
struct correlation_settings {
  /// Keys below it do not link. 0 … 1.
  double threshold = 0.7;
  /// An event that merely mentions more things of one kind than this links to
  /// none of them.
  uint32_t max_mentions = 3;
  /// Most keys of one event; the strongest are kept.
  uint32_t max_keys = 64;
  /// Events that may link through one key by their structure, and by a remark
  /// in their text.
  uint64_t max_links = 50'000;
  uint64_t max_remarks = 200;
  /// Two threads with more events than this together are not joined.
  uint64_t max_joined_events = 100'000;
  /// How long after it was last seen a branch's name stands for the same piece
  /// of work.
  milliseconds branch_window{90 * 24 * 3'600'000ll};
  /// Failures in a row after which a rule is disabled.
  uint32_t max_failures = 10;
  std::vector<correlation_rule> rules;
};

/// `[webhooks]`: what goes out to subscriptions.
struct webhook_settings {
  /// Off: subscriptions can be made and changed, nothing is delivered.
  bool enabled = true;
  /// Loopback, private and link-local addresses may be reached. Metadata
  /// services may not, even then.
  bool allow_private_networks = false;
  /// Blocks of addresses that may be reached whatever they are, separated by
  /// blanks or commas.
  std::string allowed_networks;
  /// PEM; empty: the system's authorities.
  std::string ca_file;
  /// `nats://HOST:PORT` and `kafka://HOST:PORT` that subscriptions may name,
  /// separated by blanks or commas.
  std::string queue_servers;
  /// How all of them are spoken to.
  bool queue_tls = false;
  std::string queue_ca_file;
  std::string queue_user;
  std::string queue_password;
  /// Kafka's.
  std::string queue_sasl_mechanism = "SCRAM-SHA-512";
  /// NATS's `.creds`.
  std::string queue_credentials_file;
  /// For one request, from its start to the end of the answer.
  milliseconds timeout{15'000};
  /// Requests under way at once: for all subscriptions, and for one that says
  /// nothing itself.
  uint32_t max_in_flight = 1'000;
  uint32_t max_concurrent = 8;
  /// Events of one subscription that are taken up and not done with; beyond,
  /// the log is not read on.
  uint32_t max_unfinished = 1'000;
  /// The pauses before the second attempt, the third, …: numbers with `s`,
  /// `m`, `h` or `d`, separated by blanks or commas.
  std::string retry_schedule = "5s 5m 30m 2h 5h 10h 14h 20h 24h";
  /// Each pause is up to this many hundredths longer or shorter. 0 … 100.
  uint32_t retry_jitter_percent = 10;
  /// The longest `Retry-After` that is honoured.
  milliseconds max_retry_after{24ll * 3'600'000};
  /// An event that could not even be tried is given up after so long.
  milliseconds max_age{96ll * 3'600'000};
  /// Failures in a row after which an endpoint is left in peace, and for how
  /// long at first and at most.
  uint32_t breaker_failures = 5;
  milliseconds breaker_min{30'000};
  milliseconds breaker_max{1'800'000};
  uint32_t max_streams = 10'000;
  uint32_t max_subscriptions = 10'000;
};

/// `[retention]`
struct retention_settings {
  /// How long events are kept: a number and `d`, `h`, `m` or `s` ("90d").
  /// Empty: for ever. `config/age.hpp` reads it.
  std::string keep;
  /// The same for the audit trail.
  std::string audit = "365d";
};

/// `[telemetry]`
struct telemetry_settings {
  /// One of so many events is measured stage by stage for
  /// `event_performance`; 0: none, 1: all.
  uint32_t sample_every = 100;
};

/// `[supervisor]`
struct supervisor_settings {
  milliseconds restart_min{50};
  milliseconds restart_max{5'000};
  /// More restarts than this within the window end the process.
  uint32_t max_restarts = 20;
  milliseconds restart_window{60'000};
};

/// `[cluster]`: several nodes on one PostgreSQL.
struct cluster_settings {
  bool operator==(const cluster_settings&) const = default;

  bool enabled = false;
  /// Unique in the cluster and, with TLS, a name of the node's certificate;
  /// empty: the host's name.
  std::string name;
  /// HOST:PORT for the links of other nodes; port 0 picks a free one. Empty:
  /// no links, nodes wake each other through the database only.
  std::string listen;
  /// HOST:PORT where others reach that; empty: as it listens, which must be an
  /// address that they can dial then.
  std::string advertise;
  /// PEM files: this node's certificate (with intermediates), its key, and the
  /// private authority that all nodes' certificates are from.
  std::string certificate;
  std::string key;
  std::string ca;
  /// Links without TLS; on loopback only.
  bool insecure = false;
  /// After a crash a node's work is another one's within this time.
  milliseconds lease{10'000};
  /// Between readiness going away and readers being sent elsewhere when a node
  /// is drained: what the load balancer needs to notice.
  milliseconds drain_delay{2'000};
  /// Whether one node appends for all where several write at once; each does
  /// for itself otherwise.
  bool relay_appends = true;
  /// Bytes that may be on their way to one peer; beyond that it is told how
  /// far the log is and reads the rest from the store.
  uint64_t window_bytes = 4ull << 20;
};

/// `[log]`
struct log_settings {
  /// "trace", "debug", "info", "warn", "error", "off"
  std::string level = "info";
  /// "text" or "json"
  std::string format = "text";
  /// Empty: standard error.
  std::string file;
};

/// `[processors.NAME]`: a handler that needs no C++.
struct processor_settings {
  bool enabled = true;
  /// "exec" or "http"; empty: what `command` or `url` says.
  std::string kind;
  /// exec: the program and its arguments; no shell.
  std::vector<std::string> command;
  /// exec: where it runs; empty: where the server does.
  std::string directory;
  /// exec: `NAME=value`, or `NAME` for what the server has under that name.
  std::vector<std::string> environment;
  /// http: where the event goes, and what the request is signed with.
  std::string url;
  std::string secret;
  /// http: "native" or "cloudevents".
  std::string format = "native";
  /// Which events: a filter as JSON, and on top of it these lists.
  std::string filter;
  std::vector<std::string> platforms;
  std::vector<std::string> event_types;
  /// The lane of all its work; "event": each event's own priority.
  std::string priority = "event";
  /// "none", "source" or "thread".
  std::string ordering = "none";
  uint32_t max_retries = 3;
  milliseconds retry_delay{1'000};
  milliseconds max_retry_delay{300'000};
  milliseconds timeout{30'000};
  /// Attempts at once; 0: as many as there are workers.
  uint32_t concurrency = 1;
  /// Its output is the webhook's answer, if it comes in time.
  bool answers = false;
  /// Where it starts when it is new: "now", "earliest", a seq or a time.
  std::string start = "now";
};

/// `[dead_letters]`
struct dead_letters_settings {
  /// Told of the first dead letter in each window; empty: nobody.
  std::string alert_url;
  /// What that request is signed with; empty: it is not.
  std::string alert_secret;
  milliseconds alert_window{300'000};
};

struct settings {
  event_settings event;
  server_settings server;
  auth_settings auth;
  limit_settings limits;
  store_settings store;
  database_settings database;
  std::map<std::string, platform_settings> platforms;
  std::map<std::string, processor_settings> processors;
  dead_letters_settings dead_letters;
  streaming_settings streaming;
  correlation_settings correlation;
  webhook_settings webhooks;
  retention_settings retention;
  telemetry_settings telemetry;
  supervisor_settings supervisor;
  cluster_settings cluster;
  log_settings log;
};

} // namespace eventweft::config
