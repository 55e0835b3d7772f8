// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace eventweft {

/// Appends `text` with `%XX` for each byte that is neither one of RFC 3986's
/// unreserved characters nor one of `kept`.
void append_url_escaped(std::string& out, std::string_view text,
                        std::string_view kept = {});

/// All but RFC 3986's unreserved characters escaped: for one value of a query,
/// one segment of a path.
std::string url_escaped(std::string_view text);

} // namespace eventweft
