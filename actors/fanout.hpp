// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/processing.hpp"
#include "messages/uuid.hpp"

#include <caf/actor.hpp>

#include <optional>
#include <string>

namespace eventweft {

/// The node that appends to the log for others, and the link to it, which takes
/// a `relay_order`.
struct append_relay {
  std::string node;
  caf::actor link;
};

/// Where committed events go besides this node's own hub: the other nodes.
/// Thread-safe; every call returns at once and drops nothing that the store
/// could not give again.
class fanout {
 public:
  virtual ~fanout() = default;
  virtual void committed(const log_range_ptr& range) = 0;

  /// What an answering handler here has to say to an event whose webhook came
  /// to another node; nothing if it has nothing to say. May be lost: who waits
  /// for it has a time-out.
  virtual void replied(const uuid& event,
                       const std::optional<processing::reply>& r) = 0;

  /// Whether what handlers of other nodes have to say comes here.
  virtual bool hears_replies() const = 0;

  /// Whether anybody here reads live events. Where nobody does, other nodes
  /// need to say only how far the log is. They are to send events until they
  /// are told.
  virtual void wants_events(bool wanted) = 0;

  /// Which node appends where several would be in each other's way; nothing if
  /// it is this one, or can't be asked.
  virtual std::optional<append_relay> relay() const { return std::nullopt; }
};

/// One node alone.
class no_fanout final : public fanout {
 public:
  void committed(const log_range_ptr&) override {}
  void replied(const uuid&, const std::optional<processing::reply>&) override {}
  bool hears_replies() const override { return false; }
  void wants_events(bool) override {}
};

} // namespace eventweft
