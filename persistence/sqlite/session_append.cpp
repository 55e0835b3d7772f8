// SPDX-License-Identifier: Apache-2.0
#include "persistence/batch.hpp"
#include "persistence/cached_threads.hpp"
#include "persistence/sqlite/insert.hpp"
#include "persistence/sqlite/rows.hpp"
#include "persistence/sqlite/session.hpp"
#include "persistence/sqlite/thread_tables.hpp"
#include "persistence/thread_batch.hpp"

#include <map>

// What a session does to append.
namespace eventweft::sqlite {
namespace {

// Part by part of the index, the newest first.
constexpr std::string_view lookup_sql =
    "WITH RECURSIVE part (n) AS (SELECT ?4 >> 14 UNION ALL "
    "SELECT n - 1 FROM part WHERE n > (SELECT min(seq) >> 14 FROM events)) "
    "SELECT e.seq, e.id, e.correlation_id, e.parent_event_id "
    "FROM part CROSS JOIN events e INDEXED BY events_key "
    "ON e.seq >> 14 = part.n AND e.event_key = ?1 "
    "WHERE e.platform = CAST(?2 AS TEXT) AND e.event_id = CAST(?3 AS TEXT) "
    "LIMIT 1";

// Reads nothing but the index.
constexpr std::string_view keys_sql =
    "SELECT event_key FROM events INDEXED BY events_key WHERE seq >> 14 >= ?";

std::optional<append_result> find_stored(database& db, const event& e,
                                         int64_t key, seq_t head) {
  auto& q = db.prepared(lookup_sql);
  q.bind(1, key);
  bind_text(q, 2, e.platform);
  bind_text(q, 3, e.event_id);
  q.bind(4, static_cast<int64_t>(head));
  std::optional<append_result> found;
  if (q.executeStep()) {
    auto& outcome = found.emplace().outcome;
    outcome.seq = q.getColumn(0).getInt64();
    outcome.id = uuid::parse(q.getColumn(1).getText()).value_or(uuid{});
    // The event itself, appended before by a call whose end got lost, is no
    // duplicate.
    outcome.duplicate = outcome.id != e.id;
    found->correlation_id = uuid::parse(q.getColumn(2).getText(""));
    found->parent_event_id = uuid::parse(q.getColumn(3).getText(""));
  }
  q.reset();
  return found;
}

} // namespace

/// One attempt at a batch, within one transaction.
class session::batch {
 public:
  batch(database& db, std::span<const event_ptr> events,
        const thread_cache::mark& at, key_filter& known, thread_cache& threads)
      : db_(db),
        events_(events),
        known_(known),
        cache_(threads),
        at_(at),
        head_(at.head) {
    results_.items.resize(events.size());
    cache_.begin(at);
  }

  /// Leaves out what is stored already, comes twice, or can't be stored.
  void sort_out(const std::map<size_t, error>& refused) {
    std::map<std::pair<std::string_view, std::string_view>, size_t> here;
    for (size_t i = 0; i < events_.size(); ++i) {
      const auto& e = *events_[i];
      auto& result = results_.items[i];
      result.outcome.id = e.id;
      if (const auto why = refused.find(i); why != refused.end()) {
        result.refused = why->second;
        continue;
      }
      const auto key = event_key(e.platform, e.event_id);
      if (known_.may_contain(key))
        if (auto stored = find_stored(db_, e, key, at_.head)) {
          result = std::move(*stored);
          continue;
        }
      if (auto member = unstorable_member(e); !member.empty()) {
        result.refused =
            error{ec::row_refused,
                  std::string{member} + " is not UTF-8 or holds NUL"};
        continue;
      }
      const auto [first, fresh] =
          here.try_emplace({e.platform, e.event_id}, fresh_.size());
      if (!fresh) {
        twins_.emplace_back(i, first->second);
        continue;
      }
      fresh_.push_back(events_[i]);
      place_.push_back(i);
      key_.push_back(key);
    }
  }

  expected<void> join(const correlation::join_limits& limits) {
    threads_.resize(fresh_.size());
    parents_.resize(fresh_.size());
    if (any_keys(fresh_)) {
      std::vector<correlation::join_input> inputs;
      for (const auto& e : fresh_)
        inputs.push_back({e->id, e->created_at, e->keys});
      thread_tables tables{db_};
      cached_threads index{cache_, tables};
      auto joined = correlation::join(index, inputs, limits);
      if (!joined)
        return fail(std::move(joined.error()));
      threads_ = joined->threads;
      parents_ = joined->parents;
      joined_ = std::move(*joined);
    }
    for (size_t i = 0; i < fresh_.size(); ++i) {
      if (!threads_[i])
        threads_[i] = fresh_[i]->correlation_id;
      if (!parents_[i])
        parents_[i] = fresh_[i]->parent_event_id;
    }
    return {};
  }

