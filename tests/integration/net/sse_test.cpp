// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace eventweft::net {
namespace {

using namespace std::chrono_literals;

class sse_streams : public server_test {
 protected:
  /// The next block with data, as a client would see it.
  static std::pair<seq_t, std::string> next_event(raw_client& c) {
    for (;;) {
      const auto block = c.read_until("\n\n");
      const auto data = block.find("data: ");
      if (data == std::string::npos)
        continue;
      const auto id = block.find("id: ");
      return {std::stoll(block.substr(id + 4)), block.substr(data)};
    }
  }
  static void expect_run(raw_client& c, seq_t first, seq_t last) {
    for (auto seq = first; seq <= last; ++seq)
      ASSERT_EQ(next_event(c).first, seq);
  }
};

TEST_F(sse_streams, StartsWithTheRightHeadAndTheRetryTime) {
  start();
  auto c = connect();
  c.send(get("/events/stream/all_events"));
  const auto a = c.read_answer();
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.header("content-type"), "text/event-stream");
  EXPECT_EQ(a.header("cache-control"), "no-cache");
  EXPECT_EQ(a.header("x-accel-buffering"), "no");
  EXPECT_EQ(a.header("connection"), "close");
  EXPECT_EQ(a.header("transfer-encoding"), "");
  EXPECT_EQ(c.read_until("\n\n"), "retry: 2000\n\n");
  // The place it starts at, so that it can resume before the first event.
  EXPECT_EQ(c.read_until("\n\n"), "id: 0\n\n");
}

TEST_F(sse_streams, DeliversStoredAndLiveEvents) {
  backend_.commit(3);
  start();
  auto c = connect();
  c.send(get("/events/stream/all_events?since=earliest"));
  expect_run(c, 1, 3);
  backend_.commit(1);
  const auto [id, text] = next_event(c);
  EXPECT_EQ(id, 4);
  EXPECT_EQ(seq_of(text), 4);
  EXPECT_EQ(text.find("event:"), std::string::npos);
}

TEST_F(sse_streams, SplitsPayloadsWithLineEnds) {
  event e;
  e.event_id = "1";
  e.platform = "github";
  e.event_type = "push";
  e.payload = shared_text{"{\n\"a\":\r\n1,\r\"b\":2}"};
  backend_.commit({e});
  start();
  auto c = connect();
  c.send(get("/events/stream/all_events?since=earliest"));
  const auto text = next_event(c).second;
  EXPECT_NE(text.find("\"payload\":{\ndata: \"a\":\ndata: 1,\ndata: \"b\":2}"),
            std::string::npos)
      << text;
}

TEST_F(sse_streams, LastEventIdWinsOverSince) {
  backend_.commit(6);
  start();
  auto c = connect();
  c.send(get("/events/stream/all_events?since=1", "Last-Event-ID: 4\r\n"));
  expect_run(c, 5, 6);
  auto bad = connect();
  EXPECT_EQ(
      bad.ask(get("/events/stream/all_events", "Last-Event-ID: x\r\n")).status,
      400);
}

TEST_F(sse_streams, TakesTheFilterInPartsOrWhole) {
  backend_.commit(1, "push");
  backend_.commit(1, "issues:opened");
  backend_.commit(1, "release");
  start();
  auto parts = connect();
  parts.send(get("/events/stream/all_events?since=earliest&platforms=github,x"
                 "&event_types=issues,release"));
  expect_run(parts, 2, 3);
  auto whole = connect();
  whole.send(get("/events/stream/all_events?since=earliest&filter="
                 "%7B%22event_types%22:%5B%22release%22%5D%7D"));
  EXPECT_EQ(next_event(whole).first, 3);
  auto both = connect();
  EXPECT_EQ(both.ask(get("/events/stream/all_events?filter=%7B%7D&platforms=a"))
                .status,
            400);
  auto unknown = connect();
  EXPECT_EQ(unknown.ask(get("/events/stream/nothing")).status, 404);
  EXPECT_EQ(unknown.ask(get("/events/stream/all_events?x=1")).status, 400);
}

TEST_F(sse_streams, SpeaksCloudEventsWhenAsked) {
  backend_.commit(1);
  start();
  for (const auto& request :
       {get("/events/stream/all_events?since=earliest&format=cloudevents"),
        get("/events/stream/all_events?since=earliest",
            "Accept: application/cloudevents+json\r\n")}) {
    auto c = connect();
    c.send(request);
    EXPECT_NE(next_event(c).second.find("\"specversion\""), std::string::npos);
  }
}

TEST_F(sse_streams, CommentsKeepItAliveAndMoveTheId) {
  streaming_.ping_interval = 20ms;
  start();
  auto c = connect();
  c.send(get("/events/stream/issue_events"));
  c.read_until("id: 0\n\n");
  c.read_until(": ping\n\n");
  backend_.commit(3, "push");
  c.read_until(": ping\nid: 3\n\n");
  EXPECT_EQ(c.read_until("\n\n"), ": ping\n\n");
}

