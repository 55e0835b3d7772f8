// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "processing/processor.hpp"

#include <eventweft/handler.hpp>

namespace eventweft::embed {

/// What the engine runs for a handler of the host. Throws `Error` for a filter
/// that can't be used.
processing::processor to_processor(ProcessorSpec spec);

/// "github.pull_request.opened": event types have signs that names can't have.
std::string processor_name(std::string_view platform,
                           std::string_view event_type);

} // namespace eventweft::embed
