// SPDX-License-Identifier: Apache-2.0
#include "persistence/nodes.hpp"

namespace eventweft {

std::string_view to_string(node_state s) noexcept {
  switch (s) {
  case node_state::up:
    return "up";
  case node_state::draining:
    return "draining";
  case node_state::left:
    return "left";
  }
  return "up";
}

std::string node_record::owner() const {
  return name + "/" + to_string(incarnation);
}

} // namespace eventweft
