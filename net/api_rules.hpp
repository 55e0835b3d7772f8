// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/api.hpp"
#include "net/query.hpp"

namespace eventweft::net {

/// Everything below `/api/v1/correlation-rules`.
bool is_rules_call(endpoint target) noexcept;
awaitable<response> answer_rules_call(const api_call& call,
                                      const query_params& params);

} // namespace eventweft::net
