// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/embed/support.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace eventweft::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class embed_streaming : public ::testing::Test {
 protected:
  // Callbacks write to it until the app is gone.
  notes seen;
  App app{"streaming", bare()};

  EventCallback note() {
    return [this](const Event& e) { seen.add(std::string{e.event_type()}); };
  }

  void submit(const std::string& type, const std::string& platform = "ci") {
    app.submit_custom_event({.platform = platform, .event_type = type});
  }
};

TEST_F(embed_streaming, CallsBackInOrderFromNowOn) {
  app.start();
  submit("before");
  const auto id = app.subscribe_to_events("all_events", note(), "test");
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    submit("n" + std::to_string(i));
    expected.push_back("n" + std::to_string(i));
  }
  EXPECT_EQ(seen.wait_for(100), expected);
  const auto all = app.streaming().subscriptions();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].id, id);
  EXPECT_EQ(all[0].subscriber, "test");
}

TEST_F(embed_streaming, TellsHowFarACallbackIs) {
  app.start();
  std::promise<void> release;
  const auto released = release.get_future().share();
  app.subscribe_to_events("all_events",
                          [&, released](const Event& e) {
                            seen.add(std::string{e.event_type()});
                            if (e.event_type() == "held")
                              released.wait();
                            if (e.event_type() == "bad")
                              throw std::runtime_error{"on purpose"};
                          },
                          {}, {.event_types = {"good", "bad", "held"}});
  const auto state = [&] { return app.streaming().subscriptions().at(0); };
  for (const auto* type : {"good", "bad", "other", "held", "good", "other"})
    submit(type);
  EXPECT_THAT(seen.wait_for(3), ElementsAre("good", "bad", "held"));
  auto s = state();
  EXPECT_TRUE(s.active);
  EXPECT_EQ(s.matched, 3u);
  EXPECT_EQ(s.delivered, 1u);
  EXPECT_EQ(s.failed, 1u);
  EXPECT_EQ(s.last_seq, 1);
  EXPECT_LT(s.cursor, 4);
  EXPECT_GE(s.lag_events, 3);
  EXPECT_GT(s.lag_seconds, 0);
  release.set_value();
  seen.wait_for(4);
  EXPECT_TRUE(comes_true([&] { return (s = state()).lag_events == 0; }));
  EXPECT_EQ(s.cursor, 6);
  EXPECT_EQ(s.matched, 4u);
  EXPECT_EQ(s.delivered, 3u);
  EXPECT_EQ(s.last_seq, 5);
  EXPECT_EQ(s.lag_seconds, 0);
  const auto stats = app.streaming().get_stream_stats("all_events");
  EXPECT_EQ(stats.events_matched, 4u);
  EXPECT_EQ(stats.last_seq, 5);
  app.stop();
  EXPECT_FALSE(state().active);
}

TEST_F(embed_streaming, ACallbackGoesOnWithItsStreamsNewFilter) {
  app.start();
  app.streaming().create_stream("mine", {.event_types = {"a"}});
  app.subscribe_to_events("mine", note());
  submit("a");
  submit("b");
  EXPECT_THAT(seen.wait_for(1), ElementsAre("a"));
  EXPECT_TRUE(comes_true(
      [&] { return app.streaming().subscriptions().at(0).cursor == 2; }));
  app.streaming().change_stream("mine", Filter{.event_types = {"b"}});
  submit("a");
  submit("b");
  EXPECT_THAT(seen.wait_for(2), ElementsAre("a", "b"));
  EXPECT_TRUE(app.streaming().delete_stream("mine"));
  app.streaming().create_stream("mine", {.event_types = {"b"}});
  submit("b");
  submit("end");
  app.subscribe_to_events("all_events", note(), {}, {.event_types = {"end"}},
                          Since::earliest());
  EXPECT_THAT(seen.wait_for(3), ElementsAre("a", "b", "end"));
  EXPECT_TRUE(comes_true(
      [&] { return !app.streaming().subscriptions().at(0).active; }));
}

