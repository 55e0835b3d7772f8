// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/store.hpp"
#include "processing/registry.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

#include <memory>

namespace eventweft {

/// Has a store in memory keep what these processors are not done with, and say
/// which dead letters it does not keep.
memory_hooks memory_hooks_of(processing::registry_ptr processors,
                             std::shared_ptr<metrics> figures, logger_ptr log);

} // namespace eventweft
