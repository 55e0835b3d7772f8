// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/filter.hpp"
#include "net/backend.hpp"
#include "telemetry/log.hpp"

#include <eventweft/streaming.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace eventweft {
class actor_host;
class metrics;
} // namespace eventweft

namespace eventweft::embed {

/// The cursor that a start point stands for now: what comes after this call
/// comes after it. Blocks; throws `Error`.
seq_t cursor_of(const start_point& start, net::backend& line);

/// What a subscription that calls back is made of.
struct reader_spec {
  std::string id;
  std::string stream;
  std::string subscriber;
  eventweft::filter filter;
  start_point start;
  EventCallback callback;
};

/// What the readers read from while the app runs.
struct reader_source {
  actor_host& actors;
  eventweft::metrics& figures;
  logger_ptr log;
  /// Whether a `seq` of the last run still means the same.
  bool durable = false;
};

/// The subscriptions within the process, each with a thread of its own.
/// `attach`, `detach` come from whoever starts and stops the app, one at a
/// time; everything else is thread-safe.
class internal_readers {
 public:
  internal_readers();
  ~internal_readers();

  /// Throws `Error`: `not_found` without such a stream (if attached),
  /// `overloaded` beyond a thousand.
  void add(reader_spec spec);
  /// Waits for a running callback, unless it is the caller. False if there is
  /// none.
  bool remove(const std::string& id);
  std::vector<InternalSubscription> list() const;

  void attach(reader_source source);
  /// Waits for the callbacks that run.
  void detach() noexcept;
  void clear() noexcept;

 private:
  class reader;
  struct stream_watch;
  using reader_ptr = std::shared_ptr<reader>;

  std::vector<reader_ptr> all() const;
  void sweep();

  mutable std::mutex mutex_;
  /// Held while `source_` is used or changes.
  std::mutex attaching_;
  std::unique_ptr<reader_source> source_;
  std::shared_ptr<stream_watch> watch_;
  std::map<std::string, reader_ptr> readers_;
  /// Removed from within their own callback; joined later.
  std::vector<reader_ptr> leaving_;
};

} // namespace eventweft::embed
