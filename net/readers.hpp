// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/live.hpp"
#include "net/backend.hpp"
#include "telemetry/metrics.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::net {

class lane;

/// One live reader, as `GET /api/v1/streams/{name}/readers` shows it.
struct reader_view {
  reader_id id = 0;
  reader_kind kind = reader_kind::websocket;
  bool cloudevents = false;
  /// "live", "catching_up", "paused", "waiting" (for credit) or "closing".
  std::string_view state;
  /// The reader's own, JSON.
  std::string filter;
  /// Everything that matches up to here was handed to the connection; negative
  /// before the start.
  seq_t cursor = -1;
  /// What the client said it has dealt with; negative: nothing yet.
  seq_t acknowledged = -1;
  /// From its cursor to the end of the log, whether they match or not.
  seq_t lag_events = 0;
  /// Since it was last at the end of the log; 0 while it is.
  double lag_seconds = 0;
  /// What the filters let through: sent, or waiting for room.
  uint64_t matched = 0;
  uint64_t sent = 0;
  uint64_t sent_bytes = 0;
  /// Messages of the client that were refused.
  uint64_t errors = 0;
  /// Of the newest event that was sent; 0: none was.
  seq_t last_seq = 0;
  /// In pull mode: what the client still takes.
  std::optional<uint64_t> credit;
  /// The id of its API key; empty: none.
  std::string key;
  std::string address;
  timestamp opened_at{};
};

/// `{"readers":[…],"next_cursor":…}`
std::string readers_json(const std::vector<reader_view>& readers, bool more);

/// An id as the list has it: 16 hexadecimal digits.
std::string reader_id_text(reader_id id);
std::optional<reader_id> parse_reader_id(std::string_view text);

/// The live readers of all I/O threads of one server. `add` is for its start;
/// from then on thread-safe.
class reader_census {
 public:
  void add(std::shared_ptr<lane> readers);

  /// Those of `stream` by id, at most `limit` of those after `after`.
  void list(const std::string& stream, reader_id after, size_t limit,
            reply_to<std::vector<reader_view>> reply) const;

 private:
  std::vector<std::shared_ptr<lane>> lanes_;
};

} // namespace eventweft::net
