// SPDX-License-Identifier: Apache-2.0
// permessage-deflate as RFC 7692 has it.
#include "frame_client.hpp"

#include <zlib.h>

namespace eventweft::net {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view flush_end{"\x00\x00\xff\xff", 4};

std::string deflated(std::string_view text, int bits = 15) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string out(deflateBound(&z, text.size()) + 16, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_SYNC_FLUSH), Z_OK);
  out.resize(out.size() - z.avail_out - flush_end.size());
  deflateEnd(&z);
  return out;
}

/// One message by itself, with a window of `bits`.
std::string inflated(std::string message, int bits = 15) {
  message += flush_end;
  z_stream z{};
  EXPECT_EQ(inflateInit2(&z, -bits), Z_OK);
  std::string out(1 << 20, '\0');
  z.next_in = reinterpret_cast<Bytef*>(message.data());
  z.avail_in = static_cast<uInt>(message.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&z, Z_SYNC_FLUSH), Z_OK);
  out.resize(out.size() - z.avail_out);
  inflateEnd(&z);
  return out;
}

class compression : public server_test {
 protected:
  void SetUp() override { streaming_.compression = true; }

  frame_client open(const std::string& offer, const std::string& more = {}) {
    return {port_, "/ws/events/all_events" + more, offer};
  }
  bool joined(size_t readers) {
    return backend_.wait([&] { return backend_.joins() >= readers; });
  }
  double figure(const std::string& name) {
    const auto text = metrics_.text();
    const auto at = text.find('\n' + name + ' ');
    return at == std::string::npos
               ? -1
               : std::stod(text.substr(at + name.size() + 2));
  }
};

TEST_F(compression, IsOffUnlessConfigured) {
  streaming_.compression = false;
  start();
  auto c = open("permessage-deflate");
  EXPECT_EQ(c.upgrade.header("sec-websocket-extensions"), "");
  ASSERT_TRUE(joined(1));
  backend_.commit(1, "push", 1000);
  EXPECT_EQ(c.read()->rsv, 0);
}

TEST_F(compression, IsAgreedOnAsOffered) {
  start();
  const std::pair<const char*, const char*> offers[] = {
      {"permessage-deflate; client_max_window_bits",
       "permessage-deflate; server_no_context_takeover; "
       "client_no_context_takeover; client_max_window_bits=10"},
      {"permessage-deflate", "permessage-deflate; server_no_context_takeover; "
                             "client_no_context_takeover"},
      {"permessage-deflate; server_max_window_bits=12; "
       "client_max_window_bits=12",
       "permessage-deflate; server_no_context_takeover; "
       "client_no_context_takeover; server_max_window_bits=12; "
       "client_max_window_bits=10"},
      {"permessage-deflate; server_max_window_bits=8", ""},
      {"permessage-deflate; client_max_window_bits=8", ""},
      {"permessage-deflate; client_max_window_bits=9",
       "permessage-deflate; server_no_context_takeover; "
       "client_no_context_takeover; client_max_window_bits=9"},
      {"permessage-bzip2", ""},
      {"permessage-bzip2, permessage-deflate; server_max_window_bits=8, "
       "permessage-deflate; server_max_window_bits=11",
       "permessage-deflate; server_no_context_takeover; "
       "client_no_context_takeover; server_max_window_bits=9"},
  };
  for (const auto& [offer, answer] : offers)
    EXPECT_EQ(open(offer).upgrade.header("sec-websocket-extensions"), answer)
        << offer;
}

TEST_F(compression, EachEventIsAMessageByItself) {
  backend_.ring_events = 3;
  backend_.page_events = 2;
  backend_.commit(6, "push", 2000);
  start();
  auto wide = open("permessage-deflate", "?since=earliest");
  auto narrow =
      open("permessage-deflate; server_max_window_bits=9", "?since=earliest");
  auto plain = open("", "?since=earliest");
  for (seq_t seq = 1; seq <= 6; ++seq) {
    const auto text = plain.expect(op_text);
    EXPECT_EQ(seq_of(text), seq);
    for (auto* c : {&wide, &narrow}) {
      const auto f = c->read();
      ASSERT_TRUE(f);
      EXPECT_EQ(f->rsv, 4);
      EXPECT_LT(f->payload.size(), text.size() / 4);
      EXPECT_EQ(inflated(f->payload, c == &narrow ? 9 : 15), text);
    }
  }
  ASSERT_TRUE(joined(3));
  backend_.commit(2, "push", 2000);
  for (seq_t seq = 7; seq <= 8; ++seq) {
    const auto text = plain.expect(op_text);
    EXPECT_EQ(inflated(wide.read()->payload), text);
    EXPECT_EQ(inflated(narrow.read()->payload, 9), text);
  }
}

