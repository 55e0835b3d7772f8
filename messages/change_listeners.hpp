// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace eventweft {

/// Who wants to be told that something has changed. Thread-safe; what it gives
/// out may outlive it.
class change_listeners {
 public:
  /// `changed` is called until the returned guard is gone, at the latest once
  /// more by a `tell` that was under way.
  std::shared_ptr<void> add(std::function<void()> changed) {
    auto one = std::make_shared<std::function<void()>>(std::move(changed));
    std::lock_guard guard{mutex_};
    all_.push_back(one);
    return one;
  }

  /// Calls all of them, on this thread.
  void tell() {
    std::vector<std::shared_ptr<std::function<void()>>> told;
    {
      std::lock_guard guard{mutex_};
      std::erase_if(all_, [](const auto& one) { return one.expired(); });
      for (const auto& one : all_)
        if (auto alive = one.lock())
          told.push_back(std::move(alive));
    }
    for (const auto& one : told)
      (*one)();
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<std::function<void()>>> all_;
};

} // namespace eventweft
