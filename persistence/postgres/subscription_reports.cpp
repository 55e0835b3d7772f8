// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/subscription_reports.hpp"

#include "persistence/postgres/array_columns.hpp"
#include "persistence/postgres/rows.hpp"
#include "persistence/subscription_reports.hpp"

#include <set>
#include <string>

namespace eventweft::postgres {
namespace {

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

/// The columns of `save_sql`, in the order of its parameters.
array_columns columns_of(std::span<const delivery_report> reports) {
  array_columns out;
  using r = const delivery_report&;
  const auto each = [&](type_oid type, auto get) {
    out.add(type, reports, get);
  };
  each(type_oid::uuid, [](r x) { return x.subscription_id; });
  each(type_oid::text, [](r x) { return std::string_view{x.proof.work}; });
  each(type_oid::int8, [](r x) { return x.proof.token; });
  each(type_oid::int8, [](r x) { return x.progress.done_until; });
  each(type_oid::text, [](r x) { return std::string_view{x.progress.mark}; });
  each(type_oid::text, [](r x) { return std::string_view{x.progress.replay}; });
  each(type_oid::int8, [](r x) { return x.progress.matched; });
  each(type_oid::int8, [](r x) { return x.progress.delivered; });
  each(type_oid::int8, [](r x) { return x.progress.failed; });
  each(type_oid::int8, [](r x) { return x.progress.given_up; });
  each(type_oid::int8, [](r x) { return x.progress.last_seq; });
  each(type_oid::timestamptz, [](r x) { return x.progress.last_delivery_at; });
  each(type_oid::text, [](r x) { return std::string_view{x.disabled_reason}; });

  std::vector<const delivery_attempt*> attempts;
  for (const auto& report : reports)
    for (const auto& a : report.attempts)
      attempts.push_back(&a);
  using at = const delivery_attempt&;
  const auto every = [&](type_oid type, auto get) {
    out.add(type, attempts, [&](const delivery_attempt* a) { return get(*a); });
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
  every(type_oid::text, [](at a) { return std::string_view{a.response_body}; });
  every(type_oid::text, [](at a) { return std::string_view{a.error_message}; });
  every(type_oid::float8, [](at a) { return a.duration; });
  every(type_oid::timestamptz, [](at a) { return a.created_at; });
  every(type_oid::timestamptz, [](at a) { return a.next_attempt_at; });
  return out;
}

} // namespace

expected<std::vector<std::optional<error>>>
save_reports(connection& own, std::span<const delivery_report> reports) {
  const auto columns = columns_of(reports);
  using result_t = expected<std::vector<std::optional<error>>>;
  // Safe to do twice: attempts have their ids.
  return own.call(connection::retry::yes, [&](pqxx::connection& c) -> result_t {
    own.prepare("save_deliveries", std::string{save_sql});
    pqxx::params parameters;
    columns.append_to(parameters);
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(pqxx::prepped{"save_deliveries"}, parameters);
    std::set<uuid> held;
    for (const auto& row : rows)
      held.insert(read_uuid(row[0].view()));
    std::vector<std::optional<error>> out;
    for (const auto& report : reports)
      out.push_back(held.contains(report.subscription_id)
                        ? std::nullopt
                        : std::optional{lost_to_another(report)});
    return out;
  });
}

} // namespace eventweft::postgres
