// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/subscriptions.hpp"

#include "codec/filter.hpp"
#include "codec/subscription_rows.hpp"
#include "persistence/postgres/rows.hpp"
#include "persistence/postgres/subscription_reports.hpp"
#include "persistence/subscription_reports.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::postgres {
namespace {

using retry = connection::retry;

constexpr std::string_view subscription_columns =
    "id, stream_name, subscriber_id, type, coalesce(url, ''), filter, secrets, "
    "format, ordered, headers, max_concurrent, rate_per_second, active, "
    "disabled_reason, created_at, version";

constexpr std::string_view sent_types = "('webhook', 'nats', 'kafka')";

std::string text(const pqxx::field& f) {
  return std::string{f.view()};
}

expected<stream_definition> read_stream(const pqxx::row& row) {
  stream_definition out;
  out.name = text(row[0]);
  out.description = text(row[1]);
  auto f = codec::parse_filter(row[2].view());
  if (!f)
    return fail(ec::corrupt, "stream " + out.name + ": " + f.error().message);
  out.filter = std::move(*f);
  out.built_in = row[3].as<bool>();
  out.created_at = read_time(row[4].view());
  out.version = row[5].as<int64_t>();
  return out;
}

expected<subscription> read_subscription(const pqxx::row& row) {
  subscription out;
  out.id = read_uuid(row[0].view());
  out.stream = text(row[1]);
  out.subscriber_id = text(row[2]);
  out.type = parse_subscription_type(row[3].view())
                 .value_or(subscription_type::webhook);
  out.url = text(row[4]);
  auto f = codec::parse_filter(row[5].view());
  if (!f)
    return fail(ec::corrupt,
                "subscription " + to_string(out.id) + ": " + f.error().message);
  out.filter = std::move(*f);
  auto secrets = codec::parse_text_list(row[6].view());
  if (!secrets)
    return fail(secrets.error());
  out.secrets = std::move(*secrets);
  out.format = row[7].view() == "cloudevents" ? wire_format::cloudevents
                                              : wire_format::native;
  out.ordered = row[8].as<bool>();
  auto headers = codec::parse_header_list(row[9].view());
  if (!headers)
    return fail(headers.error());
  out.headers = std::move(*headers);
  out.max_concurrent = row[10].as<uint32_t>();
  out.rate_per_second = row[11].as<double>();
  out.active = row[12].as<bool>();
  out.disabled_reason = text(row[13]);
  out.created_at = read_time(row[14].view());
  out.version = row[15].as<int64_t>();
  return out;
}

/// From the column `first` on.
subscription_progress read_progress(const pqxx::row& row,
                                    pqxx::row::size_type first) {
  subscription_progress out;
  out.done_until = row[first].as<seq_t>();
  out.mark = text(row[first + 1]);
  out.replay = text(row[first + 2]);
  out.matched = row[first + 3].as<int64_t>();
  out.delivered = row[first + 4].as<int64_t>();
  out.failed = row[first + 5].as<int64_t>();
  out.given_up = row[first + 6].as<int64_t>();
  out.last_seq = row[first + 7].as<seq_t>();
  if (!row[first + 8].is_null())
    out.last_delivery_at = read_time(row[first + 8].view());
  return out;
}

delivery_attempt read_attempt(const pqxx::row& row) {
  using state = delivery_attempt::state;
  delivery_attempt a;
  a.id = read_uuid(row[0].view());
  a.subscription_id = read_uuid(row[1].view());
  a.event_id = read_uuid(row[2].view());
  a.event_created_at = read_time(row[3].view());
  a.event_seq = row[4].as<seq_t>();
  a.attempt = row[5].as<uint32_t>();
  for (auto s : {state::pending, state::delivered, state::failed})
    if (row[6].view() == to_string(s))
      a.status = s;
  a.response_status = row[7].is_null() ? 0 : row[7].as<int32_t>();
  a.response_body = text(row[8]);
  a.error_message = text(row[9]);
  a.duration = row[10].is_null() ? 0 : row[10].as<double>();
  a.created_at = read_time(row[11].view());
  if (!row[12].is_null())
    a.next_attempt_at = read_time(row[12].view());
  return a;
}

error no_stream(std::string_view name) {
  return {ec::not_found, "there is no stream " + std::string{name}};
}

tl::unexpected<error> somebody_else_changed_it() {
  return fail(ec::outdated, "somebody else has changed it");
}

/// Why a stream was not touched.
expected<void> why_not(pqxx::transaction_base& tx, std::string_view name) {
  auto rows = tx.exec("SELECT built_in FROM event_streams WHERE name = $1",
                      pqxx::params{name});
  if (rows.empty())
    return fail(no_stream(name));
  if (!rows[0][0].as<bool>())
    return somebody_else_changed_it();
  return fail(ec::conflict, "stream " + std::string{name} +
                                " is built in: it stays as it is");
}

} // namespace

