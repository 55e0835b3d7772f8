// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <simdjson.h>

#include <string>
#include <string_view>

namespace eventweft::platforms {

/// What goes into the detail tables (`event_details`), read out of payloads.
/// Values that a column can't hold (a number out of range, a time that is
/// none) are left out: a detail must never be why an event is refused. Texts
/// are bounded.

/// `event` is the header's, without the action.
event_details github_details(simdjson::dom::element payload,
                             std::string_view event);
event_details linear_details(simdjson::dom::element payload);
event_details slack_details(simdjson::dom::element payload, const event& ev);
event_details deployment_details(simdjson::dom::element payload);

/// The JSON pointer to the issue that a payload of Linear's is about, whether
/// or not it has one.
std::string linear_issue(simdjson::dom::element payload);

/// That issue's identifier, such as ENG-42, put together from team and number
/// where it is not given; empty if there is none.
std::string linear_identifier(simdjson::dom::element payload);

/// The id of the user that a payload of Slack's is by, wherever its kind has
/// it; empty if there is none, as with a bot that posts as itself.
std::string slack_user(simdjson::dom::element payload);
/// The id of the channel that it was in; empty if it says none.
std::string slack_channel(simdjson::dom::element payload);

} // namespace eventweft::platforms
