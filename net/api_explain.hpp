// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/api.hpp"
#include "net/query.hpp"

namespace eventweft::net {

/// `GET /api/v1/events/{id}/explain?filter=…&stream=…`: what each member of a
/// filter, and of a stream's, makes of a stored event.
awaitable<response> explain_event(const api_call& call,
                                  const query_params& params);

} // namespace eventweft::net
