// SPDX-License-Identifier: Apache-2.0
#include "messages/subscription.hpp"

namespace eventweft {

std::string_view to_string(subscription_type t) noexcept {
  switch (t) {
  case subscription_type::webhook:
    return "webhook";
  case subscription_type::nats:
    return "nats";
  case subscription_type::kafka:
    return "kafka";
  }
  return "webhook";
}

std::optional<subscription_type>
parse_subscription_type(std::string_view text) noexcept {
  for (auto t : {subscription_type::webhook, subscription_type::nats,
                 subscription_type::kafka})
    if (text == to_string(t))
      return t;
  return std::nullopt;
}

std::string_view to_string(delivery_attempt::state s) noexcept {
  switch (s) {
  case delivery_attempt::state::pending:
    return "pending";
  case delivery_attempt::state::delivered:
    return "delivered";
  case delivery_attempt::state::failed:
    return "failed";
  }
  return "failed";
}

} // namespace eventweft
