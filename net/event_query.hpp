// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/query.hpp"

namespace eventweft::net {

/// For `GET /api/v1/events`. Lists may be repeated or separated by commas. A
/// bad or unknown parameter is refused by name.
expected<event_query> read_event_query(const query_params& params);

} // namespace eventweft::net
