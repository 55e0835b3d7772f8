// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/event.hpp"
#include "messages/flow.hpp"

namespace eventweft::memory {

/// What the other stores say in SQL. Of all members but those that page.
bool matches(const event_query& q, const event& ev);
/// With `before`.
bool matches(const dead_letter_query& q, const dead_letter& x);

} // namespace eventweft::memory
