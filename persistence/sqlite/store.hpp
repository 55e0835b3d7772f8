// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/store.hpp"

#include <string_view>

namespace eventweft::sqlite {

/// `path`: the database file; it is made on the first call, its directory is
/// not.
expected<store_ptr> open(std::string_view path, const store_options& options);

} // namespace eventweft::sqlite
