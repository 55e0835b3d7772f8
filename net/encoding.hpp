// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::net {

/// How one event looks on one kind of stream.
enum class framing : uint8_t { websocket = 0, sse = 1 };
inline constexpr size_t framing_count = 2;

/// Whether messages are compressed, and how far back a compressed one refers.
enum class packing : uint8_t {
  none = 0,
  window9 = 1,
  window12 = 2,
  window15 = 3
};
inline constexpr size_t packing_count = 4;

/// The window's size as RFC 7692 gives it; 0 for none.
constexpr int window_bits(packing p) noexcept {
  constexpr int bits[packing_count] = {0, 9, 12, 15};
  return bits[static_cast<size_t>(p)];
}

struct wire_style {
  framing frame = framing::websocket;
  wire_format format = wire_format::native;
  /// WebSocket only.
  packing pack = packing::none;

  size_t index() const noexcept {
    return (static_cast<size_t>(frame) * wire_format_count +
            static_cast<size_t>(format)) *
               packing_count +
           static_cast<size_t>(pack);
  }
};
inline constexpr size_t wire_style_count =
    framing_count * wire_format_count * packing_count;

class packed_frames;

/// Appends one unmasked, unfragmented text frame (RFC 6455), which is what a
/// server sends; `compressed` marks it as permessage-deflate does.
void append_text_frame(std::string& out, std::string_view text,
                       bool compressed = false);

/// Appends `data:` lines: one for each line of `text`, whichever of LF, CR and
/// CRLF ends it.
void append_sse_data(std::string& out, std::string_view text);

/// Appends an event with its `id:`. There is no `event:` field, so that
/// `EventSource.onmessage` gets it.
void append_sse_event(std::string& out, seq_t id, std::string_view text);

/// Appends `ev` in `style`; what is compressed comes from `packed`.
void append_event(std::string& out, const event_ptr& ev, wire_style style,
                  packed_frames& packed);

/// The bytes of a run of events and where each of them ends.
struct encoded_events {
  struct mark {
    size_t end;
    seq_t seq;
  };
  /// Shared with the streams that could not send all of it at once.
  std::shared_ptr<std::string> bytes = std::make_shared<std::string>();
  std::vector<mark> marks;

  /// Uses the memory of before again unless somebody still holds it.
  void assign(const std::vector<event_ptr>& events, wire_style style,
              packed_frames& packed);
};

} // namespace eventweft::net
