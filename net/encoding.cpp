// SPDX-License-Identifier: Apache-2.0
#include "net/encoding.hpp"

#include "codec/event_json.hpp"
#include "net/deflate.hpp"

#include <algorithm>
#include <charconv>

namespace eventweft::net {

namespace {

void append_number(std::string& out, int64_t n) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), n).ptr;
  out.append(digits, end);
}

} // namespace

void append_text_frame(std::string& out, std::string_view text,
                       bool compressed) {
  const uint64_t n = text.size();
  char head[10];
  size_t head_size = 2;
  // FIN, RSV1 for a compressed message, opcode "text".
  head[0] = static_cast<char>(compressed ? 0xc1 : 0x81);
  if (n < 126) {
    head[1] = static_cast<char>(n);
  } else {
    const bool wide = n > 0xffff;
    const size_t length_bytes = wide ? 8 : 2;
    head[1] = static_cast<char>(wide ? 127 : 126);
    for (size_t i = 0; i != length_bytes; ++i)
      head[2 + i] = static_cast<char>(n >> (8 * (length_bytes - 1 - i)));
    head_size += length_bytes;
  }
  out.append(head, head_size);
  out.append(text);
}

void append_sse_data(std::string& out, std::string_view text) {
  // Looked for one by one: `find_first_of` takes every character in hand.
  constexpr auto none = std::string_view::npos;
  size_t feed = text.find('\n');
  size_t carriage = text.find('\r');
  for (size_t at = 0;;) {
    const size_t end = std::min(feed, carriage);
    out += "data: ";
    out += text.substr(at, end - at);
    out += '\n';
    if (end == none)
      return;
    at = end + 1;
    if (end == carriage) {
      if (feed == at)
        ++at;
      carriage = text.find('\r', at);
    }
    if (feed < at)
      feed = text.find('\n', at);
  }
}

void append_sse_event(std::string& out, seq_t id, std::string_view text) {
  out += "id: ";
  append_number(out, id);
  out += '\n';
  append_sse_data(out, text);
  out += '\n';
}

void append_event(std::string& out, const event_ptr& ev, wire_style style,
                  packed_frames& packed) {
  if (style.pack != packing::none) {
    out.append(packed.frame(ev, style));
    return;
  }
  const auto text = codec::wire_text(ev, style.format);
  if (style.frame == framing::websocket)
    append_text_frame(out, text);
  else
    append_sse_event(out, ev->seq, text);
}

void encoded_events::assign(const std::vector<event_ptr>& events,
                            wire_style style, packed_frames& packed) {
  if (bytes.use_count() == 1)
    bytes->clear();
  else
    bytes = std::make_shared<std::string>();
  marks.clear();
  for (const auto& ev : events) {
    append_event(*bytes, ev, style, packed);
    marks.push_back({bytes->size(), ev->seq});
  }
}

} // namespace eventweft::net