  /// Writes all that is new. The events that are refused are given back: the
  /// batch is to be tried again without them, in another transaction.
  std::map<size_t, error> write() {
    std::map<size_t, error> refused;
    for (size_t i = 0; i < fresh_.size(); ++i) {
      auto& result = results_.items[place_[i]];
      // Also where it is refused: what is left of it may have the number.
      const auto seq = ++head_;
      auto failed =
          insert_one(db_, *fresh_[i], threads_[i], parents_[i], seq, key_[i]);
      if (failed) {
        refused.emplace(place_[i], std::move(*failed));
        continue;
      }
      result.outcome.seq = seq;
      result.correlation_id = threads_[i];
      result.parent_event_id = parents_[i];
      known_.add(key_[i]);
    }
    let_go_of_payloads(db_);
    if (!refused.empty())
      return refused;
    for (const auto& [i, first] : twins_) {
      auto& result = results_.items[i];
      const auto id = result.outcome.id;
      result = results_.items[place_[first]];
      result.outcome.duplicate = result.outcome.id != id;
    }
    if (joined_)
      write_threads();
    return {};
  }

  /// It is committed.
  void committed() {
    cache_.apply(joined_ ? joined_->changes : correlation::thread_changes{},
                 {head_, at_.thread_version, at_.connections});
    results_.threads.lookups = cache_.lookups();
  }

  append_results& results() noexcept { return results_; }
  seq_t head() const noexcept { return head_; }

 private:
  void write_threads() {
    auto merges = write_joined(
        db_, joined_->changes,
        thread_batch::growth_details(fresh_, threads_, at_.head + 1),
        newest(fresh_), head_);
    for (const auto& m : merges)
      known_.add(event_key(m->platform, m->event_id));
    results_.threads = thread_batch::report_of(*joined_, std::move(merges));
  }

  database& db_;
  std::span<const event_ptr> events_;
  key_filter& known_;
  thread_cache& cache_;
  thread_cache::mark at_;
  seq_t head_;
  append_results results_;
  std::vector<event_ptr> fresh_;
  std::vector<size_t> place_;
  std::vector<int64_t> key_;
  /// Events that come again in the batch, and which of `fresh_` they are.
  std::vector<std::pair<size_t, size_t>> twins_;
  std::vector<std::optional<uuid>> threads_;
  std::vector<std::optional<uuid>> parents_;
  std::optional<correlation::join_result> joined_;
};

expected<std::vector<append_result>>
session::append(std::span<const event_ptr> events) {
  return append_and_join(events).map(
      [](append_results&& results) { return std::move(results.items); });
}

expected<append_results>
session::append_and_join(std::span<const event_ptr> events) {
  return append(events, true);
}

expected<append_results>
session::append_unsynced(std::span<const event_ptr> events) {
  return append(events, false);
}

// What can be seen here was committed before this is, and a file forgets
// nothing while the process lives.
expected<void> session::make_durable(std::span<const log_mark> /*appended*/) {
  return database_.call([&](database& db) -> expected<void> {
    const auto head = read_mark(db).head;
    return file_.sync->flush(file_.path, head);
  });
}

expected<append_results> session::append(std::span<const event_ptr> events,
                                         bool wait_for_disk) {
  auto done = database_.call(
      [&](database& db) { return append(db, events, wait_for_disk); });
  if (!done)
    threads_.forget();
  return done;
}

expected<append_results> session::append(database& db,
                                         std::span<const event_ptr> events,
                                         bool wait_for_disk) {
  const bool later = !wait_for_disk && db.wait_for_disk(false);
  if (!later)
    db.wait_for_disk(true);
  // Most of it before anybody has to wait for us.
  learn_keys(db, read_mark(db).head);
  for (std::map<size_t, error> refused;;) {
    write_transaction tx{db};
    const auto at = read_mark(db);
    learn_keys(db, at.head);
    batch attempt{db, events, at, known_, threads_};
    attempt.sort_out(refused);
    if (auto joined = attempt.join(limits_); !joined)
      return fail(std::move(joined.error()));
    if (auto more = attempt.write(); !more.empty()) {
      refused.merge(more);
      continue;
    }
    if (attempt.head() != at.head) {
      auto& update = db.prepared("UPDATE log_head SET last_seq = ?");
      update.bind(1, static_cast<int64_t>(attempt.head()));
      update.exec();
    }
    const auto durable = commit(tx, at.head, attempt, later);
    known_seq_ = attempt.head();
    if (!durable)
      return fail(durable.error());
    attempt.committed();
    return std::move(attempt.results());
  }
}

expected<void> session::commit(write_transaction& tx, seq_t before, batch& done,
                               bool later) {
  const auto head = done.head();
  if (!later) {
    tx.commit();
    // A transaction that writes nothing leaves the disk alone: what it found
    // may have been committed without it.
    if (head == before)
      return file_.sync->flush(file_.path, head);
    file_.sync->synced(head);
    return {};
  }
  file_.sync->committing(before, head);
  try {
    tx.commit();
  } catch (...) {
    file_.sync->not_committed(before);
    throw;
  }
  // The log's end, whatever it is: what is a duplicate is before it.
  done.results().unsynced.push_back({head, {}, {}});
  return {};
}

void session::learn_keys(database& db, seq_t head) {
  // A log that got shorter is another file.
  if (head < known_seq_) {
    known_ = {};
    known_seq_ = 0;
  }
  if (head == known_seq_)
    return;
  auto& q = db.prepared(keys_sql);
  q.bind(1, static_cast<int64_t>(known_seq_ >> 14));
  while (q.executeStep())
    known_.add(q.getColumn(0).getInt64());
  q.reset();
  known_seq_ = head;
}

} // namespace eventweft::sqlite
