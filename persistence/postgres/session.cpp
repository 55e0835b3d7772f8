// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/session.hpp"

#include "codec/dead_letter_json.hpp"
#include "correlation/keys.hpp"
#include "persistence/batch.hpp"
#include "persistence/postgres/array_columns.hpp"
#include "persistence/postgres/query.hpp"
#include "persistence/postgres/rows.hpp"

// What a session reads, and its dead letters; appending is in
// session_append.cpp.
namespace eventweft::postgres {
namespace {

using retry = connection::retry;
using std::to_string;

seq_t durable_seq(pqxx::transaction_base& tx) {
  return tx.exec("SELECT seq FROM log_durable").one_field().as<seq_t>();
}

} // namespace

expected<log_head> session::head() {
  return pool_->call(retry::yes,
                     [&](pqxx::connection& c) -> expected<log_head> {
                       pqxx::nontransaction tx{c};
                       return log_head{durable_seq(tx)};
                     });
}

expected<log_range> session::read_after(seq_t after, size_t max_events,
                                        size_t max_bytes) {
  using result_t = expected<log_range>;
  auto read = [&](connection& own, pqxx::connection& c) -> result_t {
    // The inner query reads no payload: it finds the last event that fits. It
    // goes along the index; how far the log is durable is asked of what it
    // found, since the planner can't know how little that leaves out.
    own.prepare(
        "read_after",
        "SELECT " + std::string{event_columns} +
            " FROM events WHERE seq > $1::bigint AND seq <= ("
            "SELECT coalesce(max(t.seq) FILTER (WHERE t.total <= $3::bigint), "
            "min(t.seq)) FROM ("
            "SELECT w.seq, sum(w.payload_bytes::bigint) OVER (ORDER BY w.seq) "
            "AS total FROM ("
            "SELECT seq, payload_bytes FROM events WHERE seq > $1::bigint "
            "ORDER BY seq LIMIT $2::bigint) w "
            "WHERE w.seq <= (SELECT d.seq FROM log_durable d)) t) "
            "ORDER BY seq");
    pqxx::nontransaction tx{c};
    constexpr auto most = static_cast<size_t>(INT64_MAX);
    auto rows = tx.exec(pqxx::prepped{"read_after"},
                        pqxx::params{after, std::min(max_events, most),
                                     std::min(max_bytes, most)});
    log_range range{after + 1, after, {}};
    range.events.reserve(static_cast<size_t>(rows.size()));
    for (const auto& row : rows)
      range.events.push_back(read_event(row));
    if (!range.events.empty())
      range.last = range.events.back()->seq;
    return range;
  };
  return pool_->with_connection([&](connection& own) {
    return own.call(retry::yes,
                    [&](pqxx::connection& c) { return read(own, c); });
  });
}

expected<std::optional<event_ptr>> session::find(const uuid& id) {
  using result_t = expected<std::optional<event_ptr>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    return find_event(tx, id);
  });
}

expected<event_page> session::query(const event_query& q) {
  return pool_->call(
      retry::yes, [&](pqxx::connection& c) -> expected<event_page> {
        pqxx::nontransaction tx{c};
        // As a number, which the planner can estimate with.
        auto question = page_statement(q, durable_seq(tx));
        auto rows = tx.exec(question.sql, question.parameters);
        event_page page;
        auto count = std::min(static_cast<size_t>(rows.size()), q.limit);
        page.events.reserve(count);
        for (size_t i = 0; i < count; ++i)
          page.events.push_back(read_event(rows[static_cast<int>(i)]));
        if (count == 0)
          return page;
        const bool full = rows[static_cast<int>(count) - 1].back().as<bool>();
        if (full || static_cast<size_t>(rows.size()) > q.limit)
          page.next_cursor = page.events.back()->seq;
        return page;
      });
}

