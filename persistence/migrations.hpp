// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace eventweft {

/// One step of the schema: a file `schemas/ENGINE/NNNN_name.sql`, embedded at
/// build time.
struct migration {
  int version;
  std::string_view name;
  std::string_view sql;
};

/// In order, the first is 1, without a hole.
std::span<const migration> postgres_migrations();
std::span<const migration> sqlite_migrations();

} // namespace eventweft
