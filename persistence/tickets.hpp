// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/tickets.hpp"
#include "messages/errors.hpp"

#include <optional>
#include <string_view>

namespace eventweft {

/// Tickets that every node of a cluster takes. One thread at a time. Blocks and
/// fails as `store_session` does. How long one is good, the store's clock says:
/// nodes' clocks may differ.
class ticket_store {
 public:
  virtual ~ticket_store() = default;

  /// Keeps it for `limits.lifetime`, and forgets what has expired.
  /// `too_many_requests` if its owner has too many outstanding, `overloaded` if
  /// everybody has; nodes that add at the same moment may go over by one each.
  virtual expected<void> add(const auth::kept_ticket& ticket,
                             const auth::ticket_options& limits) = 0;

  /// Takes it: whatever comes of it, it is gone, at all nodes. Nothing if it is
  /// not known, has been taken or has expired.
  virtual expected<std::optional<auth::kept_ticket>>
  take(std::string_view hash) = 0;
};

} // namespace eventweft
