// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/uuid.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventweft::codec {

/// The two threads that an event of type `correlation:merged` tells of: the one
/// that is no more, and the one that it is part of by now. Nothing for other
/// events.
std::optional<std::pair<uuid, uuid>> merge_told_by(const event& ev);

/// Under which other ids the threads are found that filters ask for. Threads
/// merge, but a filter that names one goes on with it: its id is watched for as
/// long as the filter is there, and an event of a thread matches whoever asks
/// for one of that thread's former ids. Knows what is watched and nothing else,
/// so it is as large as the filters are.
///
/// Ids are made once and for all, and a thread that was merged stays merged:
/// what is known holds in the whole process, and a name is never taken back.
/// Thread-safe.
class thread_names {
 public:
  thread_names() = default;
  thread_names(const thread_names&) = delete;
  thread_names& operator=(const thread_names&) = delete;

  /// The one that all filters of this process use.
  static thread_names& shared();

  /// The ids are watched until the last copy of the answer is gone; null if
  /// there are none. This must outlive it.
  std::shared_ptr<const void> watch(std::vector<uuid> ids);

  /// Each once.
  std::vector<uuid> watched() const;

  /// A thread became part of another one, or an id that a sender gave to its
  /// thread leads to this one.
  void merged(const uuid& from, const uuid& into);

  /// The store says that `ids[i]` are found as `present[i]` now.
  void found(std::span<const uuid> ids, std::span<const uuid> present);

  /// Grows whenever what the store said was not known. Events read from the
  /// store have the ids of that moment. Whoever then asks it for what is
  /// watched, and finds this as it was before he read, knows all their names;
  /// else he has to read again.
  uint64_t news() const noexcept { return news_; }

  /// The watched ids, other than its own, that lead to the thread with this
  /// id, which may be a former one itself.
  std::vector<uuid> leading_to(const uuid& id) const;

 private:
  struct entry {
    size_t holders = 0;
    std::vector<uuid> names;
  };

  void forget(const std::vector<uuid>& ids);
  /// Whether it is new.
  bool add(const uuid& id, uuid name);

  mutable std::shared_mutex mutex_;
  std::unordered_map<uuid, entry> watched_;
  /// Those watched ids that have the key among their names.
  std::unordered_map<uuid, std::vector<uuid>> by_name_;
  std::atomic<size_t> names_{0};
  std::atomic<uint64_t> news_{0};
  /// The latest merges: what the store says of an id may be older than they
  /// are.
  std::unordered_map<uuid, uuid> recent_;
  std::deque<uuid> recent_order_;
};

} // namespace eventweft::codec
