// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace eventweft {

/// An event that waits for its outcome.
struct pending_append {
  event_ptr event;
  caf::typed_response_promise<append_outcome> promise;
  timestamp since{};
  /// Another node's: it waits for the outcome, and appends the event by itself
  /// if there is none.
  bool relayed = false;
};

/// What waits in the storage writer: bounded in events and in bytes, taken out
/// in batches that are bounded likewise.
class append_queue {
 public:
  append_queue(size_t max_events, uint64_t max_bytes)
      : max_events_(max_events), max_bytes_(max_bytes) {}

  /// False when it is full. An empty queue takes an event of any size.
  bool has_room_for(const event_ptr& ev) const noexcept;

  void push(pending_append x);

  /// Puts a batch back to where it was taken from, beyond the bounds if need
  /// be.
  void put_back(std::vector<pending_append>&& batch);

  /// The oldest, at most so many events and bytes, but at least one unless
  /// there is none.
  std::vector<pending_append> take(size_t max_events, uint64_t max_bytes);

  /// The oldest; not of an empty queue.
  const pending_append& front() const { return items_.front(); }

  size_t size() const noexcept { return items_.size(); }
  bool empty() const noexcept { return items_.empty(); }

 private:
  size_t max_events_;
  uint64_t max_bytes_;
  uint64_t bytes_ = 0;
  std::deque<pending_append> items_;
};

/// Which events are in the spool, by what makes them unique.
class spool_index {
 public:
  /// The id under which the event is in the spool.
  std::optional<uuid> find(const event& ev) const;
  void add(const event& ev);
  void add(const spooled_event& held);
  /// Only if it is there under this very id.
  void remove(const event& ev);
  size_t size() const noexcept { return ids_.size(); }
  void clear() { ids_.clear(); }

  static std::string key_of(const event& ev);

 private:
  std::unordered_map<std::string, uuid> ids_;
};

} // namespace eventweft