expected<std::vector<stream_definition>> subscription_tables::streams() {
  using result_t = expected<std::vector<stream_definition>>;
  return pool_->call(retry::yes, [](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    std::vector<stream_definition> out;
    for (const auto& row :
         tx.exec("SELECT name, description, filter, built_in, created_at, "
                 "version FROM event_streams ORDER BY name")) {
      auto stream = read_stream(row);
      if (!stream)
        return fail(stream.error());
      out.push_back(std::move(*stream));
    }
    return out;
  });
}

expected<void>
subscription_tables::add_stream(const stream_definition& stream) {
  return pool_->call(retry::no, [&](pqxx::connection& c) -> expected<void> {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "INSERT INTO event_streams (name, description, filter, created_at) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING 1",
        pqxx::params{stream.name, stream.description,
                     codec::filter_json(stream.filter),
                     time_text(stream.created_at)});
    if (rows.empty())
      return fail(ec::conflict,
                  "there is a stream " + stream.name + " already");
    return {};
  });
}

expected<void>
subscription_tables::change_stream(const stream_definition& stream) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "UPDATE event_streams SET description = $2, filter = $3 "
        "WHERE name = $1 AND NOT built_in AND version = $4 RETURNING 1",
        pqxx::params{stream.name, stream.description,
                     codec::filter_json(stream.filter), stream.version});
    return rows.empty() ? why_not(tx, stream.name) : expected<void>{};
  });
}

expected<void> subscription_tables::drop_stream(std::string_view name) {
  return pool_->call(retry::no, [&](pqxx::connection& c) -> expected<void> {
    pqxx::work tx{c};
    tx.exec("DELETE FROM event_deliveries d USING stream_subscriptions s "
            "JOIN event_streams t ON t.name = s.stream_name WHERE "
            "s.stream_name = $1 AND NOT t.built_in AND d.subscription_id = "
            "s.id",
            pqxx::params{name});
    auto rows = tx.exec("DELETE FROM event_streams WHERE name = $1 AND NOT "
                        "built_in RETURNING 1",
                        pqxx::params{name});
    if (rows.empty())
      return why_not(tx, name);
    tx.commit();
    return {};
  });
}

expected<std::vector<subscription>> subscription_tables::subscriptions() {
  using result_t = expected<std::vector<subscription>>;
  return pool_->call(retry::yes, [](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    std::vector<subscription> out;
    for (const auto& row :
         tx.exec("SELECT " + std::string{subscription_columns} +
                 " FROM stream_subscriptions WHERE type IN " +
                 std::string{sent_types} + " ORDER BY id")) {
      auto s = read_subscription(row);
      if (!s)
        return fail(s.error());
      out.push_back(std::move(*s));
    }
    return out;
  });
}

expected<std::optional<subscription_record>>
subscription_tables::find_subscription(const uuid& id) {
  using result_t = expected<std::optional<subscription_record>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "SELECT " + std::string{subscription_columns} +
            ", cursor_seq, progress, replay, matched, delivered, failed, "
            "given_up, last_seq, last_delivery_at FROM stream_subscriptions "
            "WHERE id = $1",
        pqxx::params{to_string(id)});
    if (rows.empty())
      return std::nullopt;
    auto s = read_subscription(rows.front());
    if (!s)
      return fail(s.error());
    return subscription_record{std::move(*s), read_progress(rows.front(), 16)};
  });
}

