// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/store.hpp"

namespace eventweft {

/// The same store, whose sessions see to the schema before their first call:
/// migrated if `migrate` is set, only checked otherwise. A server can so start
/// while its store is away and has the right schema once it is back. Until the
/// schema is seen to, calls answer with what went wrong.
store_ptr with_schema_check(store_ptr inner, bool migrate);

} // namespace eventweft
