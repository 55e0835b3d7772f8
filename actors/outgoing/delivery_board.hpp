// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/subscription.hpp"

#include <map>
#include <mutex>

namespace eventweft {

/// What each sender of this node is doing, for whoever wants to know. The
/// senders keep it up to date. Thread-safe.
class delivery_board {
 public:
  void set(const uuid& id, subscription_figures figures) {
    std::lock_guard guard{mutex_};
    all_.insert_or_assign(id, std::move(figures));
  }

  subscription_figures of(const uuid& id) const {
    std::lock_guard guard{mutex_};
    auto i = all_.find(id);
    return i == all_.end() ? subscription_figures{} : i->second;
  }

  void erase(const uuid& id) {
    std::lock_guard guard{mutex_};
    all_.erase(id);
  }

 private:
  mutable std::mutex mutex_;
  std::map<uuid, subscription_figures> all_;
};

} // namespace eventweft
