// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/store.hpp"

#include <string_view>

namespace eventweft::memory {

/// The latest events and nothing beyond the process: what a hub without a
/// database works with. Address: `memory:`, or `memory:N` for the latest N
/// events (default 100,000), and at most 64 MiB of them. Older ones are let go
/// of, and with them their ids: a redelivery of one of these is a new event.
/// What a processor is not done with stays (`memory_hooks`); where there is
/// nothing else to let go of, nothing is appended: `store_full`. Of dead
/// letters the latest 10,000, and 64 MiB, are kept. Correlation rules and what
/// processors remember are kept as long as the process lives.
expected<store_ptr> open(std::string_view limit, const store_options& options);

} // namespace eventweft::memory
