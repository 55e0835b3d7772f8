// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

namespace eventweft {

/// How the sentence about a schema of a newer program ends.
inline constexpr std::string_view newer_schema = ": use a newer program";

/// `schema_mismatch` with a sentence for people unless the schema in the store
/// has the version that this binary knows. 0 stands for no schema at all.
inline expected<void> compare_schema(int stored, int known) {
  if (stored == known)
    return {};
  auto numbers = "the store's schema has version " + std::to_string(stored) +
                 ", this program knows up to " + std::to_string(known);
  if (stored > known)
    return fail(ec::schema_mismatch, numbers + std::string{newer_schema});
  return fail(ec::schema_mismatch, numbers + ": run `eventweft migrate` first");
}

} // namespace eventweft
