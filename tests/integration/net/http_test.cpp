// SPDX-License-Identifier: Apache-2.0
// The protocol: limits, errors, keep-alive, pipelining.
#include "fixture.hpp"

#include <algorithm>
#include <thread>

namespace eventweft::net {
namespace {

using namespace std::chrono_literals;

class http_server : public server_test {};

TEST_F(http_server, AnswersRequestsOnOneConnectionOneAfterTheOther) {
  start();
  auto c = connect();
  for (int i = 0; i != 3; ++i) {
    const auto a = c.ask(post("/github/events", "hello"));
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.body, "5");
    EXPECT_FALSE(a.header("date").empty());
  }
}

TEST_F(http_server, AnswersPipelinedRequestsInOrder) {
  // From another thread, as the real ones come.
  backend_.on_webhook = [&](webhook w, reply_to<webhook_answer> reply) {
    const auto body = std::string{w.body.view()};
    std::thread{[reply = std::move(reply), body] {
      reply(webhook_answer{200, "text/plain", {}, body});
    }}.join();
  };
  start();
  auto c = connect();
  std::string all;
  for (int i = 0; i != 20; ++i)
    all += post("/webhooks/github", "body " + std::to_string(i));
  c.send(all + get("/healthz"));
  for (int i = 0; i != 20; ++i)
    EXPECT_EQ(c.read_answer().body, "body " + std::to_string(i));
  EXPECT_EQ(c.read_answer().body, R"({"status":"ok"})");
}

TEST_F(http_server, HandsTheWebhookOverAsItCame) {
  webhook seen;
  backend_.on_webhook = [&](webhook w, reply_to<webhook_answer> reply) {
    seen = std::move(w);
    reply(webhook_answer{202, "text/plain", {{"x-slack-no-retry", "1"}}, "ok"});
  };
  start();
  auto c = connect();
  const auto a = c.ask(post("/github/events?a=%20b&c", std::string("\0{}", 3),
                            "X-GitHub-Event: push\r\nX-A: 1\r\nx-a: 2\r\n"));
  EXPECT_EQ(a.status, 202);
  EXPECT_EQ(a.header("x-slack-no-retry"), "1");
  EXPECT_EQ(a.body, "ok");
  EXPECT_EQ(seen.platform, "github");
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.query, "a=%20b&c");
  EXPECT_EQ(seen.body.view(), std::string_view("\0{}", 3));
  EXPECT_EQ(seen.remote_address, "127.0.0.1");
  ASSERT_NE(find_header(seen.headers, "x-github-event"), nullptr);
  EXPECT_EQ(*find_header(seen.headers, "x-github-event"), "push");
  EXPECT_EQ(std::count_if(seen.headers.begin(), seen.headers.end(),
                          [](const auto& h) { return h.first == "x-a"; }),
            2);
}

