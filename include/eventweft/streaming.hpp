// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <eventweft/event.hpp>
#include <eventweft/filter.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace eventweft {

/// Called for one event after the other, in the log's order, on a thread of
/// the subscription's own. It may block (others are not held up by it, and
/// what it misses meanwhile it gets later); an exception is counted and logged,
/// and the next event follows.
using EventCallback = std::function<void(const Event&)>;

/// A named filter over the log.
struct StreamInfo {
  std::string name{};
  std::string description{};
  Filter filter{};
};

/// What `get_stream_stats` tells.
struct StreamStats {
  /// Readers there are, of every kind, and all that there were.
  uint64_t active_subscriptions = 0;
  uint64_t total_subscriptions = 0;
  uint64_t events_sent = 0;
  uint64_t bytes_sent = 0;
  /// How often a reader was too slow for the live stream and had to catch up.
  uint64_t readers_lagged = 0;
  /// Events that its filter, and a reader's or webhook's, let through.
  uint64_t events_matched = 0;
  /// Attempts at webhooks that failed.
  uint64_t delivery_errors = 0;
  /// Of the webhook subscription that is farthest behind.
  int64_t lag_events = 0;
  double lag_seconds = 0;
  /// The newest event that was sent.
  int64_t last_seq = 0;
};

/// Where a WebSocket or SSE client can read a stream.
struct StreamEndpoint {
  /// Complete, with filter and start:
  /// "ws://127.0.0.1:8080/ws/events/pr_events?…"
  std::string url{};
  std::string stream{};
};

/// A subscription that is called back.
struct InternalSubscription {
  std::string id{};
  std::string stream{};
  /// The name it was given.
  std::string subscriber{};
  /// Whether it is called back: the app runs and the stream is there.
  bool active = false;
  /// Events that the stream's filter and its own let through, so far.
  uint64_t matched = 0;
  uint64_t delivered = 0;
  /// Callbacks that threw.
  uint64_t failed = 0;
  /// The log is looked through up to here, and the callback is done with what
  /// was found: store it, and go on with `Since::after(cursor)` after a
  /// restart.
  int64_t cursor = 0;
  /// The `seq` of the newest event that the callback took.
  int64_t last_seq = 0;
  /// From `cursor` to the end of the log, whether it is let through or not, and
  /// how long that has been waiting.
  int64_t lag_events = 0;
  double lag_seconds = 0;
};

/// How a webhook subscription is delivered.
struct WebhookOptions {
  /// Whose it is, for people and for the API.
  std::string subscriber{};
  /// On top of the stream's own.
  Filter filter{};
  /// `whsec_…`; empty: one is made.
  std::string secret{};
  /// CloudEvents instead of the native JSON.
  bool cloudevents = false;
  /// One at a time, in the log's order.
  bool ordered = false;
  Since since{};
};

struct WebhookSubscription {
  std::string id{};
  /// What deliveries are signed with (Standard Webhooks); shown here only.
  std::string secret{};
};

} // namespace eventweft
