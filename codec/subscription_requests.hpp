// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/subscription.hpp"

#include <string_view>

/// What the API takes about streams and subscriptions. Reading refuses unknown
/// members by name: `malformed` for what is no JSON object, `unprocessable` for
/// the rest; the message begins with the member.
namespace eventweft::codec {

/// `{"name","description","filter"}`
expected<stream_definition> parse_stream_request(std::string_view body);
/// `{"description","filter"}`, at least one of them.
expected<stream_change> parse_stream_change(std::string_view body);

/// `{"type","subscriber_id","url","filter","secret","signature","format",
/// "ordered","headers","max_concurrent","rate_per_second","active","since"}`
expected<new_subscription> parse_subscription_request(std::string_view body);
/// Any of the same but `type` and `since`, and `rotate_secret`,
/// `drop_old_secrets`.
expected<subscription_change> parse_subscription_change(std::string_view body);

/// `{"since","until","filter","event_id","dry_run"}`
expected<replay_request> parse_replay_request(std::string_view body);

} // namespace eventweft::codec
