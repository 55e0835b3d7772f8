// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace eventweft::auth {

/// A request target as it may be logged: the values of the query's
/// `access_token`, `token`, `ticket`, `api_key`, `key`, `secret` and
/// `signature`, in any case and however their names are percent-encoded, are
/// replaced by `[redacted]`.
std::string redacted_target(std::string_view target);

} // namespace eventweft::auth
