// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "delivery/progress.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/flow.hpp"
#include "messages/processing.hpp"
#include "persistence/store.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventweft::memory {

/// The latest events, which all sessions of a store share, and what processors
/// remember of them. Older events are let go of, but for those that a processor
/// has in hand or has not come to: these stay, and where they take all the room
/// that there is, nothing is appended. Thread-safe.
class shared_log {
 public:
  shared_log(size_t max_events, size_t max_bytes, memory_hooks hooks);

  /// `store_full`, and nothing is appended, while there is no room. One that is
  /// full is so until a quarter of it is free, or all that somebody needs is
  /// gone.
  expected<std::vector<append_result>>
  append(std::span<const event_ptr> events);

  seq_t head() const;
  log_range read_after(seq_t after, size_t max_events, size_t max_bytes) const;
  std::optional<event_ptr> find(const uuid& id) const;
  event_page query(const event_query& q) const;
  seq_t seq_before(timestamp t) const;

  /// As `processing_store` has them.
  std::vector<processing::stored_mark> marks(std::string_view processor) const;
  processing::named_marks all_marks() const;
  expected<void> record(std::string_view processor,
                        const processing::changes& what);

 private:
  /// How far a processor is with an event.
  struct work_done {
    /// The key of `processors_`.
    const std::string* who = nullptr;
    processing::status status = processing::status::pending;
    std::optional<timestamp> completed_at;
    double seconds = 0;
  };

  struct entry {
    event_ptr event;
    std::vector<work_done> work;
  };

  struct feed {
    processing::stored_mark stored;
    delivery::progress_mark mark;

    /// Of an event that it would bring.
    bool has_read(const event& ev) const;
    bool has_in_hand(seq_t seq) const;
  };

  struct processor {
    std::map<std::string, feed> feeds;
    /// Whether there is one of that name, as it was asked for last.
    bool runs = false;

    bool has_in_hand(seq_t seq) const;
    bool has_read(const event& ev) const;
  };

  struct sizes {
    size_t events = 0;
    size_t bytes = 0;

    void add(const event& ev) {
      ++events;
      bytes += ev.footprint();
    }
    void remove(const event& ev) {
      --events;
      bytes -= ev.footprint();
    }
  };

  using delivery_key = std::pair<std::string, std::string>;

  // -- with the mutex held ---------------------------------------------------

  std::optional<seq_t> known_seq(const event& ev) const;
  append_result append_one(const event& ev);
  bool make_room(std::span<const event_ptr> events);
  /// Whether what is needed of these, too, would not be too much.
  bool fits(std::span<const event_ptr> events, const sizes& most) const;
  bool is_over(const sizes& most) const;
  /// Of the oldest, until no more than that is left, or `at_least` of the
  /// latest.
  void let_go(const sizes& most, size_t at_least);
  /// What was needed and is not any more.
  void let_go_of_held(const sizes& most);
  bool is_needed(const event& ev) const;
  /// By a processor's filter.
  bool is_wanted(const event& ev) const;
  void look_who_runs();
  void forget(const event& ev);

  /// Null if it is gone.
  const entry* place_of(seq_t seq) const;
  entry* place_of(seq_t seq);
  /// Of the first of the latest events with seq > after; there are no holes.
  size_t index_after(seq_t after) const;
  /// Each event with seq > after, in order, until `f` says false.
  template <class F>
  void upwards(seq_t after, F f) const;
  /// Each with seq < before, or each if that is 0, backwards.
  template <class F>
  void downwards(seq_t before, F f) const;

  void write_work(const std::string& who, const processing::status_row& row);
  /// Whether the event is processed by now, and how long that took.
  void settle(const processing::status_row& row);
  bool is_settled(const entry& e, const processing::status_row& row) const;

  // --------------------------------------------------------------------------

  const size_t max_events_;
  const size_t max_bytes_;
  const memory_hooks hooks_;
  mutable std::mutex mutex_;
  /// Would be gone if nobody needed them; all before those in `latest_`.
  std::map<seq_t, entry> held_;
  sizes held_sizes_;
  std::deque<entry> latest_;
  std::unordered_map<uuid, seq_t> by_id_;
  std::map<delivery_key, seq_t> by_delivery_;
  std::map<std::string, processor, std::less<>> processors_;
  /// Since it was last looked who needs what.
  bool marks_changed_ = false;
  bool full_ = false;
  size_t bytes_ = 0;
  seq_t head_ = 0;
};

} // namespace eventweft::memory
