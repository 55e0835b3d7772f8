// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/spool_worker.hpp"
#include "persistence/store.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace eventweft::testing {

/// A log in memory that keeps the store's contract and fails on demand.
/// Thread-safe.
class memory_log {
 public:
  /// Every call fails with this while it is set.
  std::optional<error> down;
  /// Appends fail with this while it is set; reading works.
  std::optional<error> full;
  /// Only so many calls fail, then `down` is taken away; 0: no limit.
  int down_for = 0;
  /// Appends commit and then report this, once: the outcome got lost.
  std::optional<error> lose_next_answer;
  /// `append_unsynced` leaves events to be made durable.
  bool sync_later = false;
  /// These events' rows are refused, by `event_id`.
  std::set<std::string> refused;
  /// A batch with one of these fails as a whole with `internal`.
  std::set<std::string> poison;
  /// With one of these a batch takes too long, as if the store were away.
  std::set<std::string> endless;
  /// The sizes of the batches that were appended.
  std::vector<size_t> batches;
  std::vector<dead_letter> letters;
  size_t pages_read = 0;
  /// What was asked last for a page of events.
  event_query asked;

  std::vector<event_ptr> events() const;
  seq_t head() const;
  /// Appends without anybody telling the hub.
  seq_t add(event e);
  void set_down(std::optional<error> e);
  /// The store dies and comes back with what was durable.
  void lose_unsynced();
  /// Puts one thread's events into the other, as a store does before it
  /// appends the event that tells.
  void merge(const uuid& from, const uuid& into);
  /// Gives a stored event what it gets late, as a store does with the append of
  /// the event that brings it, or as a backfill does without one.
  void link(const late_link& l);
  /// A sender's id leads to a thread with another one.
  void name(const uuid& id, const uuid& thread);
  /// Threads were changed without an event.
  int64_t thread_version = 0;
  /// Appends say that another writer is in their way.
  bool contended = false;
  /// What the next append says that it changed.
  thread_news news;

 private:
  friend class memory_session;
  /// The last seq that readers may see.
  seq_t shown() const;

  mutable std::recursive_mutex mutex_;
  seq_t durable_ = 0;
  std::vector<event_ptr> events_;
  std::map<std::pair<std::string, std::string>, size_t> by_key_;
  std::map<uuid, uuid> merges_;
};

class memory_session final : public store_session {
 public:
  explicit memory_session(std::shared_ptr<memory_log> log)
      : log_(std::move(log)) {}

  expected<std::vector<append_result>>
  append(std::span<const event_ptr> events) override;
  expected<append_results>
  append_and_join(std::span<const event_ptr> events) override;
  expected<append_results>
  append_unsynced(std::span<const event_ptr> events) override;
  expected<void> make_durable(std::span<const log_mark> appended) override;
  expected<log_head> head() override;
  expected<log_range> read_after(seq_t after, size_t max_events,
                                 size_t max_bytes) override;
  expected<std::optional<event_ptr>> find(const uuid& id) override;
  expected<event_page> query(const event_query& q) override;
  expected<std::vector<uuid>>
  present_threads(std::span<const uuid> ids) override;
  expected<places_page> places(const places_request& r) override;
  expected<seq_t> seq_before(timestamp t) override;
  expected<void> add_dead_letter(const dead_letter& letter) override;
  expected<std::vector<dead_letter>>
  dead_letters(const dead_letter_query& q) override;
  expected<bool> drop_dead_letter(const uuid& id) override;

 private:
  std::optional<error> fault();

  std::shared_ptr<memory_log> log_;
};

/// A spool whose content outlives the actor that uses it.
struct memory_spool_content {
  std::vector<event_ptr> events;
  size_t max_events = 1'000'000;
  std::optional<error> down;
};

class memory_spool final : public spool_port {
 public:
  explicit memory_spool(std::shared_ptr<memory_spool_content> content)
      : content_(std::move(content)) {}

  expected<uint64_t> append(std::span<const event_ptr> events) override;
  expected<std::vector<event_ptr>> peek(size_t max) override;
  expected<uint64_t> drop(size_t count) override;
  expected<spool_state> state() override;

 private:
  /// A hundred an event.
  uint64_t bytes() const { return 100 * content_->events.size(); }

  std::shared_ptr<memory_spool_content> content_;
};

/// A store whose sessions all see the same log.
class memory_store final : public store {
 public:
  explicit memory_store(std::shared_ptr<memory_log> log)
      : log_(std::move(log)) {}

  std::string_view engine() const noexcept override { return "memory"; }
  std::string describe() const override { return "memory"; }
  expected<migration_report> migrate() override { return migration_report{}; }
  expected<migration_report> check_schema() override {
    return migration_report{};
  }
  std::unique_ptr<store_session> open_session() override {
    return std::make_unique<memory_session>(log_);
  }

 private:
  std::shared_ptr<memory_log> log_;
};

/// An event that differs from others by its number only.
event make_event(int number, const std::string& platform = "github",
                 const std::string& type = "push", size_t payload_size = 20);

} // namespace eventweft::testing
