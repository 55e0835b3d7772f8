// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace eventweft {

/// `what` with the name of the member it is about before it, once: parsers
/// that know what they parse begin with a name of their own, `own`.
inline std::string complaint(std::string_view member, std::string_view what,
                             std::string_view own = {}) {
  if (own.empty())
    own = member;
  if (what.starts_with(own) && what.substr(own.size()).starts_with(": "))
    what.remove_prefix(own.size() + 2);
  std::string out{member};
  return out.append(": ").append(what);
}

} // namespace eventweft
