// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/control_bus.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What nodes tell each other through the store's bell: `NODE KIND WHAT`, with
/// the number of the `control_kind`. Names of nodes hold no blanks.
namespace eventweft {

/// What is rung when it is about anything.
inline constexpr const char* general_ring = "*";

/// What `node` rings of a change. One that names too much for a bell stands for
/// anything of its kind.
std::string ring_text(const std::string& node, const control_event& e);

struct rung_event {
  /// Empty if the text is none of ours.
  std::string node;
  /// Nothing if it is of a kind that only newer programs know.
  std::optional<control_event> event;
};

rung_event read_ring(std::string_view text);

} // namespace eventweft
