// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <eventweft/event.hpp>

#include <string>

namespace eventweft {

/// What an `Event` refers to, its ids as text.
struct Event::Record {
  explicit Record(event_ptr e)
      : ev(std::move(e)),
        id(to_string(ev->id)),
        correlation_id(ev->correlation_id ? to_string(*ev->correlation_id)
                                          : std::string{}) {}

  event_ptr ev;
  std::string id;
  std::string correlation_id;
};

} // namespace eventweft
