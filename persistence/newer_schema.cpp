// SPDX-License-Identifier: Apache-2.0
#include "persistence/newer_schema.hpp"

#include "persistence/migrations.hpp"
#include "persistence/store.hpp"

#include <utility>

namespace eventweft {

expected<std::string> newer_schema(store& s) {
  // Only nodes share a store, and only they may be of two versions.
  if (s.engine() != "postgres")
    return std::string{};
  // There is nothing to do, so it only tells the version.
  const auto found = s.migrate();
  if (!found)
    return fail(found.error());
  const auto known = postgres_migrations().size();
  if (std::cmp_less_equal(found->to, known))
    return std::string{};
  return "the schema has version " + std::to_string(found->to) +
         ", made by a newer program; it serves this one, which knows up to " +
         std::to_string(known) + ", as well";
}

} // namespace eventweft
