// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/subscription.hpp"
#include "net/api.hpp"
#include "net/query.hpp"

#include <string>

namespace eventweft::net {

/// Everything below `/api/v1/streams`.
bool is_subscriptions_call(endpoint target) noexcept;
awaitable<response> answer_subscriptions_call(const api_call& call,
                                              const query_params& params);

/// As the port has it.
awaitable<expected<stream_definition>> find_stream(const api_call& call,
                                                   const std::string& name);

} // namespace eventweft::net
