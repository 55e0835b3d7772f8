// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/ports/threads.hpp"
#include "persistence/store.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace eventweft {

/// Reads threads from the store on a thread of its own. What waits is bounded:
/// beyond that the answer is `overloaded`. What still waits when this object
/// goes is answered with `shutting_down`.
class threads_bridge final : public net::threads_port {
 public:
  explicit threads_bridge(std::unique_ptr<thread_store> store);
  ~threads_bridge() override;

  void read(std::string which, seq_t after, size_t limit,
            net::reply_to<std::optional<thread_story>> reply) override;
  void recent(thread_query q,
              net::reply_to<std::vector<thread_summary>> reply) override;
  void resolve(std::vector<std::string> which, filter visible,
               net::reply_to<std::vector<std::optional<uuid>>> reply) override;

 private:
  /// Called with null: the bridge goes away.
  using job = std::function<void(thread_store*)>;

  void put(job j);
  void run(const std::stop_token& stop);

  std::unique_ptr<thread_store> store_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<job> jobs_;
  bool closed_ = false;
  std::jthread thread_;
};

/// The thread that an id of a thread or an event, or a key in any of its
/// spellings, leads to. `not_found` for the first digits of several commits.
expected<std::optional<uuid>> find_thread(thread_store& store,
                                          const std::string& which);

/// The same for who sees only what `visible` lets through, and must not learn
/// of anything else: by a key only if an event that they see is linked by it,
/// by an event's id only if they see that event. Nil for what leads to a thread
/// otherwise.
expected<std::optional<uuid>> find_visible_thread(thread_store& store,
                                                  const std::string& which,
                                                  const filter& visible);

} // namespace eventweft
