// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/subscriptions.hpp"

#include "codec/filter.hpp"
#include "codec/subscription_json.hpp"
#include "persistence/postgres/array_writer.hpp"
#include "persistence/postgres/rows.hpp"
#include "persistence/subscription_reports.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace eventweft::postgres {
namespace {

using retry = connection::retry;

constexpr std::string_view subscription_columns =
    "id, stream_name, subscriber_id, type, coalesce(url, ''), filter, secrets, "
    "format, ordered, headers, max_concurrent, rate_per_second, active, "
    "disabled_reason, created_at";

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

// The fences of all reports first, in one order for everybody, so that two
// nodes never wait for each other.
constexpr std::string_view save_sql =
    "WITH report AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::text[], "
    "$3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], "
    "$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], "
    "$12::timestamptz[], $13::text[]) AS r (id, work, token, done_until, mark, "
    "replay, matched, delivered, failed, given_up, last_seq, last_delivery_at, "
    "disabled_reason) ORDER BY work), "
    "held AS MATERIALIZED (SELECT * FROM report WHERE fence_holds(work, "
    "token)), "
    "moved AS (UPDATE stream_subscriptions s SET cursor_seq = h.done_until, "
    "progress = h.mark, replay = h.replay, matched = h.matched, "
    "delivered = h.delivered, failed = h.failed, given_up = h.given_up, "
    "last_seq = h.last_seq, last_delivery_at = h.last_delivery_at, "
    "active = s.active AND h.disabled_reason = '', "
    "disabled_reason = CASE h.disabled_reason WHEN '' THEN s.disabled_reason "
    "ELSE h.disabled_reason END FROM held h WHERE s.id = h.id RETURNING s.id), "
    "noted AS (INSERT INTO event_deliveries (id, subscription_id, event_id, "
    "event_created_at, event_seq, attempt, status, response_status, "
    "response_body, error_message, duration, created_at, next_attempt_at) "
    "SELECT a.* FROM unnest($14::uuid[], $15::uuid[], $16::uuid[], "
    "$17::timestamptz[], $18::bigint[], $19::int[], $20::text[], $21::int[], "
    "$22::text[], $23::text[], $24::float8[], $25::timestamptz[], "
    "$26::timestamptz[]) AS a (id, subscription_id, event_id, "
    "event_created_at, event_seq, attempt, status, response_status, "
    "response_body, error_message, duration, created_at, next_attempt_at) "
    "WHERE a.subscription_id IN (SELECT id FROM moved) "
    "ON CONFLICT DO NOTHING RETURNING 1) "
    "SELECT id FROM held";

/// One array a column, in the order of `save_sql`'s parameters.
class report_arrays {
 public:
  explicit report_arrays(std::span<const delivery_report> reports) {
    using r = const delivery_report&;
    const auto each = [&](type_oid type, auto get) {
      array_writer out{type, reports.size(), 32 * reports.size()};
      for (const auto& report : reports)
        add(out, get(report));
      arrays_.push_back(std::move(out));
    };
    each(type_oid::uuid, [](r x) { return x.subscription_id; });
    each(type_oid::text, [](r x) { return std::string_view{x.proof.work}; });
    each(type_oid::int8, [](r x) { return x.proof.token; });
    each(type_oid::int8, [](r x) { return x.progress.done_until; });
    each(type_oid::text, [](r x) { return std::string_view{x.progress.mark}; });
    each(type_oid::text,
         [](r x) { return std::string_view{x.progress.replay}; });
    each(type_oid::int8, [](r x) { return x.progress.matched; });
    each(type_oid::int8, [](r x) { return x.progress.delivered; });
    each(type_oid::int8, [](r x) { return x.progress.failed; });
    each(type_oid::int8, [](r x) { return x.progress.given_up; });
    each(type_oid::int8, [](r x) { return x.progress.last_seq; });
    each(type_oid::timestamptz,
         [](r x) { return x.progress.last_delivery_at; });
    each(type_oid::text,
         [](r x) { return std::string_view{x.disabled_reason}; });

    std::vector<const delivery_attempt*> attempts;
    for (const auto& report : reports)
      for (const auto& a : report.attempts)
        attempts.push_back(&a);
    using at = const delivery_attempt&;
    const auto every = [&](type_oid type, auto get) {
      array_writer out{type, attempts.size(), 32 * attempts.size()};
      for (const auto* a : attempts)
        add(out, get(*a));
      arrays_.push_back(std::move(out));
    };
    every(type_oid::uuid, [](at a) { return a.id; });
    every(type_oid::uuid, [](at a) { return a.subscription_id; });
    every(type_oid::uuid, [](at a) { return a.event_id; });
    every(type_oid::timestamptz, [](at a) { return a.event_created_at; });
    every(type_oid::int8, [](at a) { return a.event_seq; });
    every(type_oid::int4, [](at a) { return static_cast<int32_t>(a.attempt); });
    every(type_oid::text, [](at a) { return to_string(a.status); });
    every(type_oid::int4, [](at a) {
      return a.response_status == 0 ? std::nullopt
                                    : std::optional{a.response_status};
    });
    every(type_oid::text,
          [](at a) { return std::string_view{a.response_body}; });
    every(type_oid::text,
          [](at a) { return std::string_view{a.error_message}; });
    every(type_oid::float8, [](at a) { return a.duration; });
    every(type_oid::timestamptz, [](at a) { return a.created_at; });
    every(type_oid::timestamptz, [](at a) { return a.next_attempt_at; });
  }

