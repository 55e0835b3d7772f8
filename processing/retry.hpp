// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/uuid.hpp"
#include "processing/processor.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace eventweft::processing {

/// The pause after so many failed attempts, the last of which ended as `o`;
/// nothing: give up. Doubles from `retry_delay` to `max_retry_delay`, spread by
/// `jitter`; the handler's own wish may make it longer, up to
/// `max_retry_after`.
std::optional<std::chrono::microseconds> pause_after(const processor& p,
                                                     uint32_t attempts,
                                                     const outcome& o,
                                                     random_source& random);

/// Than which none of these is longer.
std::chrono::microseconds longest_pause(const processor& p);

} // namespace eventweft::processing
