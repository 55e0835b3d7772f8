// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/api.hpp"

namespace eventweft::net {

/// `GET /api/v1/cluster`, `POST /api/v1/cluster/drain` and
/// `/log-level/{level}`.
awaitable<response> answer_cluster(const api_call& call);

} // namespace eventweft::net
