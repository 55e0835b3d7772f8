// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/frame.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/flow.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::link {

/// Events on their way to the node that appends them, as `append_item` carries
/// them: whole, with what only the store gets (details, correlation keys).
std::string events_text(std::span<const event_ptr> events);

/// `malformed` if these are no events that could be appended, or not all of it
/// is.
expected<std::vector<event_ptr>> events_of(std::string_view text);

/// What is told of one event, and what it says: the two ways. What is refused
/// other than by `row_refused` was not taken.
appended appended_of(const append_result& result);
append_result result_of(const appended& x);

} // namespace eventweft::link
