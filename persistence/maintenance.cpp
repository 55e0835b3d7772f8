// SPDX-License-Identifier: Apache-2.0
#include "persistence/maintenance.hpp"

namespace eventweft {

std::string_view to_string(retention_item::kind k) noexcept {
  switch (k) {
  case retention_item::kind::drop_week:
    return "drop week";
  case retention_item::kind::keep_week:
    return "keep week";
  case retention_item::kind::delete_events:
    return "delete events";
  case retention_item::kind::keep_events:
    return "keep events";
  }
  return "";
}

} // namespace eventweft
