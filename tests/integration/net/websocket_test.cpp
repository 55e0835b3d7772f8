// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <future>

namespace eventweft::net {
namespace {

using namespace std::chrono_literals;
using beast::websocket::close_code;

class websocket_streams : public server_test {
 protected:
  /// Reads events until `last`, which must follow each other from `first`.
  static void expect_run(ws_client& c, seq_t first, seq_t last) {
    for (auto seq = first; seq <= last; ++seq)
      ASSERT_EQ(c.read_seq(), seq);
  }
  /// Whether a reader was given its place at the end of the log.
  bool joined(size_t readers) {
    return backend_.wait([&] { return backend_.joins() >= readers; });
  }
};

TEST_F(websocket_streams, DeliversWhatIsCommittedFromNowOn) {
  backend_.commit(3);
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(1));
  backend_.commit(2);
  backend_.commit(1);
  expect_run(c, 4, 6);
}

TEST_F(websocket_streams, StartsWhereItIsTold) {
  backend_.commit(5);
  start();
  ws_client all{port_, "/ws/events/all_events?since=earliest"};
  expect_run(all, 1, 5);
  ws_client some{port_, "/ws/events/all_events?since=3"};
  expect_run(some, 4, 5);
  backend_.commit(1);
  expect_run(all, 6, 6);
  expect_run(some, 6, 6);
}

TEST_F(websocket_streams, CatchesUpInPagesAndJoinsWithoutGapOrDouble) {
  backend_.ring_events = 20;
  backend_.page_events = 7;
  backend_.commit(500);
  start();
  ws_client c{port_, "/ws/events/all_events?since=earliest"};
  for (int i = 0; i != 100; ++i) {
    backend_.commit(1);
    expect_run(c, i * 6 + 1, i * 6 + 6);
  }
  EXPECT_GT(backend_.pages(), 40u);
}

TEST_F(websocket_streams, FiltersOnTheStreamAndOnTheReader) {
  start();
  ws_client issues{port_, "/ws/events/issue_events"};
  ws_client wild{port_, "/ws/events/all_events?filter="
                        "%7B%22event_types%22%3A%5B%22pu*%22%5D%7D"};
  ASSERT_TRUE(joined(2));
  backend_.commit(1, "push");
  backend_.commit(1, "issues:opened");
  backend_.commit(1, "pull_request:opened");
  EXPECT_EQ(issues.read_seq(), 2);
  EXPECT_EQ(wild.read_seq(), 1);
  EXPECT_EQ(wild.read_seq(), 3);
}

TEST_F(websocket_streams, RefusesBeforeTheUpgrade) {
  start();
  const std::pair<std::string, std::string> bad[] = {
      {"/ws/events/nothing", "404"},
      {"/ws/events/all_events?since=yesterday", "400"},
      {"/ws/events/all_events?filter={", "400"},
      {"/ws/events/all_events?filter=%7B%22x%22%3A1%7D", "422"},
      {"/ws/events/all_events?color=red", "400"},
      {"/ws/events/all_events?progress=maybe", "400"},
  };
  for (const auto& [target, status] : bad) {
    try {
      ws_client c{port_, target};
      ADD_FAILURE() << target;
    } catch (const std::runtime_error& e) {
      EXPECT_EQ(e.what(), status) << target;
    }
  }
  auto plain = connect();
  const auto a = plain.ask(get("/ws/events/all_events"));
  EXPECT_EQ(a.status, 426);
  EXPECT_EQ(a.header("upgrade"), "websocket");
}

TEST_F(websocket_streams, SpeaksCloudEventsWhenAsked) {
  start();
  ws_client c{port_, "/ws/events/all_events", "other, cloudevents.json"};
  EXPECT_EQ(c.upgrade["Sec-WebSocket-Protocol"], "cloudevents.json");
  ASSERT_TRUE(joined(1));
  backend_.commit(1);
  EXPECT_NE(c.read()->find("\"specversion\":\"1.0\""), std::string::npos);
}

TEST_F(websocket_streams, PausesAndResumesWithoutAGap) {
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(1));
  backend_.commit(1);
  expect_run(c, 1, 1);
  c.send(R"({"pause":true})");
  // The answer to a bad message shows that the one before was dealt with.
  c.send("?");
  EXPECT_NE(c.read()->find("\"error\""), std::string::npos);
  backend_.commit(5);
  ASSERT_TRUE(backend_.wait([&] { return backend_.settled(); }));
  c.send("?");
  EXPECT_NE(c.read()->find("\"error\""), std::string::npos);
  c.send(R"({"resume":true})");
  expect_run(c, 2, 6);
  backend_.commit(1);
  expect_run(c, 7, 7);
}