TEST_F(embed_streaming, StartsWhereItIsTold) {
  app.start();
  submit("a");
  submit("b");
  submit("c");
  notes from_two;
  app.subscribe_to_events("all_events", note(), {}, {}, Since::earliest());
  app.subscribe_to_events(
      "all_events",
      [&](const Event& e) { from_two.add(std::string{e.event_type()}); }, {},
      {}, Since::after(1));
  EXPECT_THAT(seen.wait_for(3), ElementsAre("a", "b", "c"));
  EXPECT_THAT(from_two.wait_for(2), ElementsAre("b", "c"));
  app.stop();
}

TEST_F(embed_streaming, BothFiltersMustMatch) {
  app.start();
  app.streaming().create_stream("builds", {.platforms = {"ci"}}, "of all");
  app.streaming().subscribe_internal("builds", note(), {},
                                     {.event_types = {"build:*"}});
  submit("build:failed", "other");
  submit("test:failed");
  submit("build:failed");
  EXPECT_THAT(seen.wait_for(1), ElementsAre("build:failed"));
  EXPECT_EQ(app.streaming().get_stream_stats("builds").active_subscriptions,
            1u);
}

TEST_F(embed_streaming, AStreamIsChanged) {
  app.start();
  app.streaming().create_stream("builds", {.platforms = {"ci"}}, "of all");
  app.streaming().change_stream("builds", Filter{.event_types = {"build:*"}});
  app.streaming().change_stream("builds", std::nullopt, "only builds");
  EXPECT_EQ(code_thrown_by([&] {
              app.streaming().change_stream("nowhere", std::nullopt, "x");
            }),
            Errc::not_found);
  for (const auto& s : app.streaming().streams())
    if (s.name == "builds") {
      EXPECT_EQ(s.description, "only builds");
      EXPECT_EQ(s.filter.event_types, std::vector<std::string>{"build:*"});
      EXPECT_TRUE(s.filter.platforms.empty());
    }
  app.streaming().subscribe_internal("builds", note());
  submit("test:failed");
  submit("build:failed");
  EXPECT_THAT(seen.wait_for(1), ElementsAre("build:failed"));
}

TEST_F(embed_streaming, NotedBeforeTheStartItCallsBackFromThereOn) {
  app.subscribe_to_events("all_events", note());
  app.start();
  submit("one");
  EXPECT_THAT(seen.wait_for(1), ElementsAre("one"));
  app.stop();
  // The next run's log begins anew.
  app.start();
  submit("two");
  EXPECT_THAT(seen.wait_for(2), ElementsAre("one", "two"));
}

TEST_F(embed_streaming, AnUnknownStreamEndsTheStart) {
  app.subscribe_to_events("nowhere", note());
  EXPECT_EQ(code_thrown_by([&] { app.start(); }), Errc::not_found);
  EXPECT_FALSE(app.running());
}

TEST_F(embed_streaming, UnsubscribesForGood) {
  app.start();
  const auto id = app.subscribe_to_events("all_events", note());
  submit("one");
  seen.wait_for(1);
  EXPECT_TRUE(app.unsubscribe_from_events(id));
  EXPECT_FALSE(app.unsubscribe_from_events(id));
  submit("two");
  app.subscribe_to_events("all_events", note(), {}, {}, Since::after(1));
  EXPECT_THAT(seen.wait_for(2), ElementsAre("one", "two"));
}

