// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/store.hpp"

#include <string_view>

namespace eventweft::sqlite {

/// `path`: the database file; it is made on the first call, its directory is
/// not.
expected<store_ptr> open(std::string_view path, const store_options& options);

/// For a program whose process is its own: SQLite keeps no account of its
/// memory, for which it takes a lock at each allocation. To be called before
/// any store is opened; false if SQLite is in use already, and goes on as it
/// is.
bool spare_memory_accounts() noexcept;

} // namespace eventweft::sqlite
