// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/session.hpp"

#include "codec/dead_letter_json.hpp"
#include "correlation/keys.hpp"
#include "persistence/batch.hpp"
#include "persistence/postgres/array_columns.hpp"
#include "persistence/postgres/batch_arrays.hpp"
#include "persistence/postgres/joined_append.hpp"
#include "persistence/postgres/query.hpp"
#include "persistence/postgres/rows.hpp"

namespace eventweft::postgres {
namespace {

using retry = connection::retry;
using std::to_string;

// After somebody else was faster, so many batches take the log head first.
constexpr int careful_batches = 32;

// After something was there that was taken for new, so many batches read first:
// where old threads go on, they do so for a while.
constexpr int reading_batches = 4;

seq_t durable_seq(pqxx::transaction_base& tx) {
  return tx.exec("SELECT seq FROM log_durable").one_field().as<seq_t>();
}

std::string append_call(commit_mode mode) {
  const std::string call =
      "append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
      "$14, $15, $16, $17, $18, $19, $20, $21, $22)";
  if (mode == commit_mode::sync)
    return "SELECT id, seq, duplicate, correlation_id, parent_event_id FROM " +
           call;
  // What is in FROM is called first.
  return "SELECT (a.r).id, (a.r).seq, (a.r).duplicate, (a.r).correlation_id, "
         "(a.r).parent_event_id FROM (SELECT " +
         call + " AS r FROM commit_async()) a";
}

} // namespace

expected<std::vector<append_result>>
session::append(std::span<const event_ptr> events) {
  return append_and_join(events).map(
      [](append_results&& results) { return std::move(results.items); });
}

expected<append_results>
session::append_and_join(std::span<const event_ptr> events) {
  auto done = append(events, commit_mode::sync);
  // What was there already may be somebody's who has not made it durable yet.
  if (done && !done->unsynced.empty()) {
    if (auto durable = make_durable(done->unsynced); !durable)
      return fail(std::move(durable.error()));
    done->unsynced.clear();
  }
  return done;
}

expected<append_results>
session::append_unsynced(std::span<const event_ptr> events) {
  return append(events, commit_mode::async);
}

expected<void> session::make_durable(std::span<const log_mark> appended) {
  array_columns columns;
  columns.add(type_oid::int8, appended,
              [](const log_mark& mark) { return int64_t{mark.seq}; });
  columns.add(
      type_oid::uuid, appended,
      [](const log_mark& mark) -> const auto& { return mark.id; });
  columns.add(
      type_oid::timestamptz, appended,
      [](const log_mark& mark) -> const auto& { return mark.created_at; });
  pqxx::params parameters;
  columns.append_to(parameters);
  auto sync = [&](connection& own, pqxx::connection& c) -> expected<void> {
    own.prepare("make_durable", "SELECT make_durable($1, $2, $3)");
    pqxx::nontransaction tx{c};
    const bool there = tx.exec(pqxx::prepped{"make_durable"}, parameters)
                           .one_field()
                           .as<bool>();
    if (!there)
      return fail(ec::store_unavailable,
                  "the server has lost events that it had just taken");
    return {};
  };
  return pool_->with_connection([&](connection& own) {
    return own.call(retry::yes,
                    [&](pqxx::connection& c) { return sync(own, c); });
  });
}

expected<append_results> session::append(std::span<const event_ptr> events,
                                         commit_mode mode) {
  return append_isolating(events, [&](auto part) {
    return any_keys(part) ? append_joined(part, mode)
                          : append_batch(part, mode);
  });
}

expected<append_results>
session::append_batch(std::span<const event_ptr> events, commit_mode mode) {
  using result_t = expected<append_results>;
  std::vector<event_row> rows;
  rows.reserve(events.size());
  for (const auto& e : events)
    rows.push_back({&*e, e->correlation_id, e->parent_event_id});
  array_columns columns;
  add_event_columns(columns, rows);
  pqxx::params parameters;
  columns.append_to(parameters);
  const auto* name = mode == commit_mode::async ? "append_async" : "append";
  // Safe to do twice: what the first attempt may have committed is found
  // again by its key.
  auto append = [&](connection& own, pqxx::connection& c) -> result_t {
    own.prepare(name, append_call(mode));
    // One statement is one transaction: nothing but one round trip.
    pqxx::nontransaction tx{c};
    auto stored = tx.exec(pqxx::prepped{name}, parameters);
    if (static_cast<size_t>(stored.size()) != events.size())
      return fail(ec::internal, "append_events answered " +
                                    to_string(stored.size()) + " rows for " +
                                    to_string(events.size()) + " events");
    append_results results;
    results.items.reserve(events.size());
    std::optional<log_mark> last;
    bool fresh = false;
    for (const auto& row : stored) {
      append_result one;
      one.outcome.id = read_uuid(row[0].view());
      one.outcome.seq = row[1].as<seq_t>();
      // The event itself, appended before by a call whose end got lost, is
      // no duplicate.
      one.outcome.duplicate =
          row[2].as<bool>() &&
          one.outcome.id != events[results.items.size()]->id;
      one.correlation_id = maybe_uuid(row[3]);
      one.parent_event_id = maybe_uuid(row[4]);
      log_mark mark{one.outcome.seq, one.outcome.id};
      if (!row[2].as<bool>()) {
        mark.created_at = events[results.items.size()]->created_at;
        fresh = true;
      }
      keep_later(last, mark);
      results.items.push_back(std::move(one));
    }
    if (last && (mode == commit_mode::async || !fresh))
      results.unsynced.push_back(*last);
    return results;
  };
  return pool_->with_connection([&](connection& own) {
    return own.call(retry::yes,
                    [&](pqxx::connection& c) { return append(own, c); });
  });
}

// What the session knows of the threads from its last batches need not be read,
// and most of what it does not know is new: alone, a batch costs one round
// trip, or two where it reads first. That goes without the log head, which is
// taken only to write; where somebody else appends at the same time, it is
// taken first.
expected<std::optional<append_results>>
session::append_joined_once(std::span<const event_ptr> events, commit_mode mode,
                            connection& own, pqxx::connection& c) {
  if (careful_ > 0) {
    pqxx::work tx{c};
    auto done =
        joined_append{own, tx, limits_, threads_, mode}.run(events, true);
    if (done)
      tx.commit();
    return done;
  }
  pqxx::nontransaction tx{c};
  const auto& known = threads_.as_of();
  if (reading_ == 0 && known && known->connections == own.made()) {
    joined_append unread{own, tx, limits_, threads_, mode};
    auto done = unread.run_unread(events);
    if (!done || *done)
      return done;
    if (unread.was_wrong())
      reading_ = reading_batches;
  } else if (reading_ > 0) {
    --reading_;
  }
  return joined_append{own, tx, limits_, threads_, mode}.run(events, false);
}

expected<append_results>
session::append_joined(std::span<const event_ptr> events, commit_mode mode) {
  using result_t = expected<std::optional<append_results>>;
  bool contended = careful_ > 0;
  for (;;) {
    const bool careful = careful_ > 0;
    auto done = pool_->with_connection([&](connection& own) {
      return own.call(retry::yes, [&](pqxx::connection& c) -> result_t {
        return append_joined_once(events, mode, own, c);
      });
    });
    if (!done || !*done)
      threads_.forget();
    if (!done)
      return fail(std::move(done.error()));
    if (careful)
      --careful_;
    if (*done) {
      (*done)->contended = contended;
      return std::move(**done);
    }
    contended = true;
    careful_ = careful_batches;
  }
}

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
    return correlation::correlation_id_key(to_string(one));
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
