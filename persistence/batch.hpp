// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "persistence/store.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace eventweft {

/// Appends one batch in one transaction, all or nothing: the results in
/// order, or `row_refused` if the engine refuses what is in some row, or any
/// other error for what is no row's fault.
using append_once =
    std::function<expected<append_results>(std::span<const event_ptr>)>;

/// Appends through `once`; where a row is refused, halves the batch until the
/// bad row stands alone, so that it fails alone and the others are stored in
/// their order.
expected<append_results> append_isolating(std::span<const event_ptr> events,
                                          const append_once& once);

/// `text` with U+FFFD for what is not UTF-8 and for NUL: what any engine takes
/// as text.
std::string storable_text(std::string_view text);

/// Whether any event has a key.
bool any_keys(std::span<const event_ptr> events) noexcept;

/// The latest `created_at`; the start of time if there are none.
timestamp newest(std::span<const event_ptr> events) noexcept;

} // namespace eventweft
