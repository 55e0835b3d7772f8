// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/subscription.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What the API takes and gives about streams and subscriptions. Reading
/// refuses unknown members by name: `malformed` for what is no JSON object,
/// `unprocessable` for the rest; the message begins with the member.
namespace eventweft::codec {

// -- as the store keeps it ----------------------------------------------------

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

// -- what clients send --------------------------------------------------------

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

// -- what they get ------------------------------------------------------------

/// What a stream is doing on this node.
struct stream_figures {
  int64_t readers = 0;
  int64_t subscriptions = 0;
  uint64_t matched = 0;
  uint64_t sent = 0;
  uint64_t errors = 0;
  int64_t lag_events = 0;
  double lag_seconds = 0;
  seq_t last_seq = 0;
};

std::string stream_json(const stream_definition& stream,
                        const stream_figures* figures);
/// `more` tells that there is a page after this one.
std::string streams_json(const std::vector<stream_definition>& streams,
                         bool more);
/// Secrets do not show but for `new_secret`, nor do the headers' values.
std::string subscription_json(const subscription_view& view);
std::string subscriptions_json(const std::vector<subscription_view>& views,
                               bool more);
std::string deliveries_json(const std::vector<delivery_attempt>& attempts,
                            bool more);
std::string delivery_test_json(const delivery_test& test);
std::string replay_answer_json(const replay_answer& answer);

} // namespace eventweft::codec
