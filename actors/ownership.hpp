// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/fence.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace eventweft {

/// Which pieces of work are this node's: each processor, webhook subscription,
/// sink, retention and the roll-up of figures has one owner at a time.
/// Thread-safe; every call returns at once.
class ownership {
 public:
  virtual ~ownership() = default;

  /// What of `work` this node has to present to the store, or nothing while
  /// the work is somebody else's. Asked before each piece of work, not once.
  virtual std::optional<fence> held(const std::string& work) = 0;

  /// Calls `changed` on any thread, soon after work came or went, until the
  /// returned guard is gone. `changed` must return at once.
  virtual std::shared_ptr<void> on_change(std::function<void()> changed) = 0;
};

/// One node alone owns everything.
class sole_owner final : public ownership {
 public:
  std::optional<fence> held(const std::string& work) override {
    return fence{work, 0};
  }
  std::shared_ptr<void> on_change(std::function<void()>) override {
    return nullptr;
  }
};

} // namespace eventweft
