// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <pqxx/pqxx>

namespace eventweft::postgres {

/// `forbidden`, with what is missing, unless the user may do what a server
/// does all the time. For a schema that `check_schema` found to be usable.
expected<void> check_rights(pqxx::connection& c);

} // namespace eventweft::postgres
