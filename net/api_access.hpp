// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/api.hpp"
#include "net/query.hpp"

namespace eventweft::net {

/// `POST /api/v1/tickets`
awaitable<response> make_ticket(const api_call& call);

// `/api/v1/keys`, `/api/v1/keys/{id}`
awaitable<response> create_key(const api_call& call);
awaitable<response> list_keys(const api_call& call, const query_params& params);
awaitable<response> revoke_key(const api_call& call);

/// `GET /api/v1/audit`
awaitable<response> list_audit(const api_call& call,
                               const query_params& params);

} // namespace eventweft::net