TEST_F(websocket_streams, ChangesItsFilterInPlace) {
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(1));
  backend_.commit(1, "push");
  EXPECT_EQ(c.read_seq(), 1);
  c.send(R"({"filter":{"event_types":["issues"]}})");
  ASSERT_TRUE(joined(2));
  backend_.commit(1, "push");
  backend_.commit(1, "issues:opened");
  EXPECT_EQ(c.read_seq(), 3);
  c.send(R"({"filter":{}})");
  ASSERT_TRUE(joined(3));
  backend_.commit(1, "push");
  EXPECT_EQ(c.read_seq(), 4);
}

TEST_F(websocket_streams, AFilterByAKeyGoesByItsThread) {
  using question = std::pair<filter, reply_to<filter>>;
  std::promise<question> promised;
  backend_.on_present_filter = [&promised](filter f, reply_to<filter> reply) {
    promised.set_value({std::move(f), std::move(reply)});
  };
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(1));
  c.send(R"({"filter":{"correlation_ids":["ENG-42"]}})");
  c.send("?");
  auto asked = promised.get_future();
  ASSERT_EQ(asked.wait_for(patience), std::future_status::ready);
  auto [wanted, reply] = asked.get();
  EXPECT_EQ(wanted.correlation_ids, std::vector<std::string>{"ENG-42"});
  // Until it is known where the key leads, the old one is in force, and
  // nothing else that the client says is dealt with.
  backend_.commit(1);
  EXPECT_EQ(c.read_seq(), 1);
  const auto thread = uuid::parse("0190c8a5-0000-7000-8000-000000000042");
  wanted.correlation_ids = {to_string(*thread)};
  reply(std::move(wanted));
  EXPECT_NE(c.read()->find("\"error\""), std::string::npos);
  ASSERT_TRUE(joined(2));
  event in_it;
  in_it.platform = "github";
  in_it.event_type = "push";
  in_it.payload = shared_text{"{}"};
  in_it.correlation_id = *thread;
  backend_.commit(1);
  backend_.commit({in_it});
  EXPECT_EQ(c.read_seq(), 3);
}

TEST_F(websocket_streams, AFilterByAKeyWithoutAThreadIsRefusedAsAWhole) {
  backend_.on_present_filter = [](filter, const reply_to<filter>& reply) {
    reply(fail(ec::unprocessable, "no thread has it"));
  };
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(1));
  c.send(R"({"pause":true,"filter":{"correlation_ids":["ENG-42"]}})");
  EXPECT_EQ(c.read(), R"({"error":"no thread has it"})");
  backend_.commit(1);
  EXPECT_EQ(c.read_seq(), 1);
}

TEST_F(websocket_streams, KeepsAcknowledgements) {
  backend_.commit(17);
  start();
  ws_client c{port_, "/ws/events/all_events"};
  c.send(R"({"ack":17})");
  EXPECT_TRUE(acknowledged(17));
  // What is dealt with stays dealt with.
  c.send(R"({"ack":9})");
  c.send("?");
  EXPECT_NE(c.read()->find("\"error\""), std::string::npos);
  EXPECT_TRUE(acknowledged(17));
}

TEST_F(websocket_streams, NobodyHasDealtWithWhatIsToCome) {
  backend_.commit(17);
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(1));
  c.send(R"({"ack":999})");
  EXPECT_TRUE(acknowledged(17));
  backend_.commit(1);
  EXPECT_EQ(c.read_seq(), 18);
  EXPECT_TRUE(acknowledged(17));
}

