// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/store.hpp"

#include <string_view>

namespace eventweft::memory {

/// The latest events and nothing beyond the process: what a hub without a
/// database works with. Address: `memory:`, or `memory:N` for the latest N
/// events (default 100,000), and at most 64 MiB of them. Older ones are let go
/// of, and with them their ids: a redelivery of one of these is a new event.
/// Of dead letters the latest 10,000 are kept. Correlation rules are kept as
/// long as the process lives.
expected<store_ptr> open(std::string_view limit);

} // namespace eventweft::memory
