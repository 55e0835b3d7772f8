// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "persistence/store.hpp"

namespace eventweft {

/// `[store]`, `[database]` and `[correlation]` as a store needs them, for
/// `serve` and for every command that opens one by itself.
store_options store_options_of(const config::settings& settings);

} // namespace eventweft
