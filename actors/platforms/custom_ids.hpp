// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Ids of custom events: those of an array's items, and those that hold a
/// token. Such a token must not be kept, and yet the id has to tell events
/// apart and know them again.
namespace eventweft::platforms {

/// The id of an array's item that has none of its own, by the request's
/// `Idempotency-Key`. No sender may give an id of that form, so it is nobody
/// else's.
std::string item_id(std::string_view key, size_t index);
bool is_item_id(std::string_view id) noexcept;

/// Whether something was taken out of that id.
bool is_redacted(std::string_view id) noexcept;

/// What is kept in place of an id that was sent with a token in it: its digest.
/// Empty for one that the sender has redacted: it may be that of many events.
std::string id_in_place_of(std::string_view sent);

/// The ids in a body as they were sent, of each item if it is an array, else
/// the one; empty where there is none.
std::vector<std::string> sent_ids(std::string_view body, bool are_cloudevents);

} // namespace eventweft::platforms
