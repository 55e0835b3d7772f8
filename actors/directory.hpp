// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/protocols.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft {

/// Several actors that do the same work side by side. Thread-safe.
template <class Handle>
class handle_pool {
 public:
  /// Places `h`, which may be null, at `index`.
  void set(size_t index, Handle h) {
    std::lock_guard guard{mutex_};
    if (handles_.size() <= index)
      handles_.resize(index + 1);
    handles_[index] = std::move(h);
  }

  /// The one at `index`; null if it is not there or restarting.
  Handle at(size_t index) const {
    std::lock_guard guard{mutex_};
    return index < handles_.size() ? handles_[index] : Handle{};
  }

  /// Each in turn; null when none is there.
  Handle next() {
    std::lock_guard guard{mutex_};
    for (size_t n = 0; n < handles_.size(); ++n)
      if (const auto& h = handles_[turn_++ % handles_.size()])
        return h;
    return Handle{};
  }

  void clear() {
    std::lock_guard guard{mutex_};
    handles_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Handle> handles_;
  size_t turn_ = 0;
};

/// One actor, null while it restarts. Thread-safe.
template <class Handle>
class handle_slot {
 public:
  void set(Handle h) {
    std::lock_guard guard{mutex_};
    handle_ = std::move(h);
  }

  Handle get() const {
    std::lock_guard guard{mutex_};
    return handle_;
  }

 private:
  mutable std::mutex mutex_;
  Handle handle_;
};

/// Who is where right now. The supervisor keeps it up to date; everybody else
/// looks handles up when needed and does not keep them, so that a restarted
/// actor is found. Thread-safe.
class directory {
 public:
  handle_slot<storage_writer_actor> writer;
  handle_slot<storage_reader_actor> reader;
  handle_slot<stream_hub_actor> hub;
  handle_slot<dead_letters_actor> dead_letters;
  handle_slot<processing_journal_actor> journal;
  handle_slot<processing_engine_actor> engine;
  handle_slot<spool_worker_actor> spool_worker;
  handle_slot<subscription_worker_actor> subscription_worker;
  handle_slot<delivery_recorder_actor> delivery_recorder;
  handle_slot<subscriptions_actor> subscriptions;
  /// The writer's own workers: one appends, one makes durable. The others are
  /// the reader's.
  handle_slot<store_worker_actor> write_worker;
  handle_slot<store_worker_actor> sync_worker;
  handle_pool<store_worker_actor> read_workers;
  handle_pool<asker_actor> askers;

  /// The next worker for a platform; null if there is none.
  platform_actor platform(std::string_view name);
  void set_platform(const std::string& name, size_t index, platform_actor h);

  /// Who takes back dead letters whose origin is of that kind ("processor",
  /// "subscription", …); null if nobody does.
  letter_taker_actor letter_taker(std::string_view kind);
  void set_letter_taker(const std::string& kind, letter_taker_actor h);

  /// Forgets everybody. For the end of the program: a handle must not outlive
  /// its actor system.
  void clear();

 private:
  std::mutex mutex_;
  std::map<std::string, handle_pool<platform_actor>, std::less<>> platforms_;
  std::map<std::string, letter_taker_actor, std::less<>> letter_takers_;
};

} // namespace eventweft