  /// Views into this object.
  pqxx::params parameters() const {
    pqxx::params all;
    for (const auto& array : arrays_)
      all.append(pqxx::binary_cast(array.bytes()));
    return all;
  }

 private:
  template <class T>
  static void add(array_writer& out, const T& value) {
    out.add(value);
  }

  template <class T>
  static void add(array_writer& out, const std::optional<T>& value) {
    if (value)
      out.add(*value);
    else
      out.add_null();
  }

  std::vector<array_writer> arrays_;
};

error no_stream(std::string_view name) {
  return {ec::not_found, "there is no stream " + std::string{name}};
}

/// Why a stream was not touched.
expected<void> why_not(pqxx::transaction_base& tx, std::string_view name) {
  auto rows = tx.exec("SELECT built_in FROM event_streams WHERE name = $1",
                      pqxx::params{name});
  if (rows.empty())
    return fail(no_stream(name));
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
         tx.exec("SELECT name, description, filter, built_in, created_at FROM "
                 "event_streams ORDER BY name")) {
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
    auto rows =
        tx.exec("UPDATE event_streams SET description = $2, filter = $3 "
                "WHERE name = $1 AND NOT built_in RETURNING 1",
                pqxx::params{stream.name, stream.description,
                             codec::filter_json(stream.filter)});
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
    return subscription_record{std::move(*s), read_progress(rows.front(), 15)};
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
        "disabled_reason = $12 WHERE id = $1 RETURNING 1",
        pqxx::params{
            to_string(s.id), s.subscriber_id, s.url,
            codec::filter_json(s.filter), codec::text_list_json(s.secrets),
            s.format == wire_format::cloudevents ? "cloudevents" : "native",
            s.ordered, codec::header_list_json(s.headers), s.max_concurrent,
            s.rate_per_second, s.active, s.disabled_reason});
    if (rows.empty())
      return fail(ec::not_found, "there is no such subscription");
    return {};
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
  const auto once = [this](std::span<const delivery_report> part)
      -> expected<std::vector<std::optional<error>>> {
    const report_arrays arrays{part};
    using result_t = expected<std::vector<std::optional<error>>>;
    return pool_->with_connection([&](connection& own) {
      // Safe to do twice: attempts have their ids.
      return own.call(retry::yes, [&](pqxx::connection& c) -> result_t {
        own.prepare("save_deliveries", std::string{save_sql});
        pqxx::nontransaction tx{c};
        auto rows =
            tx.exec(pqxx::prepped{"save_deliveries"}, arrays.parameters());
        std::set<uuid> held;
        for (const auto& row : rows)
          held.insert(read_uuid(row[0].view()));
        std::vector<std::optional<error>> out;
        for (const auto& report : part)
          out.push_back(held.contains(report.subscription_id)
                            ? std::nullopt
                            : std::optional{lost_to_another(report)});
        return out;
      });
    });
  };
  return save_isolating(reports, once);
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
