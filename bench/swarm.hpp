// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/basics.hpp"
#include "bench/wire.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace eventweft::bench {

enum class stream_kind { websocket, sse };

std::string_view to_string(stream_kind kind);

struct swarm_options {
  endpoint to;
  /// With its query.
  std::string path;
  stream_kind kind = stream_kind::websocket;
  unsigned readers = 1;
  /// Events carry their number; then their order is checked and, where there
  /// is a mark, their latency taken.
  bool tagged = true;
  /// Appended to the path of the reader with this number, if given.
  std::function<std::string(unsigned)> own_query = {};
  /// Whole lines that each reader sends along.
  std::string headers = {};
};

/// When each event was sent, by its number; 0: not of interest. Written by the
/// sender, read by the swarm.
using send_marks = std::vector<std::atomic<int64_t>>;

/// Many readers of one stream on one thread.
class reader_swarm {
 public:
  /// Connects all of them and returns when each has its answer's head.
  reader_swarm(const swarm_options& options,
               std::shared_ptr<const send_marks> marks);
  ~reader_swarm();
  reader_swarm(const reader_swarm&) = delete;
  reader_swarm& operator=(const reader_swarm&) = delete;

  /// Events delivered to all readers together.
  uint64_t delivered() const noexcept { return delivered_.load(); }

  /// False if `goal` is not reached within `seconds`, or a reader was closed.
  bool wait_delivered(uint64_t goal, double seconds);

  /// When the last delivery was seen.
  int64_t last_delivery() const noexcept { return last_.load(); }

  /// Ends the thread; the rest may be called only after it.
  void stop();
  const histogram& latency() const noexcept { return latency_; }
  uint64_t bytes() const noexcept { return bytes_; }
  /// What is wrong with what came: lost, doubled or out of order, closed.
  uint64_t faults() const noexcept { return faults_; }
  /// The last event's text that the first reader got.
  const std::string& sample() const noexcept { return sample_; }

 private:
  struct reader {
    unique_fd fd;
    std::string carry;
    uint64_t next = 0;
    bool chunked = false;
    bool first = false;
    bool closed = false;
    chunk_decoder chunks;
  };

  void shake_hands(reader& r);
  void loop();
  void receive(reader& r);
  size_t take_frames(reader& r, std::string_view text);
  size_t take_lines(reader& r, std::string_view text);
  void take_event(reader& r, std::string_view text);
  void close(reader& r);
  void answer_ping(reader& r, std::string_view payload);

  const swarm_options options_;
  const std::shared_ptr<const send_marks> marks_;
  unique_fd epoll_;
  unique_fd wake_;
  std::vector<reader> readers_;
  std::vector<char> buffer_;
  std::atomic<uint64_t> delivered_{0};
  std::atomic<uint64_t> goal_{UINT64_MAX};
  std::atomic<int64_t> last_{0};
  std::atomic<bool> broken_{false};
  unique_fd reached_;
  uint64_t batch_ = 0;
  int64_t batch_time_ = 0;
  histogram latency_;
  uint64_t bytes_ = 0;
  uint64_t faults_ = 0;
  std::string sample_;
  std::thread thread_;
};

} // namespace eventweft::bench