expected<void>
subscription_tables::add_subscription(const subscription_record& r) {
  return pool_->call(retry::no, [&](pqxx::connection& c) -> expected<void> {
    const auto& s = r.what;
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "INSERT INTO stream_subscriptions (id, stream_name, subscriber_id, "
        "type, url, filter, secrets, format, ordered, headers, max_concurrent, "
        "rate_per_second, active, created_at, cursor_seq) "
        "SELECT $1, name, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
        "$15 FROM event_streams WHERE name = $2 FOR SHARE RETURNING 1",
        pqxx::params{to_string(s.id), s.stream, s.subscriber_id,
                     to_string(s.type), s.url, codec::filter_json(s.filter),
                     codec::text_list_json(s.secrets),
                     s.format == wire_format::cloudevents ? "cloudevents"
                                                          : "native",
                     s.ordered, codec::header_list_json(s.headers),
                     s.max_concurrent, s.rate_per_second, s.active,
                     time_text(s.created_at), r.progress.done_until});
    if (rows.empty())
      return fail(no_stream(s.stream));
    return {};
  });
}

expected<void> subscription_tables::change_subscription(const subscription& s) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "UPDATE stream_subscriptions SET subscriber_id = $2, url = $3, "
        "filter = $4, secrets = $5, format = $6, ordered = $7, headers = $8, "
        "max_concurrent = $9, rate_per_second = $10, active = $11, "
        "disabled_reason = $12 WHERE id = $1 AND version = $13 RETURNING 1",
        pqxx::params{
            to_string(s.id), s.subscriber_id, s.url,
            codec::filter_json(s.filter), codec::text_list_json(s.secrets),
            s.format == wire_format::cloudevents ? "cloudevents" : "native",
            s.ordered, codec::header_list_json(s.headers), s.max_concurrent,
            s.rate_per_second, s.active, s.disabled_reason, s.version});
    if (!rows.empty())
      return {};
    rows = tx.exec("SELECT 1 FROM stream_subscriptions WHERE id = $1",
                   pqxx::params{to_string(s.id)});
    if (!rows.empty())
      return somebody_else_changed_it();
    return fail(ec::not_found, "there is no such subscription");
  });
}

expected<bool> subscription_tables::drop_subscription(const uuid& id) {
  return pool_->call(retry::no, [&](pqxx::connection& c) -> expected<bool> {
    pqxx::work tx{c};
    tx.exec("DELETE FROM event_deliveries WHERE subscription_id = $1",
            pqxx::params{to_string(id)});
    auto rows =
        tx.exec("DELETE FROM stream_subscriptions WHERE id = $1 RETURNING 1",
                pqxx::params{to_string(id)});
    tx.commit();
    return !rows.empty();
  });
}

expected<std::vector<std::optional<error>>>
subscription_tables::save(std::span<const delivery_report> reports) {
  return save_isolating(reports, [this](std::span<const delivery_report> part) {
    return pool_->with_connection(
        [&](connection& own) { return save_reports(own, part); });
  });
}

expected<std::vector<delivery_attempt>>
subscription_tables::deliveries(const uuid& subscription_id, const uuid& before,
                                size_t limit) {
  using result_t = expected<std::vector<delivery_attempt>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    // Ids are made in the order of time.
    auto rows = tx.exec(
        "SELECT id, subscription_id, event_id, event_created_at, event_seq, "
        "attempt, status, response_status, coalesce(response_body, ''), "
        "coalesce(error_message, ''), duration, created_at, next_attempt_at "
        "FROM event_deliveries WHERE subscription_id = $1 AND ($2::uuid IS "
        "NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        pqxx::params{to_string(subscription_id),
                     before.is_nil() ? std::optional<std::string>{}
                                     : to_string(before),
                     limit});
    std::vector<delivery_attempt> out;
    for (const auto& row : rows)
      out.push_back(read_attempt(row));
    return out;
  });
}

} // namespace eventweft::postgres