TEST_F(websocket_streams, AnswersBadMessagesAndStaysOpen) {
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(1));
  for (const auto* bad :
       {"", "no json", "[]", "{}", R"({"hello":1})", R"({"ack":"x"})",
        R"({"pause":1})", R"({"filter":{"color":["red"]}})"}) {
    c.send(bad);
    const auto answer = c.read();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->substr(0, 9), R"({"error":)") << bad << *answer;
  }
  backend_.commit(1);
  EXPECT_EQ(c.read_seq(), 1);
}

TEST_F(websocket_streams, RefusesBinaryAndLargeMessages) {
  streaming_.max_message_bytes = 1000;
  start();
  ws_client binary{port_, "/ws/events/all_events"};
  binary.send("{}", true);
  EXPECT_FALSE(binary.read());
  EXPECT_EQ(binary.close_code(), close_code::unknown_data);
  ws_client large{port_, "/ws/events/all_events"};
  large.send(std::string(1001, ' '));
  EXPECT_FALSE(large.read());
  EXPECT_EQ(large.close_code(), close_code::too_big);
  EXPECT_TRUE(backend_.wait([&] { return backend_.readers() == 0; }));
}

TEST_F(websocket_streams, ReadsMessagesLargerThanItsBuffers) {
  backend_.commit(4);
  start();
  ws_client c{port_, "/ws/events/all_events"};
  c.send(R"({"ack":)" + std::string(5000, ' ') + "4}");
  EXPECT_TRUE(acknowledged(4));
}

TEST_F(websocket_streams, PingsWithACursorThatAdvancesWithoutMatches) {
  streaming_.ping_interval = 20ms;
  start();
  ws_client c{port_, "/ws/events/issue_events?progress=true"};
  EXPECT_EQ(c.read(), R"({"cursor":0})");
  backend_.commit(4, "push");
  EXPECT_EQ(c.read(), R"({"cursor":4})");
  ASSERT_FALSE(c.pings.empty());
  EXPECT_EQ(c.pings.back(), "4");
  backend_.commit(1, "issues");
  EXPECT_EQ(c.read_seq(), 5);
}

TEST_F(websocket_streams, KnowsTheClientsOwnPlaceBeforeTheStoreAnswers) {
  streaming_.ping_interval = 20ms;
  backend_.silent = true;
  start();
  {
    ws_client c{port_, "/ws/events/all_events?since=5&progress=true"};
    EXPECT_EQ(c.read(), R"({"cursor":5})");
    ASSERT_FALSE(c.pings.empty());
    EXPECT_EQ(c.pings.back(), "5");
    backend_.end_readers(reader_end::going_away, "stops");
    EXPECT_FALSE(c.read());
    EXPECT_EQ(c.close_reason(), R"({"cursor":5,"message":"stops"})");
  }
  // Nobody knows yet which seq that is.
  ASSERT_TRUE(backend_.wait([&] { return backend_.readers() == 0; }));
  ws_client c{port_, "/ws/events/all_events?since=2026-01-31T12:00:00Z"};
  ASSERT_TRUE(backend_.wait([&] { return backend_.readers() == 1; }));
  backend_.end_readers(reader_end::going_away, "stops");
  EXPECT_FALSE(c.read());
  EXPECT_EQ(c.close_reason(), R"({"message":"stops"})");
}

TEST_F(websocket_streams, TellsWhereItBeginsBeforeAnyEvent) {
  backend_.commit(4);
  start();
  for (const char* more : {"", "&credit=0"}) {
    ws_client c{port_, "/ws/events/all_events?progress=true&since=2" +
                           std::string{more}};
    EXPECT_EQ(c.read(), R"({"cursor":2})") << more;
    if (*more != '\0')
      c.send(R"({"credit":2})");
    expect_run(c, 3, 4);
  }
}

