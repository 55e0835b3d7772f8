// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "messages/outgoing.hpp"
#include "messages/subscription.hpp"

#include <memory>
#include <set>

namespace eventweft {

/// The types that this program was built for.
std::set<subscription_type> deliverable_types();

/// Whether `make_poster` could make one; starts nothing.
expected<void> check_poster(const config::webhook_settings& settings);

/// What sends to subscriptions, as `[webhooks]` has it; `bad_configuration`
/// names the key.
expected<std::shared_ptr<outgoing::poster>>
make_poster(const config::webhook_settings& settings);

} // namespace eventweft
