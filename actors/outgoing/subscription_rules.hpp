// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/subscription.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <set>
#include <string>
#include <vector>

/// What a subscription may be, and how it becomes what a client asks for; no
/// state.
namespace eventweft {

/// A subscription as it is to be stored.
struct settled_subscription {
  subscription what;
  /// For the answer, which alone shows it; empty if none is new. Secret.
  std::string new_secret;
};

/// A new one with its id, time and secret. `unprocessable` for a type that is
/// not among `types`, which this program can deliver to, and for what does not
/// go together; as `signing_key::parse` for a secret that is none.
expected<settled_subscription>
make_subscription(const new_subscription& wanted,
                  const std::set<subscription_type>& types, timestamp now,
                  random_source& random);

/// `s` with the change; refuses likewise.
expected<settled_subscription>
changed_subscription(subscription s, const subscription_change& change,
                     random_source& random);

/// `whpk_…`, what receivers verify with, newest first; none of HMAC secrets.
std::vector<std::string> public_keys_of(const subscription& s);

} // namespace eventweft
