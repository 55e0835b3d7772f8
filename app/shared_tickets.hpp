// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/tickets.hpp"
#include "net/backend.hpp"
#include "persistence/tickets.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace eventweft {

/// What `auth::ticket_office` is for one process, for all nodes that share a
/// store. The store is asked on a thread of its own, one ticket after the
/// other; replies come on that thread, or at once where nothing has to be
/// asked. Bounded: `overloaded` where too many wait. Thread-safe.
class shared_tickets {
 public:
  /// `time` and `random` outlive it; `store` is not null.
  shared_tickets(std::unique_ptr<ticket_store> store,
                 auth::ticket_options options, const clock& time,
                 random_source& random);
  /// Who still waits is told `shutting_down`.
  ~shared_tickets();
  shared_tickets(const shared_tickets&) = delete;
  shared_tickets& operator=(const shared_tickets&) = delete;

  /// See `auth::ticket_office::issue`.
  void issue(const auth::principal& who, std::string_view stream,
             net::reply_to<std::string> reply);

  /// See `auth::ticket_office::redeem`.
  void redeem(std::string_view ticket, std::string_view stream,
              net::reply_to<auth::principal> reply);

 private:
  struct job {
    /// The store's error if it did not answer; whoever asked was answered.
    std::function<expected<void>(ticket_store&)> work;
    std::function<void(error)> refuse;
  };

  void put(job wanted);
  void run(const std::stop_token& stop);
  void refuse_all(const error& why);

  const auth::ticket_options options_;
  const clock& time_;
  random_source& random_;
  std::unique_ptr<ticket_store> store_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<job> jobs_;
  /// Last: it uses all of the above.
  std::jthread thread_;
};

} // namespace eventweft
