// SPDX-License-Identifier: Apache-2.0
#include "persistence/newer_schema.hpp"

#include "persistence/store.hpp"

namespace eventweft {

std::string newer_schema(const migration_report& schema) {
  if (schema.to <= schema.known)
    return {};
  return "the schema has version " + std::to_string(schema.to) +
         ", made by a newer program; it serves this one, which knows up to " +
         std::to_string(schema.known) + ", as well";
}

} // namespace eventweft
