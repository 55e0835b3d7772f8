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

struct wire_style {
  framing frame = framing::websocket;
  wire_format format = wire_format::native;

  size_t index() const noexcept {
    return static_cast<size_t>(frame) * wire_format_count +
           static_cast<size_t>(format);
  }
};
inline constexpr size_t wire_style_count = framing_count * wire_format_count;

/// Appends one unmasked, unfragmented text frame (RFC 6455), which is what a
/// server sends.
void append_text_frame(std::string& out, std::string_view text);

/// Appends `data:` lines: one for each line of `text`, whichever of LF, CR and
/// CRLF ends it.
void append_sse_data(std::string& out, std::string_view text);

/// Appends an event with its `id:`. There is no `event:` field, so that
/// `EventSource.onmessage` gets it.
void append_sse_event(std::string& out, seq_t id, std::string_view text);

/// Appends `ev` in `style`.
void append_event(std::string& out, const event_ptr& ev, wire_style style);

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
  void assign(const std::vector<event_ptr>& events, wire_style style);
};

} // namespace eventweft::net
