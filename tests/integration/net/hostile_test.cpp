// SPDX-License-Identifier: Apache-2.0
// Clients that are slow, many or ill-meaning: each costs a bounded amount of
// memory and delays nobody else.
#include "crowd.hpp"
#include "frame_client.hpp"
#include "tests/support/sanitized.hpp"

#include <fstream>

namespace eventweft::net {
namespace {

using namespace std::chrono_literals;

constexpr size_t sanitizer_factor = 8;

/// Bytes of this process that are in memory.
size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

class hostile : public server_test {
 protected:
  static void expect_growth_below(size_t before, size_t limit) {
    EXPECT_LT(resident_bytes(),
              before + limit * (sanitized ? sanitizer_factor : 1));
  }
  bool joined(size_t readers) {
    return backend_.wait([&] { return backend_.joins() >= readers; });
  }
  bool all_gone() {
    return backend_.wait([&] { return backend_.readers() == 0; });
  }
  bool counted(const std::string& line) {
    return backend_.wait(
        [&] { return metrics_.text().find(line) != std::string::npos; });
  }
  /// The server still answers.
  void expect_service() {
    EXPECT_EQ(connect().ask(get("/healthz")).status, 200);
  }
};

// -- slow ---------------------------------------------------------------------

TEST_F(hostile, AStuckTenthOfAThousandReadersDelaysNobody) {
  constexpr size_t readers = 1'000, stuck = 100;
  constexpr size_t rounds = sanitized ? 15 : 60, events = 10;
  streaming_.reader_buffer_bytes = 64u << 10;
  streaming_.pong_timeout = streaming_.ping_interval = 1h;
  backend_.ring_events = 1'000;
  start();
  const auto socket = crowd::upgrade("/ws/events/all_events");
  const auto source = get("/events/stream/all_events");
  crowd sleepers{port_, stuck / 2, socket, 2048};
  crowd dozers{port_, stuck / 2, source, 2048};
  crowd healthy{port_, (readers - stuck) / 2, socket};
  crowd sound{port_, (readers - stuck) / 2, source};
  ASSERT_TRUE(joined(readers));
  const auto before = resident_bytes();
  for (size_t round = 1; round <= rounds; ++round) {
    backend_.commit(events, "push", 3'000);
    // All of the others have this before more is sent, though the sleepers'
    // sockets were full long ago.
    ASSERT_TRUE(healthy.read_until(round * events)) << round;
    ASSERT_TRUE(sound.read_until(round * events)) << round;
  }
  // What a sleeper may hold, with as much again for the way it is held.
  expect_growth_below(before, stuck * (128u << 10) + (48u << 20));
}

TEST_F(hostile, AReaderThatWakesUpInTimeIsToldWhereToGoOn) {
  streaming_.reader_buffer_bytes = 20'000;
  streaming_.pong_timeout = 1s;
  streaming_.ping_interval = 1h;
  backend_.ring_events = 10;
  start();
  frame_client c{port_, "/ws/events/all_events", {}, 4096};
  ASSERT_TRUE(joined(1));
  for (int i = 0; i != 400; ++i) {
    backend_.commit(10, "push", 2'000);
    // Not silent, only slow: however long the kernel's buffers take to fill.
    if (i % 10 == 0)
      c.send({op_pong, ""});
  }
  ASSERT_TRUE(
      counted(R"(ended_total{reason="too_slow",stream="all_events"} 1)"));
  seq_t last = 0;
  std::optional<frame> f;
  while ((f = c.read()) && f->op == op_text) {
    ASSERT_EQ(seq_of(f->payload), last + 1);
    ++last;
  }
  ASSERT_TRUE(f);
  ASSERT_EQ(f->op, op_close);
  EXPECT_EQ(f->payload.substr(0, 2), close_payload(4008));
  EXPECT_EQ(f->payload.substr(2),
            R"({"cursor":)" + std::to_string(last) +
                R"(,"message":"too slow: nothing was taken for too long"})");
  EXPECT_LT(last, 4'000);
  frame_client again{port_,
                     "/ws/events/all_events?since=" + std::to_string(last)};
  for (auto seq = last + 1; seq <= 4'000; ++seq)
    ASSERT_EQ(seq_of(again.expect(op_text)), seq);
}

TEST_F(hostile, AnSseReaderThatTakesNothingIsEnded) {
  streaming_.reader_buffer_bytes = 20'000;
  streaming_.pong_timeout = 100ms;
  start();
  raw_client c{port_, 4096};
  c.send(get("/events/stream/all_events"));
  c.read_until("id: 0\n\n");
  for (int i = 0; i != 400; ++i)
    backend_.commit(10, "push", 2'000);
  EXPECT_TRUE(
      counted(R"(ended_total{reason="too_slow",stream="all_events"} 1)"));
  EXPECT_TRUE(all_gone());
}

TEST_F(hostile, AReaderThatTalksButNeverListensIsEndedAsWell) {
  streaming_.reader_buffer_bytes = 20'000;
  streaming_.pong_timeout = 300ms;
  start();
  frame_client c{port_, "/ws/events/all_events", {}, 4096};
  ASSERT_TRUE(joined(1));
  for (int i = 0; i != 400; ++i)
    backend_.commit(10, "push", 2'000);
  const auto until = std::chrono::steady_clock::now() + patience;
  try {
    while (backend_.readers() != 0 &&
           std::chrono::steady_clock::now() < until) {
      c.send({op_pong, ""});
      std::this_thread::sleep_for(10ms);
    }
  } catch (const std::runtime_error&) {
    // It was cut off.
  }
  EXPECT_TRUE(all_gone());
}

// -- many ---------------------------------------------------------------------

TEST_F(hostile, IdleReadersCostLittle) {
  constexpr size_t readers = 3'000;
  start();
  for (const auto& request : {crowd::upgrade("/ws/events/all_events"),
                              get("/events/stream/all_events")}) {
    { crowd warm_up{port_, 64, request}; }
    ASSERT_TRUE(all_gone());
    const auto joins = backend_.joins();
    const auto before = resident_bytes();
    crowd idle{port_, readers, request};
    ASSERT_TRUE(joined(joins + readers));
    // Without what the actors hold for a reader.
    expect_growth_below(before, readers * (10u << 10));
    backend_.commit(2);
    EXPECT_TRUE(idle.read_until(2));
  }
}

// -- slow on purpose ----------------------------------------------------------

TEST_F(hostile, SlowHeadersAreCutOffAndHoldNobodyUp) {
  constexpr size_t clients = 300;
  server_.header_timeout = 500ms;
  start();
  crowd slow{port_, clients};
  const std::string text =
      get("/healthz", "X-Slow: " + std::string(5'000, 'x'));
  size_t at = 0;
  while (slow.open() != 0 && at != text.size()) {
    slow.send_each(text.substr(at++, 1));
    expect_service();
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(slow.open(), 0u);
}

TEST_F(hostile, SlowBodiesAreCutOffAndHoldNobodyUp) {
  constexpr size_t clients = 300;
  server_.body_timeout = 500ms;
  start();
  crowd slow{port_, clients};
  slow.send_each("POST /github/events HTTP/1.1\r\nHost: a\r\n"
                 "Content-Length: 100000\r\n\r\n");
  const auto until = std::chrono::steady_clock::now() + patience;
  while (slow.open() != 0 && std::chrono::steady_clock::now() < until) {
    slow.send_each("x");
    expect_service();
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(slow.open(), 0u);
}

TEST_F(hostile, AHalfOpenSocketIsFoundByItsPing) {
  streaming_.ping_interval = 50ms;
  streaming_.pong_timeout = 200ms;
  start();
  // Connected, and not a word from then on.
  crowd silent{port_, 20, crowd::upgrade("/ws/events/all_events")};
  ASSERT_TRUE(joined(20));
  EXPECT_TRUE(all_gone());
  EXPECT_TRUE(
      counted(R"(ended_total{reason="unresponsive",stream="all_events"} 20)"));
}

// -- too much -----------------------------------------------------------------

TEST_F(hostile, AFloodOfFilterChangesIsReadAtItsRate) {
  streaming_.max_messages_per_second = 200;
  start();
  ws_client other{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(1));
  frame_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(2));
  constexpr size_t changes = 700;
  std::string flood;
  for (size_t i = 0; i != changes; ++i)
    flood += bytes_of({op_text, R"({"filter":{"event_types":["t)" +
                                    std::to_string(i) + "\"]}}"});
  flood += bytes_of({op_text, R"({"filter":{"event_types":["last"]}})"});
  flood += bytes_of({op_text, "?"});
  const auto begin = std::chrono::steady_clock::now();
  c.send_bytes(flood);
  // The others do not notice.
  for (seq_t seq = 1; seq <= 100; ++seq) {
    backend_.commit(1);
    ASSERT_EQ(other.read_seq(), seq);
  }
  // The last one holds, whatever was skipped. What comes before the answer
  // comes from filters on the way.
  for (;;) {
    const auto text = c.expect(op_text);
    if (text.starts_with(R"({"error")"))
      break;
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2s);
  EXPECT_LE(backend_.filter_changes(), changes + 1);
  backend_.commit(3, "push");
  ASSERT_TRUE(backend_.wait([&] {
    backend_.commit(1, "last");
    return backend_.settled();
  }));
  EXPECT_NE(c.expect(op_text).find("\"event_type\":\"last\""),
            std::string::npos);
}

/// Sends `piece` again and again, up to 100 MB, until the server has enough:
/// the bytes it took.
size_t pour(raw_client& c, const std::string& piece) {
  size_t sent = 0;
  try {
    while (sent < 100'000'000) {
      c.send(piece);
      sent += piece.size();
    }
  } catch (const std::runtime_error&) {
    // The server ended it.
  }
  return sent;
}

TEST_F(hostile, AHundredMegabytesWithoutALineEndAreRefusedEarly) {
  start();
  const auto before = resident_bytes();
  const std::string piece(64u << 10, 'x');
  auto target = connect();
  target.send("GET /");
  pour(target, piece);
  auto field = connect();
  field.send("GET / HTTP/1.1\r\nX-Long: ");
  pour(field, piece);
  auto chunk = connect();
  chunk.send("POST /github/events HTTP/1.1\r\nHost: a\r\n"
             "Transfer-Encoding: chunked\r\n\r\n5;");
  pour(chunk, piece);
  expect_growth_below(before, 24u << 20);
  expect_service();
}

TEST_F(hostile, AMessageWithoutEndIsRefusedEarly) {
  start();
  const auto before = resident_bytes();
  frame_client c{port_, "/ws/events/all_events"};
  try {
    c.send({op_text, "\"", false});
    for (int i = 0; i != 25'000; ++i)
      c.send({op_continuation, std::string(4'000, 'x'), false});
  } catch (const std::runtime_error&) {
    // The server ended it.
  }
  expect_growth_below(before, 16u << 20);
  EXPECT_TRUE(all_gone());
  expect_service();
}

TEST_F(hostile, AFloodOfPingsFillsNoMemory) {
  streaming_.reader_buffer_bytes = 20'000;
  start();
  const auto before = resident_bytes();
  crowd flood{port_, 1, crowd::upgrade("/ws/events/all_events"), 2048};
  ASSERT_TRUE(joined(1));
  std::string pings;
  for (int i = 0; i != 500; ++i)
    pings += bytes_of({op_ping, std::string(125, 'p')});
  // It never reads the answers: at some point the server reads no more.
  for (int i = 0; i != 200; ++i)
    flood.send_each(pings);
  expect_growth_below(before, 16u << 20);
  expect_service();
}

} // namespace
} // namespace eventweft::net
