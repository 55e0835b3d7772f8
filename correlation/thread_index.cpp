// SPDX-License-Identifier: Apache-2.0
#include "correlation/thread_index.hpp"

namespace eventweft::correlation {

std::string_view to_string(not_linked why) noexcept {
  switch (why) {
  case not_linked::none:
    return "linked";
  case not_linked::unsure:
    return "unsure";
  case not_linked::pending:
    return "pending";
  case not_linked::hot_key:
    return "hot_key";
  case not_linked::huge_thread:
    return "huge_thread";
  }
  return "unsure";
}

} // namespace eventweft::correlation
