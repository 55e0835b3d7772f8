// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <string>
#include <string_view>

namespace eventweft::outgoing {

/// `nats://HOST:PORT/SUBJECT` or `kafka://HOST:PORT/TOPIC` taken apart.
struct queue_url {
  /// "nats", "kafka"
  std::string scheme;
  /// "HOST:PORT"
  std::string server;
  /// The subject or the topic: 1 to 200 of `A-Za-z0-9._-`, with no empty part
  /// between dots.
  std::string name;
};

/// `unprocessable` for anything else. Users and passwords are refused: they
/// would show wherever the URL does.
expected<queue_url> parse_queue_url(std::string_view url);

} // namespace eventweft::outgoing