TEST_F(sse_streams, ProgressIsAnEventWhereItIsAskedFor) {
  streaming_.ping_interval = 20ms;
  backend_.commit(2, "push");
  start();
  auto c = connect();
  c.send(get("/events/stream/issue_events?progress=true"));
  c.read_until("retry: 2000\n\n");
  // What `now` stands for, before anything else.
  EXPECT_EQ(c.read_until("\n\n"),
            "id: 2\nevent: progress\ndata: {\"cursor\":2}\n\n");
  c.read_until(": ping\n\n");
  backend_.commit(3, "push");
  c.read_until(": ping\nid: 5\nevent: progress\ndata: {\"cursor\":5}\n\n");
  EXPECT_EQ(c.read_until("\n\n"), ": ping\n\n");
}

TEST_F(sse_streams, TellsWhereItBeginsBeforeAnyEvent) {
  backend_.commit(4);
  start();
  auto c = connect();
  c.send(get("/events/stream/all_events?progress=true&since=2"));
  c.read_until("retry: 2000\n\n");
  EXPECT_EQ(c.read_until("\n\n"),
            "id: 2\nevent: progress\ndata: {\"cursor\":2}\n\n");
  expect_run(c, 3, 4);
}

TEST_F(sse_streams, ProgressIsToldAtTheEnd) {
  start();
  const auto last_words = [this](reader_end why) {
    auto c = connect();
    c.send(get("/events/stream/issue_events?progress=true"));
    c.read_until("data: {\"cursor\":" + std::to_string(backend_.head()) +
                 "}\n\n");
    backend_.commit(3, "push");
    EXPECT_TRUE(backend_.wait([&] { return backend_.settled(); }));
    backend_.end_readers(why, "over");
    return c.read_to_end();
  };
  EXPECT_EQ(last_words(reader_end::restarting),
            ": over\nid: 3\nevent: progress\ndata: {\"cursor\":3}\n\n");
  // That one is an event by itself.
  EXPECT_EQ(last_words(reader_end::refused),
            "event: end\ndata: over\nid: 6\n\n");
}

TEST_F(sse_streams, ASlowReaderLosesNothing) {
  streaming_.reader_buffer_bytes = 20'000;
  backend_.ring_events = 10;
  start();
  raw_client c{port_, 4096};
  c.send(get("/events/stream/all_events"));
  c.read_until("id: 0\n\n");
  constexpr seq_t events = 4000;
  for (int i = 0; i != events / 10; ++i)
    backend_.commit(10, "push", 2000);
  ASSERT_TRUE(backend_.wait([&] { return backend_.settled(); }));
  expect_run(c, 1, events);
  EXPECT_GT(backend_.pages(), 0u);
  backend_.commit(1);
  expect_run(c, events + 1, events + 1);
}

TEST_F(sse_streams, EndsItsSubscriptionWhenTheClientGoes) {
  start();
  auto c = connect();
  c.send(get("/events/stream/all_events"));
  c.read_until("id: 0\n\n");
  EXPECT_EQ(backend_.readers(), 1u);
  c.close();
  EXPECT_TRUE(backend_.wait([&] { return backend_.readers() == 0; }));
}

TEST_F(sse_streams, TellsWhoComesBackToADeletedStreamToStop) {
  start();
  auto c = connect();
  const auto a = c.ask(get("/events/stream/gone", "Last-Event-ID: 4\r\n"));
  EXPECT_EQ(a.status, 204);
  EXPECT_EQ(a.body, "");
  // Whoever asks for the first time is told why.
  EXPECT_EQ(c.ask(get("/events/stream/gone")).status, 404);
}

TEST_F(sse_streams, NobodyIsToldToStopWhileTheStreamsAreNotKnown) {
  backend_.subscriptions_.unread =
      error{ec::store_unavailable, "not read from the store yet"};
  start();
  for (const auto* more : {"Last-Event-ID: 4\r\n", ""}) {
    const auto a = connect().ask(get("/events/stream/mine", more));
    EXPECT_EQ(a.status, 503);
    EXPECT_NE(a.header("retry-after"), "");
  }
  for (const auto* path : {"/api/v1/streams", "/api/v1/streams/mine",
                           "/api/v1/streams/mine/readers"})
    EXPECT_EQ(connect().ask(get(path)).status, 503) << path;
  EXPECT_EQ(connect().ask(get("/api/v1/streams/all_events")).status, 200);
}

TEST_F(sse_streams, SaysWhyItEndsAndWhereToGoOn) {
  start();
  auto c = connect();
  c.send(get("/events/stream/issue_events"));
  c.read_until("id: 0\n\n");
  backend_.commit(3, "push");
  ASSERT_TRUE(backend_.wait([&] { return backend_.settled(); }));
  backend_.end_readers(reader_end::restarting, "restarts\nsoon");
  EXPECT_EQ(c.read_to_end(), ": restarts soon\nid: 3\n\n");
}

TEST_F(sse_streams, HeadTellsTheHeadOnly) {
  start();
  auto c = connect();
  c.send("HEAD /events/stream/all_events HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto a = c.read_answer(true);
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.header("content-type"), "text/event-stream");
  EXPECT_EQ(c.ask(get("/healthz")).status, 200);
  EXPECT_EQ(backend_.readers(), 0u);
}

} // namespace
} // namespace eventweft::net