TEST_F(http_server, KnowsThePathsOfCustomEvents) {
  std::vector<std::string> seen;
  backend_.on_webhook = [&](webhook w, reply_to<webhook_answer> reply) {
    seen.push_back(w.method + ' ' + w.platform);
    reply(webhook_answer{w.method == "OPTIONS" ? 204 : 200, "", {}, ""});
  };
  start();
  auto c = connect();
  EXPECT_EQ(c.ask(post("/events", "{}")).status, 200);
  const auto options =
      c.ask("OPTIONS /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_TRUE(options.header("content-length").empty());
  EXPECT_EQ(seen, (std::vector<std::string>{"POST events", "OPTIONS events"}));
}

TEST_F(http_server, ReadsChunkedBodies) {
  start();
  auto c = connect();
  const auto a = c.ask("POST /github/events HTTP/1.1\r\nHost: a\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n"
                       "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
  EXPECT_EQ(a.body, "11");
  EXPECT_EQ(c.ask(get("/healthz")).status, 200);
}

TEST_F(http_server, RefusesUnknownPathsAndMethods) {
  start();
  auto c = connect();
  EXPECT_EQ(c.ask(get("/nothing")).status, 404);
  EXPECT_EQ(c.ask(post("/unheard-of/events", "{}")).status, 404);
  EXPECT_EQ(c.ask(post("/webhooks/unheard-of", "{}")).status, 404);
  const auto wrong = c.ask(get("/github/events"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "POST");
  EXPECT_EQ(wrong.header("content-type"), "application/problem+json");
  const auto also_wrong = c.ask(post("/healthz", "x"));
  EXPECT_EQ(also_wrong.status, 405);
  EXPECT_EQ(also_wrong.header("allow"), "GET, HEAD");
  EXPECT_EQ(c.ask(get("/healthz")).status, 200);
}

TEST_F(http_server, AnswersHeadLikeGetWithoutTheBody) {
  start();
  auto c = connect();
  c.send("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + get("/healthz"));
  const auto head = c.read_answer(true);
  const auto full = c.read_answer();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), full.header("content-length"));
}

TEST_F(http_server, RefusesALargeBodyFromItsLengthAlone) {
  server_.max_body_bytes = 1000;
  start();
  auto c = connect();
  c.send("POST /github/events HTTP/1.1\r\nHost: a\r\n"
         "Content-Length: 1001\r\n\r\n");
  const auto a = c.read_answer();
  EXPECT_EQ(a.status, 413);
  EXPECT_EQ(a.header("connection"), "close");
  EXPECT_TRUE(c.at_end());
}

TEST_F(http_server, RefusesALargeChunkedBody) {
  server_.max_body_bytes = 1000;
  start();
  auto c = connect();
  const auto a = c.ask("POST /github/events HTTP/1.1\r\nHost: a\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n"
                       "400\r\n" +
                       std::string(0x400, 'x') + "\r\n");
  EXPECT_EQ(a.status, 413);
  EXPECT_TRUE(c.at_end());
}

TEST_F(http_server, LetsAClientThatIsStillSendingReadThe413) {
  server_.max_body_bytes = 1000;
  start();
  auto c = connect();
  const auto a = c.ask(post("/github/events", std::string(3'000'000, 'x')));
  EXPECT_EQ(a.status, 413);
}

TEST_F(http_server, TakesABodyOfExactlyTheLimit) {
  server_.max_body_bytes = 1000;
  start();
  auto c = connect();
  EXPECT_EQ(c.ask(post("/github/events", std::string(1000, 'x'))).body, "1000");
}

TEST_F(http_server, RefusesALargeHeaderBlock) {
  server_.max_header_bytes = 4096;
  start();
  auto c = connect();
  const auto a =
      c.ask(get("/healthz", "X-Long: " + std::string(5000, 'x') + "\r\n"));
  EXPECT_EQ(a.status, 431);
  EXPECT_TRUE(c.at_end());
}

TEST_F(http_server, TimesASlowHeaderBlockOut) {
  server_.header_timeout = 50ms;
  start();
  auto c = connect();
  c.send("GET /healthz HTTP/1.1\r\n");
  EXPECT_EQ(c.read_answer().status, 408);
  EXPECT_TRUE(c.at_end());
}

TEST_F(http_server, TimesASlowBodyOut) {
  server_.body_timeout = 50ms;
  start();
  auto c = connect();
  c.send("POST /github/events HTTP/1.1\r\nHost: a\r\n"
         "Content-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(c.read_answer().status, 408);
  EXPECT_TRUE(c.at_end());
}

TEST_F(http_server, ClosesIdleConnectionsWithoutAWord) {
  server_.idle_timeout = 50ms;
  start();
  auto c = connect();
  EXPECT_EQ(c.ask(get("/healthz")).status, 200);
  EXPECT_TRUE(c.at_end());
}

TEST_F(http_server, RefusesConnectionsBeyondTheLimit) {
  server_.max_connections = 2;
  start();
  auto a = connect();
  auto b = connect();
  EXPECT_EQ(a.ask(get("/healthz")).status, 200);
  EXPECT_EQ(b.ask(get("/healthz")).status, 200);
  auto c = connect();
  const auto refused = c.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(refused.header("retry-after").empty());
  EXPECT_TRUE(c.at_end());
  c.close();
  a.close();
  EXPECT_TRUE(backend_.wait([&] {
    auto again = connect();
    again.send(get("/healthz"));
    return again.read_answer().status == 200;
  }));
}

TEST_F(http_server, SendsContinueWhenAskedTo) {
  start();
  auto c = connect();
  c.send("POST /github/events HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
         "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(c.ask("body").body, "4");
  EXPECT_EQ(c.ask(get("/healthz")).status, 200);
}

TEST_F(http_server, SendsNoContinueBeforeARefusal) {
  server_.max_body_bytes = 1000;
  start();
  const std::string expect = "Expect: 100-continue\r\n\r\n";
  auto large = connect();
  EXPECT_EQ(large
                .ask("POST /github/events HTTP/1.1\r\nHost: a\r\n"
                     "Content-Length: 2000\r\n" +
                     expect)
                .status,
            413);
  auto lost = connect();
  EXPECT_EQ(lost.ask("POST /nowhere HTTP/1.1\r\nHost: a\r\n"
                     "Content-Length: 5\r\n" +
                     expect)
                .status,
            404);
  EXPECT_TRUE(lost.at_end());
  auto wrong = connect();
  EXPECT_EQ(wrong
                .ask("PUT /github/events HTTP/1.1\r\nHost: a\r\n"
                     "Content-Length: 5\r\n" +
                     expect)
                .status,
            405);
}

TEST_F(http_server, RefusesWhatIsNotHttp) {
  start();
  const std::string bad[] = {
      "\x16\x03\x01\x02\x01 hello\r\n\r\n",
      "GET /healthz\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
      "GET /healthz HTTP/1.1\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "POST /github/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n",
      "POST /github/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  };
  for (const auto& request : bad) {
    auto c = connect();
    EXPECT_EQ(c.ask(request).status, 400) << request;
  }
}

TEST_F(http_server, EndsTheConnectionOfAnOldClient) {
  start();
  auto c = connect();
  const auto a = c.ask("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.head.substr(0, 8), "HTTP/1.0");
  EXPECT_TRUE(c.at_end());
}

TEST_F(http_server, TellsWhenToTryAgain) {
  backend_.on_webhook = [](webhook, reply_to<webhook_answer> reply) {
    reply(fail(ec::store_full, "the disk is full"));
  };
  start();
  auto c = connect();
  const auto a = c.ask(post("/github/events", "{}"));
  EXPECT_EQ(a.status, 503);
  EXPECT_EQ(a.header("retry-after"), "5");
  EXPECT_NE(a.body.find("the disk is full"), std::string::npos);
}

TEST_F(http_server, SurvivesAnAnswerThatComesAfterItsEnd) {
  reply_to<webhook_answer> late;
  backend_.on_webhook = [&](webhook, reply_to<webhook_answer> reply) {
    late = std::move(reply);
  };
  start();
  auto c = connect();
  c.send(post("/github/events", "{}"));
  ASSERT_TRUE(backend_.wait([&] { return late != nullptr; }));
  running_->stop(0ms);
  running_.reset();
  late(webhook_answer{});
  EXPECT_TRUE(c.at_end());
}

TEST(may_listen, SaysWhyNotBeyondThisMachine) {
  config::server_settings settings;
  settings.listen = "0.0.0.0:0";
  EXPECT_TRUE(may_listen(settings, true, false));
  const auto open = may_listen(settings, false, false);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ec::bad_configuration);
  EXPECT_NE(open.error().message.find("make an API key first"),
            std::string::npos);
  // A key would not help.
  const auto off = may_listen(settings, false, true);
  ASSERT_FALSE(off);
  EXPECT_NE(off.error().message.find("[auth] required = false"),
            std::string::npos);
  EXPECT_EQ(off.error().message.find("make an API key"), std::string::npos);
  settings.insecure = true;
  EXPECT_TRUE(may_listen(settings, false, true));
}

TEST_F(http_server, NamesTheAddressItCannotHave) {
  start();
  server_.listen = "127.0.0.1:" + std::to_string(port_);
  server second{server_,       streaming_, backend_, metrics_,
                null_logger(), clock_,     random_};
  const auto bound = second.start();
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, ec::conflict);
  EXPECT_NE(bound.error().message.find(server_.listen), std::string::npos);
  server_.listen = "localhost";
  server third{server_,       streaming_, backend_, metrics_,
               null_logger(), clock_,     random_};
  EXPECT_FALSE(third.start());
}

} // namespace
} // namespace eventweft::net
