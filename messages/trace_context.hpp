// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace eventweft {

/// The trace id, 32 hexadecimal digits, of a W3C `traceparent`; nothing if that
/// is malformed or has an id of zeros. Blanks around it are passed over.
std::optional<std::string_view>
trace_id_of(std::string_view traceparent) noexcept;

} // namespace eventweft
