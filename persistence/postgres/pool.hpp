// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/postgres/connection.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace eventweft::postgres {

/// The connections of one store, lent out call by call: never more than
/// `max_connections`; those above `min_connections` are closed when nobody has
/// used them for a minute. A connection that broke is not kept. A thread gets
/// the connection that it had before, if that is free: the server's process at
/// the other end has its plans and catalogs at hand.
/// Thread-safe.
class connection_pool {
 public:
  connection_pool(store_options options, watchdog_ptr dog);

  /// Runs `work` on a connection that nobody else uses, see
  /// `connection::call`. Waits for one for as long as connecting may take;
  /// `store_unavailable` after that.
  template <class Work>
  auto call(connection::retry again, Work&& work)
      -> decltype(work(std::declval<pqxx::connection&>())) {
    return with_connection(
        [&](connection& c) { return c.call(again, std::forward<Work>(work)); });
  }

  /// The same with the connection's own interface, for prepared statements.
  template <class Work>
  auto with_connection(Work&& work)
      -> decltype(work(std::declval<connection&>())) {
    auto lent = acquire();
    if (!lent)
      return fail(std::move(lent.error()));
    return work(**lent);
  }

  struct counts {
    size_t idle = 0;
    size_t lent = 0;
  };
  counts state() const;

 private:
  using clock = std::chrono::steady_clock;

  struct give_back {
    connection_pool* pool = nullptr;
    void operator()(connection* c) const noexcept { pool->release(c); }
  };
  using lease = std::unique_ptr<connection, give_back>;

  struct idle_connection {
    std::unique_ptr<connection> it;
    clock::time_point since;
    std::thread::id user;
  };
  using idle_list = std::vector<idle_connection>;

  expected<lease> acquire();
  /// One of those that are idle; there is at least one.
  idle_list::iterator choose(clock::time_point now);
  void release(connection* c) noexcept;

  const store_options options_;
  const watchdog_ptr dog_;
  const connection::count made_ = std::make_shared<std::atomic<uint64_t>>(0);
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  /// Those that came back first come first.
  idle_list idle_;
  size_t lent_ = 0;
};

using pool_ptr = std::shared_ptr<connection_pool>;

} // namespace eventweft::postgres
