// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/collector.hpp"

namespace eventweft::config {

/// What no key can be checked for alone: addresses, and pairs of limits.
/// Everything must have been collected.
void check_consistency(collector& all);

} // namespace eventweft::config
