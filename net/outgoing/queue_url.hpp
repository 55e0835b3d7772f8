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

/// How all queue servers are spoken to.
struct queue_access {
  /// TLS 1.2 or newer, the server's certificate and name checked.
  bool tls = false;
  /// PEM; empty: the system's authorities.
  std::string ca_file;
  /// Empty: none is said.
  std::string user;
  std::string password;
  /// Kafka's: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
  std::string sasl_mechanism = "SCRAM-SHA-512";
  /// NATS's: a file with a JWT and a seed; empty: none.
  std::string credentials_file;
};

/// `unprocessable` for anything else. Users and passwords are refused: they
/// would show wherever the URL does.
expected<queue_url> parse_queue_url(std::string_view url);

} // namespace eventweft::outgoing
