// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/api.hpp"
#include "net/query.hpp"

namespace eventweft::net {

/// `GET /api/v1/correlations?platform=&key=&limit=&cursor=`: threads, those
/// with the newest events first.
awaitable<response> list_threads(const api_call& call,
                                 const query_params& params);

/// `GET /api/v1/correlations/{id}?limit=&cursor=`: one thread, by its id, a
/// former one, an event's, or a key.
awaitable<response> get_thread(const api_call& call,
                               const query_params& params);

} // namespace eventweft::net
