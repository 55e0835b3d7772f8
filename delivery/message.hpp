// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "delivery/signature.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/outgoing.hpp"
#include "messages/time.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::delivery {

/// Where and how one subscription wants its events.
struct endpoint {
  std::string subscription_id;
  std::string url;
  wire_format format = wire_format::native;
  /// The newest first.
  std::vector<signing_key> keys;
  /// Passed `check_custom_headers`.
  outgoing::header_list headers;
  std::chrono::milliseconds timeout{15'000};
};

/// Whether users may have these headers sent along: `unprocessable`, naming
/// the first one that is not well-formed, is decided by the connection
/// (`Host`, `Connection`, `Transfer-Encoding`, …) or by the delivery
/// (`Content-Type`, `webhook-*`), tells a queue's server what to do (`nats-*`),
/// or is given twice; or if there are more than 20 or 8 KiB of them.
expected<void> check_custom_headers(const outgoing::header_list& headers);

/// One attempt, signed at `now`. The body is the event's text in the
/// endpoint's format.
outgoing::request make_request(const endpoint& to, const event_ptr& ev,
                               timestamp now);

/// The same for a body that is no event of the log, such as a test delivery.
outgoing::request make_request(const endpoint& to, std::string_view message_id,
                               shared_text body, timestamp now);

} // namespace eventweft::delivery
