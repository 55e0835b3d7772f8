// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

/// What a reader must know of WebSocket, chunked transfer and SSE, on bytes
/// that lie in one buffer.
namespace eventweft::bench {

/// Undoes chunked transfer coding in place, across any number of pieces.
class chunk_decoder {
 public:
  /// Moves the data among the `size` bytes at `at` together; their number.
  size_t decode(char* at, size_t size) {
    char* out = at;
    for (const char* in = at, *end = at + size; in != end;) {
      if (rest_ > 0) {
        const auto n = std::min(rest_, static_cast<size_t>(end - in));
        if (out != in)
          std::memmove(out, in, n);
        out += n;
        in += n;
        rest_ -= n;
      } else {
        take_size(*in++);
      }
    }
    return static_cast<size_t>(out - at);
  }

 private:
  // Between chunks: CRLF, digits, perhaps an extension, CRLF.
  void take_size(char c) {
    if (c == '\n') {
      rest_ = digits_ ? size_ : 0;
      digits_ = extension_ = false;
      size_ = 0;
    } else if (c == ';') {
      extension_ = true;
    } else if (c != '\r' && !extension_) {
      digits_ = true;
      const auto digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
      size_ = size_ * 16 + static_cast<size_t>(digit);
    }
  }

  size_t rest_ = 0;
  size_t size_ = 0;
  bool digits_ = false;
  bool extension_ = false;
};

enum class frame_kind { data, part, ping, close, other };

struct frame {
  frame_kind kind;
  std::string_view payload;
  size_t size; ///< with its head
};

/// The first whole frame in `text`, as servers send them: not masked.
inline std::optional<frame> read_frame(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  if (text.size() < 2)
    return std::nullopt;
  size_t head = 2;
  uint64_t length = byte(1) & 0x7f;
  if (length >= 126) {
    const size_t digits = length == 126 ? 2 : 8;
    head += digits;
    if (text.size() < head)
      return std::nullopt;
    length = 0;
    for (size_t i = 0; i < digits; ++i)
      length = length << 8 | byte(2 + i);
  }
  if (text.size() < head + length)
    return std::nullopt;
  const bool last = (byte(0) & 0x80) != 0;
  auto kind = frame_kind::other;
  switch (byte(0) & 0x0f) {
  case 0:
  case 1:
  case 2:
    kind = last ? frame_kind::data : frame_kind::part;
    break;
  case 8:
    kind = frame_kind::close;
    break;
  case 9:
    kind = frame_kind::ping;
    break;
  default:
    break;
  }
  return frame{kind, text.substr(head, length), head + length};
}

/// Events carry their number as the last member of their payload, so that it
/// is found without reading the rest: `…"n":"000000000042"}}`.
inline constexpr std::string_view tag_end = "\"}}";
inline constexpr size_t tag_digits = 12;

inline std::string tag_text(uint64_t n) {
  auto digits = std::to_string(n);
  return std::string(tag_digits - digits.size(), '0') + digits;
}

/// The number of the event whose text this is.
inline std::optional<uint64_t> read_tag(std::string_view event) {
  if (event.size() < tag_digits + tag_end.size() || !event.ends_with(tag_end))
    return std::nullopt;
  uint64_t n = 0;
  const auto* at = event.data() + event.size() - tag_end.size() - tag_digits;
  for (size_t i = 0; i < tag_digits; ++i) {
    if (at[i] < '0' || at[i] > '9')
      return std::nullopt;
    n = n * 10 + static_cast<uint64_t>(at[i] - '0');
  }
  return n;
}

} // namespace eventweft::bench
