// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/nodes.hpp"
#include "persistence/postgres/connecting.hpp"
#include "persistence/postgres/connection.hpp"

#include <chrono>

namespace eventweft::postgres {

/// On a connection of its own, with short limits: a node that can't beat in
/// time is as good as gone, so waiting for long helps nobody.
class nodes final : public store_nodes {
 public:
  nodes(store_options options, watchdog_ptr dog);

  expected<uuid> store_id() override;
  expected<std::vector<node_record>>
  beat(const node_record& me, std::chrono::milliseconds dead_after) override;
  expected<std::vector<node_record>> all() override;
  expected<std::vector<fence>> claim(const std::string& owner,
                                     const std::vector<std::string>& works,
                                     std::chrono::milliseconds ttl) override;
  expected<void> release(const std::string& owner,
                         const std::vector<std::string>& works) override;
  expected<void> leave(const node_record& me) override;
  expected<std::vector<lease_record>> leases() override;
  expected<void> forget_leases(std::chrono::milliseconds age) override;
  expected<void> forget_nodes(std::chrono::milliseconds age) override;
  expected<void> ring(const std::string& text) override;

 private:
  connection live_;
};

/// Waits in libpq itself: it alone can wait for a socket and a deadline.
class listener final : public store_listener {
 public:
  listener(store_options options, watchdog_ptr dog)
      : options_(std::move(options)), dog_(std::move(dog)) {}

  expected<std::vector<store_bell>>
  wait(std::chrono::milliseconds at_most) override;

 private:
  using clock = std::chrono::steady_clock;
  expected<void> connect();
  /// False at the deadline; an error when the connection is gone.
  expected<bool> readable(clock::time_point until);
  expected<void> probe();
  std::vector<store_bell> take();
  error lost();

  store_options options_;
  watchdog_ptr dog_;
  raw_connection live_;
  clock::time_point heard_{};
};

} // namespace eventweft::postgres
