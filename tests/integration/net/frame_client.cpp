// SPDX-License-Identifier: Apache-2.0
#include "frame_client.hpp"

namespace eventweft::net {

namespace {

constexpr std::string_view mask = "\x37\xfa\x21\x3d";

} // namespace

std::string head_of(const frame& f, uint64_t length) {
  std::string out;
  out += static_cast<char>((f.fin ? 0x80 : 0) | (f.rsv << 4) | f.op);
  const int masked = f.masked ? 0x80 : 0;
  if (length < 126) {
    out += static_cast<char>(masked | static_cast<int>(length));
  } else {
    const int size = length > 0xffff ? 8 : 2;
    out += static_cast<char>(masked | (size == 8 ? 127 : 126));
    for (int i = size - 1; i >= 0; --i)
      out += static_cast<char>(length >> (8 * i));
  }
  if (f.masked)
    out += mask;
  return out;
}

std::string bytes_of(const frame& f) {
  auto out = head_of(f, f.payload.size());
  for (size_t i = 0; i != f.payload.size(); ++i)
    out += static_cast<char>(f.payload[i] ^ (f.masked ? mask[i % 4] : 0));
  return out;
}

std::string close_payload(uint16_t code, std::string_view reason) {
  std::string out;
  out += static_cast<char>(code >> 8);
  out += static_cast<char>(code & 0xff);
  return out.append(reason);
}

frame_client::frame_client(uint16_t port, const std::string& target,
                           const std::string& extensions, int receive_buffer)
    : raw_(port, receive_buffer) {
  std::string more = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (!extensions.empty())
    more += "Sec-WebSocket-Extensions: " + extensions + "\r\n";
  raw_.send(get(target, more));
  upgrade = raw_.read_answer();
  if (upgrade.status != 101)
    throw std::runtime_error{"refused: " + upgrade.head + upgrade.body};
}

std::optional<frame> frame_client::read() {
  const auto start = raw_.read_exactly(2);
  if (start.size() < 2)
    return std::nullopt;
  const auto first = static_cast<uint8_t>(start[0]);
  uint64_t length = static_cast<uint8_t>(start[1]);
  frame f;
  f.op = first & 0x0f;
  f.fin = (first & 0x80) != 0;
  f.rsv = (first >> 4) & 7;
  f.masked = length > 127;
  if (length == 126 || length == 127) {
    const auto more = raw_.read_exactly(length == 126 ? 2 : 8);
    length = 0;
    for (const char c : more)
      length = length << 8 | static_cast<uint8_t>(c);
  }
  f.payload = raw_.read_exactly(length);
  return f;
}

std::string frame_client::expect(uint8_t op) {
  const auto f = read();
  if (!f) {
    ADD_FAILURE() << "the connection ended";
    return {};
  }
  EXPECT_EQ(f->op, op) << f->payload;
  EXPECT_TRUE(f->fin);
  EXPECT_FALSE(f->masked);
  return f->payload;
}

uint16_t frame_client::closed() {
  while (const auto f = read()) {
    if (f->op != op_close)
      continue;
    if (f->payload.size() < 2)
      return 1005;
    reason_ = f->payload.substr(2);
    return static_cast<uint16_t>(static_cast<uint8_t>(f->payload[0]) << 8 |
                                 static_cast<uint8_t>(f->payload[1]));
  }
  return 1006;
}

} // namespace eventweft::net
