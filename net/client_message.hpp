// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/filter.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace eventweft::net {

/// What can be granted at a time.
inline constexpr int64_t most_credit = 1'000'000'000;

/// What a WebSocket client may say; at least one member is set.
struct client_message {
  std::optional<eventweft::filter> filter;
  std::optional<seq_t> ack;
  /// Pull mode: so many more events may come.
  std::optional<uint64_t> credit;
  bool pause = false;
  bool resume = false;
};

/// Reads `{"filter":{…}}`, `{"ack":seq}`, `{"credit":n}`, `{"pause":true}`,
/// `{"resume":true}` or a combination of them. The filter may have keys among
/// its `correlation_ids`. The error's message is meant for the client.
expected<client_message> parse_client_message(std::string_view text);

} // namespace eventweft::net
