// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft {

/// Names in lower case. Order and repetitions as received.
using header_list = std::vector<std::pair<std::string, std::string>>;

/// The first value of `name` (lower case), or nothing. Points into `headers`.
inline const std::string* find_header(const header_list& headers,
                                      std::string_view name) noexcept {
  for (const auto& [key, value] : headers)
    if (key == name)
      return &value;
  return nullptr;
}

/// An HTTP request that claims to bring events, before anything is proven.
struct webhook {
  /// From the path: "github" for `/github/events` and `/webhooks/github`;
  /// "events" for `POST /events`.
  std::string platform;
  /// Upper case: "POST", "OPTIONS".
  std::string method;
  /// What followed `?`, still encoded.
  std::string query;
  header_list headers;
  /// The body's bytes as received.
  shared_text body;
  std::string remote_address;
  timestamp received_at{};
  /// Who sent it has shown credentials that may hand in events: the platform
  /// asks for no proof of its own.
  bool proven = false;
};

/// What goes back to the sender.
struct webhook_answer {
  /// An HTTP status.
  int status = 200;
  std::string content_type = "application/json";
  header_list headers;
  std::string body;
};

} // namespace eventweft
