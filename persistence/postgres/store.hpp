// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/store.hpp"

namespace eventweft::postgres {

/// Refuses an address that libpq cannot read. Connects to nothing.
expected<store_ptr> open(const store_options& options);

} // namespace eventweft::postgres