expected<std::vector<uuid>>
session::present_threads(std::span<const uuid> ids) {
  using result_t = expected<std::vector<uuid>>;
  array_columns columns;
  columns.add(
      type_oid::uuid, ids, [](const uuid& one) -> const auto& { return one; });
  columns.add(type_oid::text, ids, [](const uuid& one) {
    return correlation::correlation_id_key(one);
  });
  pqxx::params parameters;
  columns.append_to(parameters);
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    const auto rows =
        tx.exec("SELECT coalesce(m.thread_id, k.thread_id, a.id) "
                "FROM unnest($1::uuid[], $2::text[]) "
                "WITH ORDINALITY AS a (id, key, place) "
                "LEFT JOIN correlation_merges m ON m.old_id = a.id "
                "LEFT JOIN correlation_keys k ON k.key = a.key "
                "ORDER BY a.place",
                parameters);
    std::vector<uuid> out;
    out.reserve(ids.size());
    for (const auto& row : rows)
      out.push_back(read_uuid(row[0].view()));
    return out;
  });
}

expected<places_page> session::places(const places_request& r) {
  return pool_->call(
      retry::yes, [&](pqxx::connection& c) -> expected<places_page> {
        pqxx::nontransaction tx{c};
        places_page page;
        // Before the events: a change between the two is found later.
        page.version = tx.exec("SELECT thread_version FROM log_head")
                           .one_field()
                           .as<int64_t>();
        page.last = r.last;
        if (r.after >= r.last)
          return page;
        const auto rows = tx.exec(
            "SELECT seq, correlation_id, parent_event_id FROM events "
            "WHERE seq > $1::bigint AND seq <= $2::bigint "
            "AND (correlation_id IS NOT NULL OR parent_event_id IS NOT NULL) "
            "ORDER BY seq LIMIT $3::bigint",
            pqxx::params{r.after, r.last, static_cast<int64_t>(r.max_events)});
        page.events.reserve(static_cast<size_t>(rows.size()));
        for (const auto& row : rows)
          page.events.push_back(
              {row[0].as<seq_t>(), maybe_uuid(row[1]), maybe_uuid(row[2])});
        if (page.events.size() == r.max_events)
          page.last = page.events.back().seq;
        return page;
      });
}

expected<seq_t> session::seq_before(timestamp t) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<seq_t> {
    pqxx::nontransaction tx{c};
    auto row =
        tx.exec("SELECT least((SELECT min(seq) - 1 FROM events "
                "WHERE created_at >= $1), (SELECT seq FROM log_durable))",
                pqxx::params{time_text(t)});
    return row.one_field().as<seq_t>();
  });
}

expected<void> session::add_dead_letter(const dead_letter& letter) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::nontransaction tx{c};
    pqxx::params p;
    p.append(to_string(letter.id));
    p.append(time_text(letter.created_at));
    p.append(storable_text(letter.origin));
    p.append(storable_text(letter.reason));
    p.append(static_cast<int32_t>(letter.attempts));
    p.append(storable_text(codec::attempts_json(letter.history)));
    if (letter.event_id)
      p.append(to_string(*letter.event_id));
    else
      p.append();
    p.append(letter.event_seq);
    p.append(storable_text(letter.platform));
    p.append(storable_text(letter.event_type));
    p.append(pqxx::binary_cast(letter.body));
    tx.exec("INSERT INTO dead_letters (" + std::string{dead_letter_columns} +
                ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
                "ON CONFLICT (id) DO NOTHING",
            p);
    return {};
  });
}

expected<std::vector<dead_letter>>
session::dead_letters(const dead_letter_query& q) {
  using result_t = expected<std::vector<dead_letter>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    auto question = dead_letters_statement(q);
    pqxx::nontransaction tx{c};
    std::vector<dead_letter> letters;
    for (const auto& row : tx.exec(question.sql, question.parameters))
      letters.push_back(read_dead_letter(row, q.bodies));
    return letters;
  });
}

expected<bool> session::drop_dead_letter(const uuid& id) {
  return pool_->call(retry::no, [&](pqxx::connection& c) -> expected<bool> {
    pqxx::nontransaction tx{c};
    auto done = tx.exec("DELETE FROM dead_letters WHERE id = $1",
                        pqxx::params{to_string(id)});
    return done.affected_rows() != 0;
  });
}

} // namespace eventweft::postgres
