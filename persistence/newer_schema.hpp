// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <string>

namespace eventweft {

class store;

/// What there is to say of a schema that a newer program has made and that
/// serves this one, too; empty for one of this program's own. `s` must have a
/// schema that will do (`store::check_schema`); then this only looks at it.
expected<std::string> newer_schema(store& s);

} // namespace eventweft
