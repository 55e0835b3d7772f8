// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <future>
#include <thread>

namespace eventweft::net {
namespace {

using namespace std::chrono_literals;

class server_end : public server_test {};

TEST_F(server_end, FinishesTheRequestInFlight) {
  reply_to<webhook_answer> held;
  std::atomic<bool> arrived = false;
  backend_.on_webhook = [&](webhook, reply_to<webhook_answer> reply) {
    held = std::move(reply);
    arrived = true;
  };
  start();
  auto busy = connect();
  auto idle = connect();
  EXPECT_EQ(idle.ask(get("/healthz")).status, 200);
  busy.send(post("/github/events", "{}"));
  ASSERT_TRUE(backend_.wait([&] { return arrived.load(); }));
  auto stopped =
      std::async(std::launch::async, [&] { return running_->stop(patience); });
  EXPECT_TRUE(idle.at_end());
  held(webhook_answer{200, "text/plain", {}, "done"});
  const auto a = busy.read_answer();
  EXPECT_EQ(a.body, "done");
  EXPECT_EQ(a.header("connection"), "close");
  EXPECT_TRUE(busy.at_end());
  EXPECT_TRUE(stopped.get());
}

TEST_F(server_end, AcceptsNoMore) {
  start();
  EXPECT_TRUE(running_->stop(patience));
  EXPECT_THROW(connect(), boost::system::system_error);
}

TEST_F(server_end, ClosesWebSocketsAfterWhatTheyStillHold) {
  start();
  ws_client c{port_, "/ws/events/all_events", "", 4096};
  ASSERT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  constexpr seq_t events = 200;
  backend_.commit(events, "push", 4000);
  ASSERT_TRUE(backend_.wait([&] { return backend_.settled(); }));
  auto stopped =
      std::async(std::launch::async, [&] { return running_->stop(patience); });
  for (seq_t seq = 1; seq <= events; ++seq)
    ASSERT_EQ(c.read_seq(), seq);
  EXPECT_FALSE(c.read());
  EXPECT_EQ(c.close_code(), beast::websocket::close_code::going_away);
  EXPECT_TRUE(stopped.get());
}

TEST_F(server_end, SendsReadersToAnotherNode) {
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  backend_.commit(3);
  auto stopped = std::async(std::launch::async, [&] {
    return running_->stop(patience, reader_end::restarting);
  });
  for (seq_t seq = 1; seq <= 3; ++seq)
    ASSERT_EQ(c.read_seq(), seq);
  EXPECT_FALSE(c.read());
  EXPECT_EQ(c.close_code(), beast::websocket::close_code::service_restart);
  EXPECT_EQ(c.close_reason(), R"({"cursor":3,"message":"this node restarts"})");
  EXPECT_TRUE(stopped.get());
}

TEST_F(server_end, EndsSseStreamsAfterWhatTheyStillHold) {
  start();
  raw_client c{port_, 4096};
  c.send(get("/events/stream/all_events"));
  c.read_until("id: 0\n\n");
  constexpr seq_t events = 200;
  backend_.commit(events, "push", 4000);
  ASSERT_TRUE(backend_.wait([&] { return backend_.settled(); }));
  auto stopped =
      std::async(std::launch::async, [&] { return running_->stop(patience); });
  const auto rest = c.read_to_end();
  c.close();
  EXPECT_NE(rest.find("\nid: 200\n"), std::string::npos);
  EXPECT_EQ(rest.substr(rest.size() - 2), "\n\n");
  EXPECT_TRUE(stopped.get());
}

TEST_F(server_end, CutsOffWhatDoesNotEnd) {
  backend_.on_webhook = [](webhook, const reply_to<webhook_answer>&) {};
  start();
  auto waiting = connect();
  waiting.send(post("/github/events", "{}"));
  auto half = connect();
  half.send("POST /github/events HTTP/1.1\r\nHost: a\r\n"
            "Content-Length: 9\r\n\r\n");
  raw_client deaf{port_, 4096};
  deaf.send(get("/events/stream/all_events"));
  deaf.read_until("id: 0\n\n");
  backend_.commit(500, "push", 20'000);
  EXPECT_FALSE(running_->stop(50ms));
  EXPECT_TRUE(half.at_end());
  EXPECT_TRUE(backend_.wait([&] { return backend_.readers() == 0; }));
}

TEST_F(server_end, LanesMayOutliveTheServer) {
  start();
  {
    ws_client c{port_, "/ws/events/all_events"};
    ASSERT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  }
  running_->stop(0ms);
  running_.reset();
  backend_.commit(3);
  EXPECT_TRUE(backend_.settled());
}

} // namespace
} // namespace eventweft::net
