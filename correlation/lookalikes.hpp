// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace eventweft::correlation {

/// How far "PREFIX-number" may be trusted to be the id of an issue.
enum class id_trust : uint8_t {
  /// A standard, a format, a disease: `UTF-8`, `RFC-9110`, `COVID-19`. Not an
  /// id, even if a team has that key; only its URL is.
  never,
  /// Usually something else (`NODE-18`, `STEP-3`): an id only if a team has
  /// that key, whatever word stands before it.
  if_known,
  /// Nothing is known against it.
  open,
};

/// `prefix` in upper case.
id_trust trust_in_id(std::string_view prefix, uint64_t number) noexcept;

} // namespace eventweft::correlation
