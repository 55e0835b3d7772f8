// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/subscription.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What of a subscription the store keeps as JSON. Reading gives `corrupt` for
/// what is not of that form.
namespace eventweft::codec {

/// `["a","b"]`
std::string text_list_json(const std::vector<std::string>& list);
expected<std::vector<std::string>> parse_text_list(std::string_view text);

/// `[["name","value"],…]`
std::string header_list_json(const outgoing::header_list& headers);
expected<outgoing::header_list> parse_header_list(std::string_view text);

/// A replay on its way through the log: what is left of it.
struct replay_state {
  seq_t after = 0;
  seq_t until = 0;
  eventweft::filter filter;

  bool operator==(const replay_state&) const = default;
};
std::string replay_json(const replay_state& replay);
expected<replay_state> parse_replay(std::string_view text);

} // namespace eventweft::codec
