// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/nodes.hpp"

#include "persistence/postgres/rows.hpp"

#include <algorithm>
#include <charconv>

namespace eventweft::postgres {
namespace {

using retry = connection::retry;
using std::chrono::milliseconds;

constexpr milliseconds longest_statement{3'000};
constexpr milliseconds longest_connect{3'000};

store_options quick(store_options o) {
  o.statement_timeout = std::min(o.statement_timeout, longest_statement);
  o.lock_timeout = std::min(o.lock_timeout, longest_statement);
  o.connect_timeout = std::min(o.connect_timeout, longest_connect);
  return o;
}

std::string interval_text(milliseconds t) {
  return std::to_string(t.count()) + " milliseconds";
}

milliseconds read_milliseconds(const pqxx::field& f) {
  return milliseconds{static_cast<int64_t>(f.as<double>())};
}

node_state read_state(std::string_view text) {
  return text == "draining" ? node_state::draining
         : text == "left"   ? node_state::left
                            : node_state::up;
}

constexpr std::string_view node_columns =
    "SELECT name, incarnation, address, http, protocol_min, protocol, "
    "capabilities, state, started_at, greatest(0, "
    "extract(epoch FROM clock_timestamp() - heartbeat_at) * 1000)::float8, "
    "processors, extract(epoch FROM dead_after)::float8 * 1000, runs ";

std::vector<node_record> read_nodes(const pqxx::result& rows) {
  std::vector<node_record> all;
  for (const auto& row : rows) {
    node_record n;
    n.name = row[0].view();
    n.incarnation = read_uuid(row[1].view());
    n.address = row[2].view();
    n.http = row[3].view();
    n.protocol_min = row[4].as<uint32_t>();
    n.protocol = row[5].as<uint32_t>();
    n.capabilities = row[6].view();
    n.state = read_state(row[7].view());
    n.started = read_time(row[8].view());
    n.silent = read_milliseconds(row[9]);
    if (!row[10].is_null())
      n.processors = read_texts(row[10]);
    if (!row[11].is_null())
      n.dead_after = read_milliseconds(row[11]);
    if (!row[12].is_null())
      n.runs = read_texts(row[12]);
    all.push_back(std::move(n));
  }
  return all;
}

} // namespace

nodes::nodes(store_options options, watchdog_ptr dog)
    : live_(quick(std::move(options)), std::move(dog)) {}

expected<uuid> nodes::store_id() {
  return live_.call(retry::yes, [&](pqxx::connection& c) -> expected<uuid> {
    pqxx::nontransaction tx{c};
    return read_uuid(
        tx.exec("SELECT store_id FROM cluster").one_field().view());
  });
}

expected<std::vector<node_record>> nodes::beat(const node_record& me,
                                               milliseconds dead_after) {
  using result_t = expected<std::vector<node_record>>;
  return live_.call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::params p;
    p.append(me.name);
    p.append(to_string(me.incarnation));
    p.append(me.address);
    p.append(me.http);
    p.append(static_cast<int64_t>(me.protocol_min));
    p.append(static_cast<int64_t>(me.protocol));
    p.append(me.capabilities);
    p.append(std::string{to_string(me.state)});
    for (const auto* told : {&me.processors, &me.runs})
      if (*told)
        p.append(**told);
      else
        p.append();
    p.append(interval_text(dead_after));
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(std::string{node_columns} +
                            "FROM beat_node($1, $2::uuid, $3, $4, $5::int, "
                            "$6::int, $7, $8, $9::text[], $10::text[], "
                            "$11::interval)",
                        p);
    if (rows.empty())
      return fail(ec::conflict,
                  "another node of the name " + me.name + " is alive");
    return read_nodes(rows);
  });
}

expected<std::vector<node_record>> nodes::all() {
  using result_t = expected<std::vector<node_record>>;
  return live_.call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    return read_nodes(
        tx.exec(std::string{node_columns} +
                "FROM cluster_nodes "
                "WHERE heartbeat_at > clock_timestamp() - interval '1 day' "
                "ORDER BY name"));
  });
}

expected<std::vector<fence>> nodes::claim(const std::string& owner,
                                          const std::vector<std::string>& works,
                                          milliseconds ttl) {
  using result_t = expected<std::vector<fence>>;
  // Twice is as good as once: what the first attempt took is renewed.
  return live_.call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec("SELECT work, token FROM claim_leases($1, $2::text[], "
                        "$3::interval)",
                        pqxx::params{owner, works, interval_text(ttl)});
    std::vector<fence> held;
    for (const auto& row : rows)
      held.push_back({std::string{row[0].view()}, row[1].as<int64_t>()});
    return held;
  });
}

expected<void> nodes::release(const std::string& owner,
                              const std::vector<std::string>& works) {
  return live_.call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::nontransaction tx{c};
    tx.exec("SELECT release_leases($1, $2::text[])",
            pqxx::params{owner, works});
    return {};
  });
}

expected<void> nodes::leave(const node_record& me) {
  return live_.call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::work tx{c};
    tx.exec("SELECT release_leases($1, NULL)", pqxx::params{me.owner()});
    tx.exec("UPDATE cluster_nodes SET state = 'left', "
            "heartbeat_at = clock_timestamp() "
            "WHERE name = $1 AND incarnation = $2::uuid",
            pqxx::params{me.name, to_string(me.incarnation)});
    tx.commit();
    return {};
  });
}

expected<std::vector<lease_record>> nodes::leases() {
  using result_t = expected<std::vector<lease_record>>;
  return live_.call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "SELECT work, owner, token, greatest(0, least(86400000, "
        "extract(epoch FROM expires_at - clock_timestamp()) * 1000))::float8 "
        "FROM leases WHERE owner <> '' AND expires_at > clock_timestamp() "
        "ORDER BY work");
    std::vector<lease_record> all;
    for (const auto& row : rows)
      all.push_back({std::string{row[0].view()}, std::string{row[1].view()},
                     row[2].as<int64_t>(), read_milliseconds(row[3])});
    return all;
  });
}

expected<void> nodes::forget_leases(milliseconds age) {
  return live_.call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::nontransaction tx{c};
    // Under a fence somebody may still write: that is for the next time.
    tx.exec("DELETE FROM leases l USING ("
            "SELECT o.work FROM leases o "
            "WHERE o.expires_at < clock_timestamp() - $1::interval "
            "LIMIT 10000 FOR UPDATE SKIP LOCKED) d WHERE l.work = d.work",
            pqxx::params{interval_text(age)});
    return {};
  });
}

expected<void> nodes::forget_nodes(milliseconds age) {
  return live_.call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::nontransaction tx{c};
    tx.exec("DELETE FROM cluster_nodes "
            "WHERE heartbeat_at < clock_timestamp() - $1::interval",
            pqxx::params{interval_text(age)});
    return {};
  });
}

expected<void> nodes::ring(const std::string& text) {
  return live_.call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::nontransaction tx{c};
    tx.exec("SELECT pg_notify('eventweft_bell', $1)", pqxx::params{text});
    return {};
  });
}

} // namespace eventweft::postgres
