// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "persistence/store.hpp"

#include <pqxx/pqxx>

namespace eventweft::postgres {

/// Applies what is missing, each step in a transaction of its own with its
/// record, all under one advisory lock. A newer schema that serves this binary
/// stays as it is. `schema_mismatch` for a database that is not UTF-8.
expected<migration_report> migrate(pqxx::connection& c);

/// `schema_mismatch` unless the schema is this binary's, or a newer one that
/// serves it, in a database that is UTF-8.
expected<migration_report> check_schema(pqxx::connection& c);

} // namespace eventweft::postgres
