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

  /// The same for work that by its name alone can't be told from what other
  /// nodes do: `kind` ("subscription:kafka") is what a node must run to be
  /// given it.
  virtual std::optional<fence> held_of(const std::string& kind,
                                       const std::string& work) {
    static_cast<void>(kind);
    return held(work);
  }

  /// `work` is over for good (its subscription was deleted): what this node has
  /// of it is given back without waiting for nobody to ask any more.
  virtual void ended(const std::string& work) { static_cast<void>(work); }

  /// Which node is to have `work`, for people: "node-2 (10.0.0.2:8080)"; empty
  /// if none is known.
  virtual std::string holder(const std::string& work) const = 0;

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
  std::string holder(const std::string&) const override { return {}; }
  std::shared_ptr<void> on_change(std::function<void()>) override {
    return nullptr;
  }
};

/// " runs on node node-2 (10.0.0.2:8080): ask that one", to end a sentence
/// with.
inline std::string holder_text(const ownership& owner,
                               const std::string& work) {
  const auto who = owner.holder(work);
  return who.empty() ? " is on its way to another node: try again"
                     : " runs on node " + who + ": ask that one";
}

} // namespace eventweft
