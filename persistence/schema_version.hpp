// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <string>
#include <string_view>

namespace eventweft {

/// How the sentence about a schema of an older program ends.
inline constexpr std::string_view older_schema =
    ": run `eventweft migrate` first";

/// `schema_mismatch` with a sentence for people unless the schema in the store
/// has the version that this binary knows, or a newer one that says that it
/// serves this binary, too: it serves those that know `oldest` or more. 0
/// stands for no schema at all.
inline expected<void> compare_schema(int stored, int known, int oldest) {
  if (stored == known || (stored > known && known >= oldest))
    return {};
  auto numbers = "the store's schema has version " + std::to_string(stored) +
                 ", this program knows up to " + std::to_string(known);
  if (stored > known)
    return fail(ec::schema_mismatch, numbers + ": use a newer program");
  return fail(ec::schema_mismatch, numbers + std::string{older_schema});
}

} // namespace eventweft
