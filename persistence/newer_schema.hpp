// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace eventweft {

struct migration_report;

/// What there is to say of a schema that a newer program has made and that
/// serves this one, too; empty for one of this program's own.
std::string newer_schema(const migration_report& schema);

} // namespace eventweft
