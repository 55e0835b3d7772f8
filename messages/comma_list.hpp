// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace eventweft {

/// The texts between the commas, as parameters and flags list them; empty ones
/// are left out. `\,` is a comma within a text; every other backslash stands
/// for itself.
std::vector<std::string> comma_list(std::string_view text);

/// `text` as a list of which it is the one item.
std::string comma_escaped(std::string_view text);

} // namespace eventweft
