// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/subscription.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace eventweft {

/// Streams, the subscriptions to them, and what was delivered. A connection of
/// its own, used by one thread at a time; blocks and fails as `store_session`
/// does.
class subscription_store {
 public:
  virtual ~subscription_store() = default;

  /// By name.
  virtual expected<std::vector<stream_definition>> streams() = 0;
  /// `conflict` if there is one of that name.
  virtual expected<void> add_stream(const stream_definition& stream) = 0;
  /// Description and filter; `not_found`, `conflict` for a built-in one, or
  /// `outdated` if its version is not `stream`'s any more.
  virtual expected<void> change_stream(const stream_definition& stream) = 0;
  /// With its subscriptions; `not_found`, or `conflict` for a built-in one.
  virtual expected<void> drop_stream(std::string_view name) = 0;

  /// Those that have a sender, by id.
  virtual expected<std::vector<subscription>> subscriptions() = 0;
  /// With how far it is.
  virtual expected<std::optional<subscription_record>>
  find_subscription(const uuid& id) = 0;
  /// `not_found` if there is no such stream.
  virtual expected<void> add_subscription(const subscription_record& r) = 0;
  /// All but id, stream, type, progress and time; `not_found`, or `outdated` if
  /// its version is not `s`'s any more.
  virtual expected<void> change_subscription(const subscription& s) = 0;
  /// With what was delivered to it. False if there was none.
  virtual expected<bool> drop_subscription(const uuid& id) = 0;

  /// Writes all that is reported, in one transaction; one answer a report:
  /// nothing, or `not_owner`, with which nothing of that report was written.
  /// To do it again is safe.
  virtual expected<std::vector<std::optional<error>>>
  save(std::span<const delivery_report> reports) = 0;

  /// Attempts, newest first, those before `before` (nil: from the newest).
  virtual expected<std::vector<delivery_attempt>>
  deliveries(const uuid& subscription_id, const uuid& before, size_t limit) = 0;
};

} // namespace eventweft
