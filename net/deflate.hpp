// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "net/encoding.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

/// permessage-deflate (RFC 7692). The server never takes context over from one
/// message to the next: then a compressed message does not depend on who gets
/// it, and all readers share it like an uncompressed one.
namespace eventweft::net {

/// What is agreed with a client.
struct deflate_terms {
  packing window = packing::window15;
  /// What the client's own messages may look back: 9 … 15 bits.
  int client_bits = 15;
  /// The chosen offer alone, to be answered instead of all that were made.
  std::string offer;
};

/// Chooses from the value of `Sec-WebSocket-Extensions`: the first offer that
/// can be met. Nothing if there is none.
std::optional<deflate_terms> choose_deflate(std::string_view offers);

/// Appends one text frame with `text` compressed, or as it is where that is
/// not longer.
class deflater {
 public:
  explicit deflater(int level);
  ~deflater();
  deflater(const deflater&) = delete;
  deflater& operator=(const deflater&) = delete;

  void append_frame(std::string& out, std::string_view text, packing window);

 private:
  struct stream;
  stream& stream_for(packing window);

  int level_;
  std::array<std::unique_ptr<stream>, packing_count> streams_;
  std::string scratch_;
};

/// Frames of the latest events, each compressed once for all readers of a
/// thread, live or catching up. Bounded in bytes.
class packed_frames {
 public:
  explicit packed_frames(int level) : deflater_(level) {}

  /// Told the size of each message before and after.
  std::function<void(size_t, size_t)> on_packed;

  /// The whole frame; valid until the next call.
  std::string_view frame(const event_ptr& ev, wire_style style);

 private:
  using key = uint64_t;

  deflater deflater_;
  std::unordered_map<key, std::string> frames_;
  std::deque<key> oldest_first_;
  size_t bytes_ = 0;
};

} // namespace eventweft::net
