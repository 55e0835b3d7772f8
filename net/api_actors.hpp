// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/api.hpp"

namespace eventweft::net {

/// `GET /api/v1/actors`
response show_actors(const api_call& call);
/// `GET /api/v1/log-level`
response show_log_levels(const api_call& call);
/// `PUT /api/v1/log-level`: `{"component":"stream_hub","level":"debug"}`
response put_log_level(const api_call& call);

} // namespace eventweft::net
