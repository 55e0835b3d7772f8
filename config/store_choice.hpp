// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/collector.hpp"

namespace eventweft::config {

/// Makes `store.url` what all sources together say, as `load` has it.
/// Everything must have been collected.
void choose_store(collector& all);

} // namespace eventweft::config
