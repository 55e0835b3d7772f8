// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::cli {

/// Reads `text/event-stream` as WHATWG's HTML standard (9.2.6) tells, from
/// pieces cut anywhere.
class sse_parser {
 public:
  struct message {
    /// "message" unless the stream says otherwise.
    std::string event;
    std::string data;
  };

  /// More than `limit` bytes of one line, or of one message's data, are an
  /// error.
  explicit sse_parser(size_t limit = size_t{64} << 20) : limit_(limit) {}

  /// Calls `take` for each message that `piece` completes, until it returns
  /// false. Returns false then, and when the limit is reached.
  bool feed(std::string_view piece,
            const std::function<bool(const message&)>& take);

  /// Set at the end of each block, also of one without data.
  const std::string& last_event_id() const noexcept { return last_id_; }

  /// Milliseconds, if the server gave any.
  std::optional<uint32_t> retry() const noexcept { return retry_; }

  bool overflowed() const noexcept { return overflowed_; }

 private:
  bool end_line(const std::function<bool(const message&)>& take);
  void field(std::string_view name, std::string_view value);

  size_t limit_;
  std::string line_;
  message pending_;
  bool has_data_ = false;
  std::string id_;
  std::string last_id_;
  std::optional<uint32_t> retry_;
  /// Only the first line may start with a byte order mark.
  bool first_line_ = true;
  bool after_cr_ = false;
  bool overflowed_ = false;
};

} // namespace eventweft::cli
