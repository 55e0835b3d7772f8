// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/servers.hpp"
#include "bench/swarm.hpp"

#include <functional>
#include <memory>
#include <string>

namespace eventweft::bench {

/// Something that takes events over HTTP and streams them to readers.
struct stream_target {
  std::string name;
  endpoint address;
  pid_t pid = 0;
  std::string websocket_path;
  std::string sse_path;
  /// The whole request that publishes the event tagged `n`.
  std::function<std::string(uint64_t n)> request;
  /// What its readers send along.
  std::string headers = {};

  const std::string& path(stream_kind kind) const {
    return kind == stream_kind::websocket ? websocket_path : sse_path;
  }
};

stream_target target_of(const hub& server, uint32_t salt);

/// `event` is the text of an event as eventweft streams it: nchan carries the
/// very same bytes.
stream_target target_of(const nchan_server& server, std::string event);

/// Streams one event to one reader and gives its text as it came.
std::string sample_event(const stream_target& target);

std::shared_ptr<send_marks> make_marks(uint64_t count);

} // namespace eventweft::bench
