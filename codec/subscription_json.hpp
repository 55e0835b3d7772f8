// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/subscription.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What the API gives about streams and subscriptions.
namespace eventweft::codec {

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