TEST_F(embed_streaming, ACallbackMayThrowBlockAndLeave) {
  app.start();
  app.subscribe_to_events("all_events", [&](const Event& e) {
    seen.add(std::string{e.event_type()});
    throw std::runtime_error{"on purpose"};
  });
  std::string own;
  std::promise<void> ready;
  auto is_ready = ready.get_future().share();
  notes once;
  own = app.subscribe_to_events("all_events", [&](const Event& e) {
    is_ready.wait();
    once.add(std::string{e.event_type()});
    EXPECT_TRUE(app.unsubscribe_from_events(own));
  });
  ready.set_value();
  submit("one");
  submit("two");
  EXPECT_THAT(seen.wait_for(2), ElementsAre("one", "two"));
  EXPECT_THAT(once.wait_for(1), ElementsAre("one"));
  app.stop();
  EXPECT_THAT(once.now(), ElementsAre("one"));
  EXPECT_EQ(app.streaming().subscriptions().at(0).failed, 2u);
}

TEST_F(embed_streaming, ABlockedCallbackHoldsUpNobodyElse) {
  app.start();
  std::promise<void> release;
  auto released = release.get_future().share();
  app.subscribe_to_events("all_events",
                          [released](const Event&) { released.wait(); });
  app.subscribe_to_events("all_events", note());
  for (int i = 0; i < 50; ++i)
    submit("n");
  EXPECT_EQ(seen.wait_for(50).size(), 50u);
  release.set_value();
}

TEST_F(embed_streaming, GoesOnFromItsCursorInADurableStore) {
  const scratch_directory dir;
  App durable{"durable", bare()
                             .set("store.url", "sqlite:" + (dir / "log.db"))
                             .set("store.spool_directory", "")};
  durable.subscribe_to_events("all_events", note());
  durable.start();
  durable.submit_custom_event({.event_type = "one"});
  seen.wait_for(1);
  durable.stop();
  durable.start();
  durable.submit_custom_event({.event_type = "two"});
  EXPECT_THAT(seen.wait_for(2), ElementsAre("one", "two"));
}

TEST_F(embed_streaming, BroadcastsOnlyWhatTheStreamCarries) {
  app.start();
  auto streams = app.streaming();
  streams.create_stream("alerts", {.event_types = {"alert:*"}});
  EXPECT_EQ(code_thrown_by([&] { streams.create_stream("alerts"); }),
            Errc::conflict);
  EXPECT_EQ(code_thrown_by([&] { streams.create_stream("no name"); }),
            Errc::unprocessable);
  streams.subscribe_internal("alerts", note());
  EXPECT_EQ(streams.broadcast_event("alerts", {.event_type = "alert:disk"}).seq,
            1);
  EXPECT_THAT(seen.wait_for(1), ElementsAre("alert:disk"));
  EXPECT_EQ(code_thrown_by([&] {
              streams.broadcast_event("alerts", {.event_type = "news"});
            }),
            Errc::unprocessable);
  EXPECT_EQ(code_thrown_by([&] {
              streams.broadcast_event("nowhere", {.event_type = "x"});
            }),
            Errc::not_found);
  EXPECT_EQ(app.get_event_metrics().head_seq, 1);
  EXPECT_TRUE(streams.delete_stream("alerts"));
  EXPECT_FALSE(streams.delete_stream("alerts"));
  EXPECT_EQ(code_thrown_by([&] { streams.delete_stream("all_events"); }),
            Errc::conflict);
  EXPECT_EQ(
      code_thrown_by([&] { streams.change_stream("pr_events", Filter{}); }),
      Errc::conflict);
}

/// Takes one request and answers 200.
class one_receiver {
 public:
  one_receiver() {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof any;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&any), size) != 0 ||
        ::listen(fd_, 4) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&any), &size) != 0)
      throw std::runtime_error{"no socket"};
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(any.sin_port)) + "/in";
    const timeval limit{30, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~one_receiver() { ::close(fd_); }
  one_receiver(const one_receiver&) = delete;
  one_receiver& operator=(const one_receiver&) = delete;

  const std::string& url() const noexcept { return url_; }

  /// The request's text up to where `end` is in it.
  std::string take(const std::string& end) {
    const int peer = ::accept(fd_, nullptr, nullptr);
    std::string out;
    char buffer[4096];
    while (out.find(end) == std::string::npos) {
      const auto n = ::recv(peer, buffer, sizeof buffer, 0);
      if (n <= 0)
        break;
      out.append(buffer, static_cast<size_t>(n));
    }
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(peer);
    return out;
  }

 private:
  int fd_;
  std::string url_;
};

