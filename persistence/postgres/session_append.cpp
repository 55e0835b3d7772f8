// SPDX-License-Identifier: Apache-2.0
#include "persistence/batch.hpp"
#include "persistence/postgres/array_columns.hpp"
#include "persistence/postgres/batch_arrays.hpp"
#include "persistence/postgres/joined_append.hpp"
#include "persistence/postgres/rows.hpp"
#include "persistence/postgres/session.hpp"

// What a session does to append.
namespace eventweft::postgres {
namespace {

using retry = connection::retry;
using std::to_string;

// After somebody else was faster, so many batches take the log head first.
constexpr int careful_batches = 32;

// After something was there that was taken for new, so many batches read first:
// where old threads go on, they do so for a while.
constexpr int reading_batches = 4;

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
  auto done = append_isolating(events, [&](auto part) {
    // What is known of the threads holds only as long as nothing is appended
    // beside it.
    return any_keys(part) || threads_.as_of() ? append_joined(part, mode)
                                              : append_batch(part, mode);
  });
  if (done)
    done->threads.lookups = threads_.lookups();
  return done;
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

} // namespace eventweft::postgres
