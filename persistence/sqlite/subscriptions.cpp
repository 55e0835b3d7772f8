// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/subscriptions.hpp"

#include "codec/filter.hpp"
#include "codec/subscription_rows.hpp"
#include "persistence/sqlite/rows.hpp"

#include <stdexcept>
#include <utility>

namespace eventweft::sqlite {
namespace {

constexpr std::string_view streams_sql =
    "SELECT name, description, filter, built_in, created_at, version FROM "
    "event_streams ORDER BY name";

#define EVENTWEFT_SUBSCRIPTION_COLUMNS                                         \
  "id, stream_name, subscriber_id, type, coalesce(url, ''), filter, secrets, " \
  "format, ordered, headers, max_concurrent, rate_per_second, active, "        \
  "disabled_reason, created_at, version"

constexpr std::string_view list_sql =
    "SELECT " EVENTWEFT_SUBSCRIPTION_COLUMNS
    " FROM stream_subscriptions WHERE type IN ('webhook', 'nats', 'kafka') "
    "ORDER BY id";

constexpr std::string_view find_sql =
    "SELECT " EVENTWEFT_SUBSCRIPTION_COLUMNS
    ", cursor_seq, progress, replay, matched, delivered, failed, given_up, "
    "last_seq, last_delivery_at FROM stream_subscriptions WHERE id = ?";

#undef EVENTWEFT_SUBSCRIPTION_COLUMNS

constexpr std::string_view add_sql =
    "INSERT INTO stream_subscriptions (id, stream_name, subscriber_id, type, "
    "url, filter, secrets, format, ordered, headers, max_concurrent, "
    "rate_per_second, active, created_at, cursor_seq) SELECT ?1, name, ?3, ?4, "
    "?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15 FROM event_streams "
    "WHERE name = ?2";

constexpr std::string_view change_sql =
    "UPDATE stream_subscriptions SET subscriber_id = ?2, url = ?3, filter = "
    "?4, secrets = ?5, format = ?6, ordered = ?7, headers = ?8, "
    "max_concurrent = ?9, rate_per_second = ?10, active = ?11, "
    "disabled_reason = ?12 WHERE id = ?1 AND version = ?13";

std::string text(SQLite::Statement& row, int column) {
  return row.getColumn(column).getString();
}

int64_t number(SQLite::Statement& row, int column) {
  return row.getColumn(column).getInt64();
}

expected<subscription> read_subscription(SQLite::Statement& row) {
  subscription out;
  out.id = read_uuid(text(row, 0));
  out.stream = text(row, 1);
  out.subscriber_id = text(row, 2);
  out.type = parse_subscription_type(text(row, 3))
                 .value_or(subscription_type::webhook);
  out.url = text(row, 4);
  auto f = codec::parse_filter(text(row, 5));
  if (!f)
    return fail(ec::corrupt,
                "subscription " + to_string(out.id) + ": " + f.error().message);
  out.filter = std::move(*f);
  auto secrets = codec::parse_text_list(text(row, 6));
  if (!secrets)
    return fail(secrets.error());
  out.secrets = std::move(*secrets);
  out.format = text(row, 7) == "cloudevents" ? wire_format::cloudevents
                                             : wire_format::native;
  out.ordered = number(row, 8) != 0;
  auto headers = codec::parse_header_list(text(row, 9));
  if (!headers)
    return fail(headers.error());
  out.headers = std::move(*headers);
  out.max_concurrent = static_cast<uint32_t>(number(row, 10));
  out.rate_per_second = row.getColumn(11).getDouble();
  out.active = number(row, 12) != 0;
  out.disabled_reason = text(row, 13);
  out.created_at = read_time(text(row, 14));
  out.version = number(row, 15);
  return out;
}

subscription_progress read_progress(SQLite::Statement& row, int first) {
  subscription_progress out;
  out.done_until = number(row, first);
  out.mark = text(row, first + 1);
  out.replay = text(row, first + 2);
  out.matched = number(row, first + 3);
  out.delivered = number(row, first + 4);
  out.failed = number(row, first + 5);
  out.given_up = number(row, first + 6);
  out.last_seq = number(row, first + 7);
  if (!row.getColumn(first + 8).isNull())
    out.last_delivery_at = read_time(text(row, first + 8));
  return out;
}

std::string_view name_of(wire_format format) {
  return format == wire_format::cloudevents ? "cloudevents" : "native";
}

/// What `add_sql` and `change_sql` both have, from the subscriber's id on.
void bind_settings(binder& bind, const subscription& s) {
  bind << s.url;
  bind << codec::filter_json(s.filter);
  bind << codec::text_list_json(s.secrets);
  bind << name_of(s.format);
  bind << int64_t{s.ordered};
  bind << codec::header_list_json(s.headers);
  bind << int64_t{s.max_concurrent};
  bind << s.rate_per_second;
  bind << int64_t{s.active};
}

error no_stream(std::string_view name) {
  return {ec::not_found, "there is no stream " + std::string{name}};
}

tl::unexpected<error> somebody_else_changed_it() {
  return fail(ec::outdated, "somebody else has changed it");
}

/// Why a stream was not touched.
expected<void> why_not(database& db, std::string_view name) {
  auto& q = db.prepared("SELECT built_in FROM event_streams WHERE name = ?");
  q.bind(1, std::string{name});
  const bool there = q.executeStep();
  const bool built_in = there && number(q, 0) != 0;
  q.reset();
  if (!there)
    return fail(no_stream(name));
  if (!built_in)
    return somebody_else_changed_it();
  return fail(ec::conflict, "stream " + std::string{name} +
                                " is built in: it stays as it is");
}

} // namespace

expected<std::vector<stream_definition>> subscription_tables::streams() {
  using result_t = expected<std::vector<stream_definition>>;
  return database_.call([](database& db) -> result_t {
    auto& q = db.prepared(streams_sql);
    std::vector<stream_definition> out;
    while (q.executeStep()) {
      stream_definition s;
      s.name = text(q, 0);
      s.description = text(q, 1);
      auto f = codec::parse_filter(text(q, 2));
      if (!f)
        return fail(ec::corrupt, "stream " + s.name + ": " + f.error().message);
      s.filter = std::move(*f);
      s.built_in = number(q, 3) != 0;
      s.created_at = read_time(text(q, 4));
      s.version = number(q, 5);
      out.push_back(std::move(s));
    }
    q.reset();
    return out;
  });
}

expected<void>
subscription_tables::add_stream(const stream_definition& stream) {
  return database_.call([&](database& db) -> expected<void> {
    auto& q = db.prepared("INSERT INTO event_streams (name, description, "
                          "filter, created_at) VALUES (?, ?, ?, ?) "
                          "ON CONFLICT DO NOTHING");
    binder bind{q};
    bind << stream.name;
    bind << stream.description;
    bind << codec::filter_json(stream.filter);
    bind << stream.created_at;
    if (q.exec() == 0)
      return fail(ec::conflict,
                  "there is a stream " + stream.name + " already");
    return {};
  });
}

expected<void>
subscription_tables::change_stream(const stream_definition& stream) {
  return database_.call([&](database& db) -> expected<void> {
    auto& q = db.prepared("UPDATE event_streams SET description = ?, filter = "
                          "? WHERE name = ? AND NOT built_in AND version = ?");
    binder bind{q};
    bind << stream.description;
    bind << codec::filter_json(stream.filter);
    bind << stream.name;
    bind << stream.version;
    return q.exec() == 0 ? why_not(db, stream.name) : expected<void>{};
  });
}

expected<void> subscription_tables::drop_stream(std::string_view name) {
  return database_.call([&](database& db) -> expected<void> {
    write_transaction tx{db};
    auto& deliveries = db.prepared(
        "DELETE FROM event_deliveries WHERE subscription_id IN (SELECT s.id "
        "FROM stream_subscriptions s JOIN event_streams t ON t.name = "
        "s.stream_name WHERE t.name = ? AND NOT t.built_in)");
    deliveries.bind(1, std::string{name});
    deliveries.exec();
    auto& q = db.prepared(
        "DELETE FROM event_streams WHERE name = ? AND NOT built_in");
    q.bind(1, std::string{name});
    if (q.exec() == 0)
      return why_not(db, name);
    tx.commit();
    return {};
  });
}

expected<std::vector<subscription>> subscription_tables::subscriptions() {
  using result_t = expected<std::vector<subscription>>;
  return database_.call([](database& db) -> result_t {
    auto& q = db.prepared(list_sql);
    std::vector<subscription> out;
    while (q.executeStep()) {
      auto s = read_subscription(q);
      if (!s)
        return fail(s.error());
      out.push_back(std::move(*s));
    }
    q.reset();
    return out;
  });
}

expected<std::optional<subscription_record>>
subscription_tables::find_subscription(const uuid& id) {
  using result_t = expected<std::optional<subscription_record>>;
  return database_.call([&](database& db) -> result_t {
    auto& q = db.prepared(find_sql);
    q.bind(1, to_string(id));
    if (!q.executeStep())
      return std::nullopt;
    auto s = read_subscription(q);
    if (!s)
      return fail(s.error());
    subscription_record out{std::move(*s), read_progress(q, 16)};
    q.reset();
    return out;
  });
}

expected<void>
subscription_tables::add_subscription(const subscription_record& r) {
  return database_.call([&](database& db) -> expected<void> {
    auto& q = db.prepared(add_sql);
    binder bind{q};
    bind << r.what.id;
    bind << r.what.stream;
    bind << r.what.subscriber_id;
    bind << to_string(r.what.type);
    bind_settings(bind, r.what);
    bind << r.what.created_at;
    bind << r.progress.done_until;
    if (q.exec() == 0)
      return fail(no_stream(r.what.stream));
    return {};
  });
}

expected<void> subscription_tables::change_subscription(const subscription& s) {
  return database_.call([&](database& db) -> expected<void> {
    auto& q = db.prepared(change_sql);
    binder bind{q};
    bind << s.id;
    bind << s.subscriber_id;
    bind_settings(bind, s);
    bind << s.disabled_reason;
    bind << s.version;
    if (q.exec() != 0)
      return {};
    auto& again =
        db.prepared("SELECT 1 FROM stream_subscriptions WHERE id = ?");
    again.bind(1, to_string(s.id));
    const bool there = again.executeStep();
    again.reset();
    if (there)
      return somebody_else_changed_it();
    return fail(ec::not_found, "there is no such subscription");
  });
}

expected<bool> subscription_tables::drop_subscription(const uuid& id) {
  return database_.call([&](database& db) -> expected<bool> {
    write_transaction tx{db};
    auto& deliveries =
        db.prepared("DELETE FROM event_deliveries WHERE subscription_id = ?");
    deliveries.bind(1, to_string(id));
    deliveries.exec();
    auto& q = db.prepared("DELETE FROM stream_subscriptions WHERE id = ?");
    q.bind(1, to_string(id));
    const bool found = q.exec() != 0;
    tx.commit();
    return found;
  });
}

} // namespace eventweft::sqlite
