// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/basics.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::bench {

/// Appends the whole HTTP request number `n`, the first is 0, to `out`.
using request_writer = std::function<void(uint64_t n, std::string& out)>;

struct post_options {
  endpoint to;
  /// The connections are spread over `to` and these, in turn.
  std::vector<endpoint> others = {};
  /// Each has one request under way at a time.
  unsigned connections = 64;
  uint64_t count = 0;
  /// Requests a second that are due, whatever comes back; 0: as many as go.
  double rate = 0;
  /// All answers must be there after so many seconds.
  int patience = 120;
};

struct post_result {
  uint64_t accepted = 0;
  /// From the first request to the last answer.
  double seconds = 0;
  /// From request to answer.
  histogram latency;

  double per_second() const {
    return seconds > 0 ? static_cast<double>(accepted) / seconds : 0;
  }
};

/// Posts `count` requests from one thread that does as little as it can.
/// Throws on the first answer that is not 2xx.
post_result post_all(const post_options& options, const request_writer& write);

/// The text of a request to the API with a JSON body, or with none.
std::string api_request(std::string_view method, std::string_view path,
                        std::string_view body = {});

/// One connection that posts one request at a time and waits for its answer.
class poster {
 public:
  explicit poster(const endpoint& to);
  /// Throws if the answer is not 2xx. Returns its body.
  std::string post(const std::string& request);

 private:
  unique_fd fd_;
};

} // namespace eventweft::bench
