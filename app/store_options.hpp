// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "persistence/store.hpp"

namespace eventweft {

/// `[store]`, `[database]` and `[correlation]` as a store needs them, for
/// `serve` and for every command that opens one by itself.
store_options store_options_of(const config::settings& settings);

/// `bad_configuration` where a SQLite file can't be made because the directory
/// that it is to be in is not there: a path that was mistyped must not look
/// like a store that is away for a while. What comes and goes while the program
/// runs is another matter.
expected<void> check_store_place(const config::store_settings& settings);

} // namespace eventweft
