// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <string>
#include <string_view>

namespace eventweft::cli {

struct line_style {
  bool colour = false;
  bool with_date = false;
};

/// One line an event, without its end: time (UTC), seq, platform, type, source,
/// actor.
std::string event_line(const event& ev, line_style style);

/// Control characters, which could steer the reader's terminal, become `?`.
/// UTF-8 passes, but for U+0080 to U+009F and marks that change the direction
/// of text.
std::string printable(std::string_view text);

/// Line ends between a JSON text's tokens become blanks, so that it takes one
/// line.
std::string one_line(std::string_view json);

} // namespace eventweft::cli
