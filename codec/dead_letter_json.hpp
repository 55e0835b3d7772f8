// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::codec {

/// `[{"at":"…","error":"…"},…]`, the last `dead_letter_history` ones.
std::string attempts_json(std::span<const failed_attempt> attempts);

/// Reads what `attempts_json` writes; what can't be read is left out.
std::vector<failed_attempt> parse_attempts(std::string_view text);

/// Appends the letter as the API and `dead-letters export` show it.
void append_dead_letter(std::string& out, const dead_letter& d);

/// The same with the size of its body in place of it: lists are no place for
/// what may have megabytes.
void append_dead_letter_summary(std::string& out, const dead_letter& d);

} // namespace eventweft::codec
