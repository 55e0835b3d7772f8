// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fixture.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::net {

enum opcode : uint8_t {
  op_continuation = 0,
  op_text = 1,
  op_binary = 2,
  op_close = 8,
  op_ping = 9,
  op_pong = 10,
};

struct frame {
  uint8_t op = op_text;
  std::string payload;
  bool fin = true;
  /// RSV1 is 4, RSV2 is 2, RSV3 is 1.
  uint8_t rsv = 0;
  bool masked = true;
};

/// The frame's bytes as a client sends them.
std::string bytes_of(const frame& f);
/// Only the head of a frame with `length` bytes.
std::string head_of(const frame& f, uint64_t length);

/// The payload of a close frame.
std::string close_payload(uint16_t code, std::string_view reason = {});

/// A WebSocket client that knows nothing of the protocol but how frames look:
/// it may send anything.
class frame_client {
 public:
  /// `extensions`: the offer in the handshake; empty: none.
  frame_client(uint16_t port, const std::string& target,
               const std::string& extensions = {}, int receive_buffer = 0);

  void send(const frame& f) { raw_.send(bytes_of(f)); }
  void send_bytes(std::string_view bytes) { raw_.send(bytes); }
  void say(std::string_view text) { send({op_text, std::string{text}}); }

  /// The next frame; nothing if the connection ended.
  std::optional<frame> read();
  /// The payload of the next frame, which must be of this kind.
  std::string expect(uint8_t op);
  /// Reads up to the server's close frame: its code, 1005 for a close frame
  /// without one, 1006 if the connection ended without.
  uint16_t closed();
  /// The rest of that frame.
  const std::string& close_reason() const noexcept { return reason_; }
  bool at_end() { return raw_.at_end(); }

  http_answer upgrade;

 private:
  raw_client raw_;
  std::string reason_;
};

} // namespace eventweft::net
