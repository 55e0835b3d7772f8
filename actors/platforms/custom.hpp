// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/base_platform.hpp"

#include <set>

namespace eventweft::platforms {

/// Most events in one request.
inline constexpr size_t max_batch = 1'000;

/// `POST /events`: events of anybody who holds a bearer token (header
/// `Authorization`, or query parameter `access_token`).
///
/// Native JSON is one object or an array with one result an item:
///
///     {"event_type":"order:paid","event_id":"…","platform":"shop",
///      "source_id":"…","source_name":"…","actor_id":"…","actor_name":"…",
///      "priority":"normal","correlation_id":null,"parent_event_id":null,
///      "metadata":{},"payload":{}}
///
/// Only `event_type` is required; other members are refused by name. Without
/// `event_id` the header `Idempotency-Key` (with the item's index in an array,
/// `KEY[#0]`) stands for it; without either every request is a new event.
///
/// CloudEvents 1.0 come structured, binary or batched: `source` and `id` are
/// the identity, the data is the payload, other attributes are kept in
/// `metadata`. `OPTIONS` answers the webhook handshake.
///
/// `reserved` are platforms that prove their events by other means; no event
/// may claim to come from them, nor from the hub itself (`eventweft`).
expected<platform_ptr> make_custom(const platform_parts& parts,
                                   std::set<std::string, std::less<>> reserved);

} // namespace eventweft::platforms
