// SPDX-License-Identifier: Apache-2.0
#include "codec/event_json.hpp"
#include "net/deflate.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace eventweft::net {
namespace {

TEST(deflate_offer, ChoosesTheFirstThatCanBeMet) {
  struct sample {
    const char* offers;
    packing window;
    int client_bits;
    const char* offer;
  };
  const sample good[] = {
      {"permessage-deflate", packing::window15, 15, "permessage-deflate"},
      // Chromium, npm's ws.
      {"permessage-deflate; client_max_window_bits", packing::window15, 10,
       "permessage-deflate; client_max_window_bits"},
      // Python's websockets.
      {"permessage-deflate; server_max_window_bits=12; "
       "client_max_window_bits=12",
       packing::window12, 10,
       "permessage-deflate; server_max_window_bits=12; "
       "client_max_window_bits=12"},
      {"permessage-deflate;server_max_window_bits=\"14\"", packing::window12,
       15, "permessage-deflate; server_max_window_bits=12"},
      {"permessage-deflate; server_max_window_bits=9", packing::window9, 15,
       "permessage-deflate; server_max_window_bits=9"},
      {"permessage-deflate; server_max_window_bits=15", packing::window15, 15,
       "permessage-deflate"},
      {"PerMessage-Deflate; SERVER_NO_CONTEXT_TAKEOVER; "
       "client_no_context_takeover",
       packing::window15, 15, "permessage-deflate"},
      {"permessage-deflate; client_max_window_bits=8, permessage-deflate; "
       "client_max_window_bits=9",
       packing::window15, 9, "permessage-deflate; client_max_window_bits=9"},
      {"x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=8, "
       "permessage-deflate; what=1, permessage-deflate; "
       "server_max_window_bits=10",
       packing::window9, 15, "permessage-deflate; server_max_window_bits=9"},
  };
  for (const auto& s : good) {
    const auto terms = choose_deflate(s.offers);
    ASSERT_TRUE(terms) << s.offers;
    EXPECT_EQ(terms->window, s.window) << s.offers;
    EXPECT_EQ(terms->client_bits, s.client_bits) << s.offers;
    EXPECT_EQ(terms->offer, s.offer) << s.offers;
  }
}

TEST(deflate_offer, DeclinesWhatItCantMeetOrIsWrong) {
  for (const auto* bad :
       {"", "x-custom", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=09",
        "permessage-deflate; server_max_window_bits=1x",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=8",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; "
        "client_no_context_takeover",
        "permessage-deflate; unknown", ";;,,"})
    EXPECT_FALSE(choose_deflate(bad)) << bad;
}

/// What a client with a window of `bits` makes of one message.
std::string inflated(std::string message, int bits) {
  message += std::string("\x00\x00\xff\xff", 4);
  z_stream z{};
  EXPECT_EQ(inflateInit2(&z, -bits), Z_OK);
  std::string out(1 << 20, '\0');
  z.next_in = reinterpret_cast<Bytef*>(message.data());
  z.avail_in = static_cast<uInt>(message.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&z, Z_SYNC_FLUSH), Z_OK);
  EXPECT_EQ(z.avail_in, 0u);
  out.resize(out.size() - z.avail_out);
  inflateEnd(&z);
  return out;
}

event_ptr long_event(seq_t seq, size_t words) {
  event e;
  e.seq = seq;
  std::string payload = "[";
  for (size_t i = 0; i != words; ++i)
    payload += '"' + std::to_string(i * 7919 % 1000) + "-again\",";
  e.payload = shared_text{payload + "0]"};
  return event_ptr{std::move(e)};
}

TEST(packed_frame, IsReadByWindowsOfItsSize) {
  packed_frames packed{6};
  size_t before = 0, after = 0;
  packed.on_packed = [&](size_t b, size_t a) {
    before += b;
    after += a;
  };
  seq_t seq = 0;
  for (const auto pack :
       {packing::window9, packing::window12, packing::window15})
    for (const size_t words : {20u, 400u, 9'000u}) {
      const auto ev = long_event(++seq, words);
      const wire_style style{framing::websocket, wire_format::native, pack};
      const auto frame = packed.frame(ev, style);
      const auto text = codec::wire_text(ev, wire_format::native);
      ASSERT_EQ(static_cast<uint8_t>(frame[0]), 0xc1);
      EXPECT_LT(frame.size(), text.size());
      const size_t head = frame[1] < 126 ? 2 : frame[1] == 126 ? 4 : 10;
      EXPECT_EQ(inflated(std::string{frame.substr(head)}, window_bits(pack)),
                text);
    }
  EXPECT_GT(before, 2 * after);
}

TEST(packed_frame, LeavesShortMessagesAlone) {
  deflater d{6};
  std::string out;
  d.append_frame(out, "{\"seq\":1}", packing::window15);
  EXPECT_EQ(out, "\x81\x09{\"seq\":1}");
}

TEST(packed_frame, IsMadeOnceAndForgottenInTime) {
  packed_frames packed{1};
  size_t made = 0;
  packed.on_packed = [&](size_t, size_t) { ++made; };
  const wire_style style{framing::websocket, wire_format::native,
                         packing::window15};
  const auto first = long_event(1, 500);
  const std::string frame{packed.frame(first, style)};
  EXPECT_EQ(packed.frame(first, style), frame);
  EXPECT_EQ(made, 1u);
  constexpr seq_t many = 6'000;
  for (seq_t seq = 2; seq != many; ++seq)
    packed.frame(long_event(seq, 500), style);
  made = 0;
  EXPECT_EQ(packed.frame(first, style), frame);
  EXPECT_EQ(made, 1u);
  packed.frame(long_event(many - 1, 500), style);
  EXPECT_EQ(made, 1u);
}

} // namespace
} // namespace eventweft::net