TEST_F(compression, AnEventIsCompressedOnceForAllReadersOfAThread) {
  server_.threads = 1;
  start();
  std::vector<std::unique_ptr<frame_client>> readers;
  for (int i = 0; i != 20; ++i)
    readers.push_back(std::make_unique<frame_client>(
        port_, "/ws/events/all_events", "permessage-deflate"));
  ASSERT_TRUE(joined(20));
  backend_.commit(5, "push", 3000);
  for (auto& r : readers)
    for (seq_t seq = 1; seq <= 5; ++seq)
      EXPECT_EQ(seq_of(inflated(r->read()->payload)), seq);
  const auto in = figure("eventweft_stream_compression_input_bytes_total");
  EXPECT_GT(in, 5 * 3000);
  EXPECT_LT(in, 5 * 4000);
  EXPECT_LT(figure("eventweft_stream_compression_output_bytes_total"), in / 4);
}

TEST_F(compression, ShortMessagesAndControlFramesGoAsTheyAre) {
  streaming_.ping_interval = 20ms;
  start();
  auto c = open("permessage-deflate");
  for (bool pinged = false, answered = false; !pinged || !answered;) {
    if (!answered)
      c.say("?");
    const auto f = c.read();
    ASSERT_TRUE(f);
    EXPECT_EQ(f->rsv, 0);
    pinged = pinged || f->op == op_ping;
    answered = answered || f->op == op_text;
  }
}

TEST_F(compression, ReadsCompressedMessages) {
  backend_.commit(3);
  start();
  auto c = open("permessage-deflate");
  c.send({op_text, deflated(R"({"ack":1})"), true, 4});
  EXPECT_TRUE(acknowledged(1));
  // Some clients compress some messages only.
  c.send({op_text, R"({"ack":2})"});
  EXPECT_TRUE(acknowledged(2));
  // In fragments, with a control frame between them; RSV1 is on the first.
  const auto three = deflated(R"({"ack":)" + std::string(300, ' ') + "3}");
  c.send({op_text, three.substr(0, 5), false, 4});
  c.send({op_ping, "between"});
  c.send({op_continuation, three.substr(5, 3), false});
  c.send({op_continuation, three.substr(8), true});
  EXPECT_EQ(c.expect(op_pong), "between");
  // The empty message, as RFC 7692 gives it, is an empty text: no JSON.
  c.send({op_text, std::string("\0", 1), true, 4});
  EXPECT_TRUE(c.expect(op_text).starts_with(R"({"error":)"));
  EXPECT_TRUE(acknowledged(3));
}

TEST_F(compression, RefusesTheBitWhereItMayNotBe) {
  start();
  const auto fails = [&](const std::string& offer, std::vector<frame> frames) {
    auto c = open(offer);
    for (const auto& f : frames)
      c.send(f);
    return c.closed();
  };
  const auto text = deflated("{}");
  EXPECT_EQ(fails("", {{op_text, text, true, 4}}), 1002);
  const std::string offer = "permessage-deflate";
  EXPECT_EQ(fails(offer, {{op_ping, "", true, 4}}), 1002);
  EXPECT_EQ(fails(offer, {{op_text, text, true, 6}}), 1002);
  EXPECT_EQ(fails(offer, {{op_text, text.substr(0, 1), false, 4},
                          {op_continuation, text.substr(1), true, 4}}),
            1002);
}

TEST_F(compression, EndsOnWhatCantBeInflated) {
  start();
  auto c = open("permessage-deflate");
  c.send({op_text, "\xff\xff\xff\xff\xff", true, 4});
  EXPECT_EQ(c.closed(), 1007);
  EXPECT_TRUE(c.at_end());
  EXPECT_TRUE(backend_.wait([&] { return backend_.readers() == 0; }));
}

TEST_F(compression, RefusesTextThatIsNotUtf8Inside) {
  start();
  auto c = open("permessage-deflate");
  c.send({op_text, deflated("\xed\xa0\x80"), true, 4});
  EXPECT_EQ(c.closed(), 1007);
}

TEST_F(compression, ABombIsRefusedBeforeItGoesOff) {
  streaming_.max_message_bytes = 10'000;
  start();
  auto c = open("permessage-deflate");
  // 100 MB of blanks in about 100 KB, and again as one that claims little.
  const auto bomb = deflated(std::string(100'000'000, ' '));
  EXPECT_LT(bomb.size(), 200'000u);
  c.send_bytes(bytes_of({op_text, bomb.substr(0, 5'000), false, 4}));
  EXPECT_EQ(c.closed(), 1009);
  EXPECT_TRUE(backend_.wait([&] { return backend_.readers() == 0; }));
}

} // namespace
} // namespace eventweft::net
