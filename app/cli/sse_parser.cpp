// SPDX-License-Identifier: Apache-2.0
#include "app/cli/sse_parser.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace eventweft::cli {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

} // namespace

bool sse_parser::feed(std::string_view piece,
                      const std::function<bool(const message&)>& take) {
  while (!piece.empty() && !overflowed_) {
    if (after_cr_) {
      // The second half of a CRLF.
      after_cr_ = false;
      if (piece.front() == '\n') {
        piece.remove_prefix(1);
        continue;
      }
    }
    const auto end = std::min(piece.find_first_of("\r\n"), piece.size());
    if (line_.size() + end > limit_) {
      overflowed_ = true;
      break;
    }
    line_.append(piece.substr(0, end));
    if (end == piece.size())
      return true;
    after_cr_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    if (!end_line(take))
      return false;
  }
  return !overflowed_;
}

bool sse_parser::end_line(const std::function<bool(const message&)>& take) {
  std::string_view line = line_;
  if (std::exchange(first_line_, false) && line.starts_with(byte_order_mark))
    line.remove_prefix(byte_order_mark.size());
  if (!line.empty()) {
    const auto colon = line.find(':');
    if (colon != 0) {
      auto value = colon == std::string_view::npos ? std::string_view{}
                                                   : line.substr(colon + 1);
      if (value.starts_with(' '))
        value.remove_prefix(1);
      field(line.substr(0, colon), value);
    }
    line_.clear();
    return !overflowed_;
  }
  line_.clear();
  last_id_ = id_;
  if (!has_data_) {
    pending_ = {};
    return true;
  }
  message done = std::move(pending_);
  pending_ = {};
  has_data_ = false;
  done.data.pop_back();
  if (done.event.empty())
    done.event = "message";
  return take(done);
}

void sse_parser::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (pending_.data.size() + value.size() >= limit_) {
      overflowed_ = true;
      return;
    }
    pending_.data.append(value) += '\n';
    has_data_ = true;
  } else if (name == "event") {
    pending_.event = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos)
      id_ = value;
  } else if (name == "retry") {
    uint32_t milliseconds = 0;
    const auto* end = value.data() + value.size();
    const auto [stop, fault] = std::from_chars(value.data(), end, milliseconds);
    if (fault == std::errc{} && stop == end && !value.empty())
      retry_ = milliseconds;
  }
}

} // namespace eventweft::cli
