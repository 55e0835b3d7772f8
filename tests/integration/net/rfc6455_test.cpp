// SPDX-License-Identifier: Apache-2.0
// What RFC 6455 asks of a server, clause by clause, in the manner of the
// Autobahn test suite: a client that may send any bytes.
#include "frame_client.hpp"

namespace eventweft::net {
namespace {

constexpr uint16_t protocol_error = 1002;
constexpr uint16_t bad_data = 1007;
constexpr uint16_t too_big = 1009;

/// Not JSON, so that the server answers with an error: a sign of life after
/// everything that was sent before.
constexpr std::string_view knock = "?";

class rfc6455 : public server_test {
 protected:
  void SetUp() override {
    streaming_.max_message_bytes = 100'000;
    start();
  }

  frame_client open() { return {port_, "/ws/events/all_events"}; }

  static bool is_error(const std::string& text) {
    return text.starts_with(R"({"error":)");
  }

  /// The server answers a message, so it has taken all that came before.
  static void expect_alive(frame_client& c) {
    c.say(knock);
    EXPECT_TRUE(is_error(c.expect(op_text)));
  }

  /// The bytes make the server fail the connection with `code`.
  void expect_failure(std::string_view bytes, uint16_t code,
                      const std::string& what) {
    auto c = open();
    c.send_bytes(bytes);
    EXPECT_EQ(c.closed(), code) << what;
    EXPECT_TRUE(c.at_end()) << what;
  }
};

// -- 5.2 framing --------------------------------------------------------------

TEST_F(rfc6455, TakesTextOfEveryLength) {
  auto c = open();
  for (const size_t n :
       {0u, 1u, 125u, 126u, 127u, 128u, 65'535u, 65'536u, 99'999u, 100'000u}) {
    c.say(std::string(n, '*'));
    EXPECT_TRUE(is_error(c.expect(op_text))) << n;
  }
}

TEST_F(rfc6455, TakesAFrameByteByByte) {
  auto c = open();
  for (const char b : bytes_of({op_text, std::string(130, '*')}))
    c.send_bytes({&b, 1});
  EXPECT_TRUE(is_error(c.expect(op_text)));
}

TEST_F(rfc6455, TakesManyFramesInOneSegment) {
  auto c = open();
  std::string bytes;
  for (int i = 0; i != 100; ++i)
    bytes += bytes_of({op_text, "x"});
  c.send_bytes(bytes);
  for (int i = 0; i != 100; ++i)
    EXPECT_TRUE(is_error(c.expect(op_text)));
}

TEST_F(rfc6455, RefusesFramesThatAreNotMasked) {
  expect_failure(bytes_of({op_text, "{}", true, 0, false}), protocol_error,
                 "5.1");
  expect_failure(bytes_of({op_ping, "", true, 0, false}), protocol_error,
                 "5.1, ping");
}

TEST_F(rfc6455, RefusesLengthsThatAreNotMinimal) {
  expect_failure(std::string("\x81\xfe\x00\x05", 4) + "mask*****",
                 protocol_error, "16 bits for 5");
  expect_failure(std::string("\x81\xff\0\0\0\0\0\0\x00\x7e", 10) + "mask",
                 protocol_error, "64 bits for 126");
}

TEST_F(rfc6455, RefusesEveryReservedBit) {
  for (uint8_t rsv = 1; rsv != 8; ++rsv)
    for (const uint8_t op : {op_text, op_binary, op_ping, op_pong, op_close})
      expect_failure(bytes_of({op, "", true, rsv}), protocol_error,
                     "rsv " + std::to_string(rsv) + ", op " +
                         std::to_string(op));
}

TEST_F(rfc6455, RefusesEveryReservedOpcode) {
  for (const uint8_t op : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    for (const auto* payload : {"", "hello"})
      expect_failure(bytes_of({op, payload}), protocol_error,
                     "op " + std::to_string(op));
}

TEST_F(rfc6455, AReservedOpcodeAfterAMessageEndsItAllTheSame) {
  auto c = open();
  c.send_bytes(bytes_of({op_text, "?"}) + bytes_of({5, ""}) +
               bytes_of({op_ping, ""}));
  EXPECT_TRUE(is_error(c.expect(op_text)));
  EXPECT_EQ(c.closed(), protocol_error);
}

// -- 5.5 control frames -------------------------------------------------------

TEST_F(rfc6455, AnswersPingsWithTheirPayload) {
  auto c = open();
  for (const auto& payload :
       {std::string{}, std::string{"hello"}, std::string("\0\xff\xfe\xfd", 4),
        std::string(125, '\xfe')}) {
    c.send({op_ping, payload});
    EXPECT_EQ(c.expect(op_pong), payload);
  }
  for (const char b : bytes_of({op_ping, std::string(125, '\xfe')}))
    c.send_bytes({&b, 1});
  EXPECT_EQ(c.expect(op_pong), std::string(125, '\xfe'));
}

TEST_F(rfc6455, AnswersManyPingsInOrder) {
  auto c = open();
  std::string bytes;
  for (int i = 0; i != 10; ++i)
    bytes += bytes_of({op_ping, std::to_string(i)});
  c.send_bytes(bytes);
  // A server may answer the latest of several only; if it answers more, then
  // in order, and the last one always.
  std::string last;
  while (last != "9") {
    auto next = c.expect(op_pong);
    ASSERT_GT(next, last);
    last = std::move(next);
  }
}

TEST_F(rfc6455, TakesPongsNobodyAskedFor) {
  auto c = open();
  c.send({op_pong, ""});
  c.send({op_pong, "unasked"});
  c.send({op_ping, "mine"});
  EXPECT_EQ(c.expect(op_pong), "mine");
}

TEST_F(rfc6455, RefusesLongControlFrames) {
  for (const uint8_t op : {op_ping, op_pong, op_close})
    expect_failure(bytes_of({op, std::string(126, 'x')}), protocol_error,
                   "op " + std::to_string(op));
}

TEST_F(rfc6455, RefusesFragmentedControlFrames) {
  for (const uint8_t op : {op_ping, op_pong, op_close})
    expect_failure(bytes_of({op, "", false}), protocol_error,
                   "op " + std::to_string(op));
}

// -- 5.4 fragmentation --------------------------------------------------------

TEST_F(rfc6455, PutsFragmentsTogether) {
  backend_.commit(7);
  auto c = open();
  c.send({op_text, R"({"ack")", false});
  c.send({op_continuation, "", false});
  c.send({op_continuation, ":7}", true});
  EXPECT_TRUE(acknowledged(7));
  c.send({op_text, "", false});
  c.send({op_continuation, "", false});
  c.send({op_continuation, "", true});
  EXPECT_TRUE(is_error(c.expect(op_text)));
}

TEST_F(rfc6455, AnswersControlFramesBetweenFragments) {
  backend_.commit(8);
  auto c = open();
  c.send({op_text, R"({"ack")", false});
  c.send({op_ping, "between"});
  EXPECT_EQ(c.expect(op_pong), "between");
  c.send({op_pong, ""});
  c.send({op_continuation, ":8", false});
  c.send({op_ping, "again"});
  EXPECT_EQ(c.expect(op_pong), "again");
  c.send({op_continuation, "}"});
  EXPECT_TRUE(acknowledged(8));
}

TEST_F(rfc6455, ACloseBetweenFragmentsCloses) {
  auto c = open();
  c.send({op_text, "{", false});
  c.send({op_close, close_payload(1000)});
  EXPECT_EQ(c.closed(), 1000);
}

TEST_F(rfc6455, RefusesContinuationsOfNothing) {
  expect_failure(bytes_of({op_continuation, "x", true}), protocol_error, "fin");
  expect_failure(bytes_of({op_continuation, "x", false}), protocol_error,
                 "no fin");
  auto c = open();
  c.send({op_text, "?", true});
  EXPECT_TRUE(is_error(c.expect(op_text)));
  c.send({op_continuation, "", true});
  EXPECT_EQ(c.closed(), protocol_error);
}

TEST_F(rfc6455, RefusesAMessageWithinAMessage) {
  for (const uint8_t op : {op_text, op_binary})
    for (const bool fin : {true, false})
      expect_failure(bytes_of({op_text, "x", false}) + bytes_of({op, "y", fin}),
                     protocol_error, "op " + std::to_string(op));
}

// -- 5.6, 8.1 UTF-8 -----------------------------------------------------------

TEST_F(rfc6455, TakesAllOfUnicode) {
  auto c = open();
  for (const auto* text :
       {"Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1",
        "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf", "\xef\xbb\xbf"}) {
    c.say(text);
    EXPECT_TRUE(is_error(c.expect(op_text))) << text;
    // Cut in the middle of a character.
    const std::string_view all{text};
    for (size_t cut = 1; cut < all.size(); ++cut) {
      c.send({op_text, std::string{all.substr(0, cut)}, false});
      c.send({op_continuation, std::string{all.substr(cut)}});
      EXPECT_TRUE(is_error(c.expect(op_text))) << text << cut;
    }
  }
}

TEST_F(rfc6455, RefusesWhatIsNotUtf8) {
  const std::string bad[] = {
      "\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf",
      "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
      "\xed\xa0\x80\xed\xb0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
      "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff",
      // Cut short.
      "\xc3", "\xe2\x82", "\xf0\x9f\x98", "ok \xce",
      "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
      "edited"};
  for (const auto& text : bad) {
    expect_failure(bytes_of({op_text, text}), bad_data, text);
    expect_failure(bytes_of({op_text, "ok ", false}) +
                       bytes_of({op_continuation, text}),
                   bad_data, text);
  }
}

TEST_F(rfc6455, RefusesItBeforeTheMessageEnds) {
  // 6.4 of Autobahn's list: in the first of several fragments, and in the
  // middle of a frame of which more is to come.
  const std::string bad = "\xce\xba\xf4\x90\x80\x80";
  expect_failure(bytes_of({op_text, bad, false}), bad_data, "fragment");
  const auto whole = bytes_of({op_text, bad + std::string(1000, 'x')});
  expect_failure(std::string_view{whole}.substr(0, 8 + bad.size()), bad_data,
                 "half a frame");
  // The byte that makes it wrong is enough: F4 90 can't go on well.
  expect_failure(std::string_view{whole}.substr(0, 8 + 4), bad_data,
                 "half a character");
}

// -- 5.5.1, 7 closing ---------------------------------------------------------

TEST_F(rfc6455, AnswersACloseWithItsCode) {
  for (const uint16_t code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
                              1011, 1012, 1013, 3000, 3999, 4000, 4999}) {
    auto c = open();
    c.send({op_close, close_payload(code, "bye")});
    EXPECT_EQ(c.closed(), code);
    EXPECT_TRUE(c.at_end());
  }
}

TEST_F(rfc6455, AnswersACloseWithoutACode) {
  auto c = open();
  c.send({op_close, ""});
  const auto code = c.closed();
  EXPECT_TRUE(code == 1005 || code == 1000) << code;
  EXPECT_TRUE(c.at_end());
}

TEST_F(rfc6455, RefusesCodesThatMayNotBeSent) {
  for (const uint16_t code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100,
                              2000, 2999, 5000, 65'535})
    expect_failure(bytes_of({op_close, close_payload(code)}), protocol_error,
                   std::to_string(code));
}

TEST_F(rfc6455, RefusesACloseWithHalfACode) {
  expect_failure(bytes_of({op_close, "x"}), protocol_error, "one byte");
}

TEST_F(rfc6455, TakesReasonsUpTo123Bytes) {
  auto c = open();
  c.send({op_close, close_payload(1000, std::string(123, 'x'))});
  EXPECT_EQ(c.closed(), 1000);
  expect_failure(
      bytes_of({op_close, close_payload(1000, std::string(124, 'x'))}),
      protocol_error, "124 bytes");
}

TEST_F(rfc6455, RefusesAReasonThatIsNotUtf8) {
  auto c = open();
  c.send({op_close, close_payload(1000, "\xce\xba\xed\xa0\x80")});
  const auto code = c.closed();
  EXPECT_TRUE(code == bad_data || code == protocol_error) << code;
}

TEST_F(rfc6455, SaysNothingAfterItsClose) {
  auto c = open();
  c.send_bytes(bytes_of({op_close, close_payload(1000)}) +
               bytes_of({op_ping, "late"}) + bytes_of({op_text, "?"}) +
               bytes_of({op_close, close_payload(1001)}));
  EXPECT_EQ(c.closed(), 1000);
  backend_.commit(1);
  EXPECT_TRUE(c.at_end());
}

TEST_F(rfc6455, SaysWhatWasAskedBeforeTheClose) {
  auto c = open();
  c.send_bytes(bytes_of({op_text, "?"}) + bytes_of({op_ping, "first"}) +
               bytes_of({op_close, close_payload(1000)}));
  EXPECT_TRUE(is_error(c.expect(op_text)));
  EXPECT_EQ(c.expect(op_pong), "first");
  EXPECT_EQ(c.closed(), 1000);
}

// -- 7.4.1, 10.4 limits -------------------------------------------------------

TEST_F(rfc6455, RefusesMessagesOverTheLimit) {
  expect_failure(head_of({op_text, ""}, 100'001), too_big, "by its head");
  expect_failure(head_of({op_text, ""}, 1ull << 62), too_big, "an absurd one");
  const auto half = std::string(60'000, 'x');
  expect_failure(bytes_of({op_text, half, false}) +
                     head_of({op_continuation, ""}, 60'000),
                 too_big, "in fragments");
  // The sign bit of a length may not be set at all.
  auto c = open();
  c.send_bytes(head_of({op_text, ""}, 1ull << 63));
  const auto code = c.closed();
  EXPECT_TRUE(code == too_big || code == protocol_error) << code;
}

TEST_F(rfc6455, RefusesBinaryMessages) {
  expect_failure(bytes_of({op_binary, "{}"}), 1003, "binary");
}

// -- 4.2 the handshake --------------------------------------------------------

TEST_F(rfc6455, ConfirmsTheKey) {
  auto c = open();
  // The example of RFC 6455, 1.3.
  EXPECT_EQ(c.upgrade.header("sec-websocket-accept"),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(c.upgrade.header("sec-websocket-extensions"), "");
  EXPECT_EQ(c.upgrade.header("sec-websocket-protocol"), "");
  expect_alive(c);
}

TEST_F(rfc6455, RefusesAWrongHandshake) {
  const std::string connection = "Connection: Upgrade\r\n";
  const std::string upgrade = "Upgrade: websocket\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  const std::pair<std::string, int> bad[] = {
      {upgrade + key + version, 426},
      {connection + key + version, 426},
      {connection + upgrade + version, 400},
      {connection + upgrade + key, 426},
      {connection + upgrade + key + "Sec-WebSocket-Version: 12\r\n", 426},
      {connection + upgrade + "Sec-WebSocket-Key: short\r\n" + version, 400},
  };
  for (const auto& [fields, status] : bad) {
    auto c = connect();
    const auto a = c.ask(get("/ws/events/all_events", fields));
    EXPECT_EQ(a.status, status) << fields;
    EXPECT_EQ(a.header("content-type"), "application/problem+json") << fields;
  }
}

} // namespace
} // namespace eventweft::net
