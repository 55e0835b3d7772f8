// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"

#include <simdjson.h>

#include <string_view>

/// Custom events as they are written without CloudEvents.
namespace eventweft::platforms {

/// `unprocessable` for a member of an event: "/name" and why.
tl::unexpected<error> invalid_member(std::string_view member,
                                     std::string_view why);

/// One item as its members say; `payload` and `metadata` are texts of `text`,
/// which is the item's. Ids and times are given by others.
expected<event> read_native(simdjson::dom::element item, std::string_view text);

} // namespace eventweft::platforms
