// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/time.hpp"
#include "messages/webhook.hpp"

#include <eventweft/app.hpp>

#include <string>
#include <string_view>

/// What the host program submits, in the form in which its platform sends it,
/// to `local_platform_name`. All throw `Error` for what can't be one.
namespace eventweft::embed {

webhook draft(const DeploymentEvent& event);
webhook draft(const CustomEvent& event);
/// `delivery` is the id that the platform would give.
webhook draft_simulated(std::string_view platform, std::string_view event_type,
                        std::string_view payload, const std::string& delivery,
                        timestamp now);

/// What a filter can see of the event before it is submitted.
event preview(const CustomEvent& event);

} // namespace eventweft::embed
