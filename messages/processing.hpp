// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What handlers make of events, as plain data.
namespace eventweft::processing {

/// What an answering handler wants the webhook's sender to get.
struct reply {
  /// An HTTP status.
  int status = 200;
  std::string content_type = "application/json";
  std::string body;

  bool operator==(const reply&) const = default;
};

/// How one attempt ended.
struct outcome {
  enum class kind : uint8_t {
    done,
    /// Tried again, as the processor's policy says.
    failed,
    /// Trying again is of no use: to the dead letters at once.
    give_up,
  };
  kind what = kind::done;
  /// For people; what went wrong.
  std::string error;
  /// For the sender, if the processor is one that answers.
  std::optional<reply> answer;
  /// Not before this long from now.
  std::optional<std::chrono::milliseconds> retry_after;

  static outcome done() { return {}; }
  static outcome done(reply r) {
    outcome out;
    out.answer = std::move(r);
    return out;
  }
  static outcome failed(std::string why) {
    outcome out;
    out.what = kind::failed;
    out.error = std::move(why);
    return out;
  }
  static outcome give_up(std::string why) {
    outcome out;
    out.what = kind::give_up;
    out.error = std::move(why);
    return out;
  }
};

/// How far a processor is with an event. Append only: the names are stored.
enum class status : uint8_t {
  pending = 0,
  processing = 1,
  retrying = 2,
  completed = 3,
  /// Given up.
  failed = 4,
};

/// "pending", …
std::string_view to_string(status s) noexcept;
std::optional<status> parse_status(std::string_view text) noexcept;

/// What stays the same whenever that processor is handed that event: what
/// handlers recognise a repeat by. `<event id>:<processor>`.
std::string idempotency_key(const uuid& event_id, std::string_view processor);

} // namespace eventweft::processing
