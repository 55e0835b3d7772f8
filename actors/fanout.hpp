// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

namespace eventweft {

/// Where committed events go besides this node's own hub: the other nodes.
/// Thread-safe; every call returns at once and drops nothing that the store
/// could not give again.
class fanout {
 public:
  virtual ~fanout() = default;
  virtual void committed(const log_range_ptr& range) = 0;
};

/// One node alone.
class no_fanout final : public fanout {
 public:
  void committed(const log_range_ptr&) override {}
};

} // namespace eventweft