TEST_F(websocket_streams, ClosesSilentPeers) {
  streaming_.ping_interval = 20ms;
  streaming_.pong_timeout = 100ms;
  start();
  // It reads what comes but never answers a ping.
  auto mute = connect();
  mute.send(get("/ws/events/all_events",
                "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  EXPECT_EQ(mute.read_answer().status, 101);
  const auto rest = mute.read_to_end();
  EXPECT_NE(rest.find('\x89'), std::string::npos);
  EXPECT_TRUE(backend_.wait([&] { return backend_.readers() == 0; }));
}

TEST_F(websocket_streams, SaysWhyItEndsAndWhereToGoOn) {
  backend_.commit(3);
  start();
  const std::pair<reader_end, int> ends[] = {
      {reader_end::going_away, 1001},    {reader_end::stream_deleted, 1000},
      {reader_end::failed, 1011},        {reader_end::restarting, 1012},
      {reader_end::token_expired, 4001}, {reader_end::refused, 1008},
      {reader_end::too_slow, 4008},
  };
  for (const auto& [why, code] : ends) {
    ws_client c{port_, "/ws/events/all_events?since=earliest"};
    expect_run(c, 1, 3);
    backend_.end_readers(why, "say \"why\"");
    EXPECT_FALSE(c.read());
    EXPECT_EQ(c.close_code(), code);
    EXPECT_EQ(c.close_reason(), R"({"cursor":3,"message":"say \"why\""})");
    ASSERT_TRUE(backend_.wait([&] { return backend_.readers() == 0; }));
  }
  ws_client c{port_, "/ws/events/all_events?since=earliest"};
  expect_run(c, 1, 3);
  backend_.end_readers(reader_end::failed, std::string(500, '\x01'));
  EXPECT_FALSE(c.read());
  EXPECT_EQ(c.close_code(), 1011);
}

TEST_F(websocket_streams, EndsItsSubscriptionWhenTheClientCloses) {
  start();
  ws_client polite{port_, "/ws/events/all_events"};
  {
    ws_client rude{port_, "/ws/events/all_events"};
    ASSERT_TRUE(backend_.wait([&] { return backend_.readers() == 2; }));
  }
  EXPECT_TRUE(backend_.wait([&] { return backend_.readers() == 1; }));
  polite.close();
  EXPECT_EQ(polite.close_code(), close_code::normal);
  EXPECT_TRUE(backend_.wait([&] { return backend_.readers() == 0; }));
}

TEST_F(websocket_streams, ASlowReaderLeavesCatchesUpAndLosesNothing) {
  streaming_.reader_buffer_bytes = 20'000;
  backend_.ring_events = 10;
  start();
  ws_client slow{port_, "/ws/events/all_events", "", 4096};
  ws_client quick{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(2));
  // More than socket buffers and outbox hold; nobody reads meanwhile.
  constexpr seq_t events = 4000;
  for (int i = 0; i != events / 10; ++i)
    backend_.commit(10, "push", 2000);
  ASSERT_TRUE(backend_.wait([&] { return backend_.settled(); }));
  expect_run(slow, 1, events);
  expect_run(quick, 1, events);
  EXPECT_GT(backend_.pages(), 0u);
  backend_.commit(1);
  expect_run(slow, events + 1, events + 1);
  expect_run(quick, events + 1, events + 1);
  EXPECT_NE(metrics_.text().find("lag"), std::string::npos);
}

TEST_F(websocket_streams, AReaderWithATinyBufferGetsLargeEventsAsWell) {
  streaming_.reader_buffer_bytes = 100;
  backend_.ring_events = 5;
  backend_.commit(30, "push", 100'000);
  start();
  ws_client c{port_, "/ws/events/all_events?since=earliest", "", 4096};
  expect_run(c, 1, 30);
  backend_.commit(30, "push", 100'000);
  expect_run(c, 31, 60);
  backend_.commit(1);
  expect_run(c, 61, 61);
}

TEST_F(websocket_streams, AnswersPingsInTheMiddleOfEvents) {
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(joined(1));
  size_t pongs = 0;
  c.next().control_callback(
      [&](beast::websocket::frame_type kind, beast::string_view payload) {
        if (kind == beast::websocket::frame_type::pong && payload == "mine")
          ++pongs;
      });
  for (int i = 0; i != 200; ++i) {
    c.loop().run([&](auto done) { c.next().async_ping("mine", done); });
    backend_.commit(3);
  }
  expect_run(c, 1, 600);
  c.send("?");
  ASSERT_TRUE(c.read());
  EXPECT_EQ(pongs, 200u);
}

} // namespace
} // namespace eventweft::net