TEST_F(embed_streaming, PostsToWebhooksAndKeepsStreams) {
  const scratch_directory dir;
  const auto config = bare()
                          .set("store.url", "sqlite:" + (dir / "log.db"))
                          .set("store.spool_directory", "")
                          .set("webhooks.allow_private_networks", "true");
  one_receiver receiver;
  std::string id;
  {
    App first{"first", config};
    first.start();
    auto streams = first.streaming();
    streams.create_stream("builds", {.event_types = {"build:*"}});
    EXPECT_EQ(code_thrown_by([&] { streams.create_stream("builds"); }),
              Errc::conflict);
    const auto made = streams.subscribe_webhook("builds", receiver.url());
    EXPECT_THAT(made.secret, StartsWith("whsec_"));
    id = made.id;
    first.submit_custom_event({.event_type = "build:done"});
    const auto request = receiver.take("build:done");
    EXPECT_THAT(request, HasSubstr("POST /in "));
    EXPECT_THAT(request, HasSubstr("build:done"));
  }
  App second{"second", config};
  second.start();
  auto streams = second.streaming();
  const auto all = streams.streams();
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const auto& s) {
    return s.name == "builds";
  })) << "the stream is gone";
  // Subscriptions are read from the store in the background.
  bool gone = false;
  for (int turn = 0; !gone && turn < 3'000; ++turn) {
    try {
      gone = streams.unsubscribe_webhook("builds", id);
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), Errc::store_unavailable) << e.what();
    }
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(gone);
  EXPECT_FALSE(streams.unsubscribe_webhook("builds", id));
  EXPECT_TRUE(streams.delete_stream("builds"));
  EXPECT_FALSE(streams.delete_stream("builds"));
  app.start();
  EXPECT_EQ(code_thrown_by([&] {
              app.streaming().subscribe_webhook("all_events", receiver.url());
            }),
            Errc::not_supported);
}

TEST_F(embed_streaming, FiltersThatCannotBeAreRefused) {
  app.start();
  EXPECT_EQ(code_thrown_by([&] {
              app.subscribe_to_events(
                  "all_events", note(), {},
                  {.custom_filters = {{"payload.a", "not json"}}});
            }),
            Errc::malformed);
  EXPECT_EQ(code_thrown_by([] { parse_filter(R"({"platfroms":[]})"); }),
            Errc::unprocessable);
  const auto f =
      parse_filter(R"({"platforms":["ci"],"custom_filters":{"payload.a":1}})");
  EXPECT_THAT(f.platforms, ElementsAre("ci"));
  EXPECT_EQ(f.custom_filters.at("payload.a"), "1");
}

TEST_F(embed_streaming, TellsClientsWhereToRead) {
  app.start();
  EXPECT_EQ(
      code_thrown_by([&] { app.streaming().subscribe_sse("all_events"); }),
      Errc::not_supported);
  App served{"served", Config{}.set("server.listen", "127.0.0.1:0")};
  served.start();
  const auto ws = served.streaming().subscribe_websocket(
      "pr_events", {.source_names = {"octo/*"}}, Since::after(7));
  EXPECT_THAT(ws.url, StartsWith("ws://" + served.address() +
                                 "/ws/events/pr_events?filter=%7B"));
  EXPECT_THAT(ws.url, HasSubstr("octo%2F%2A"));
  EXPECT_THAT(ws.url, HasSubstr("&since=7"));
  EXPECT_EQ(served.streaming().subscribe_sse("all_events").url,
            "http://" + served.address() + "/events/stream/all_events");
  EXPECT_EQ(
      code_thrown_by([&] { served.streaming().subscribe_sse("nowhere"); }),
      Errc::not_found);
}

} // namespace
} // namespace eventweft::testing
