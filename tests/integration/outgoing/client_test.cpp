// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/outgoing/scripted_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace eventweft::outgoing {
namespace {

using namespace testing_support;
using testing::HasSubstr;

TEST(client, posts_the_body_and_the_headers_as_they_are) {
  std::promise<std::string> seen;
  scripted_server server{[&seen](peer& p) {
    seen.set_value(p.read_request());
    p.send("HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello");
  }};
  harness h;
  auto what = to_url(server.url("hooks.example", "/in?x=1"), "{\"a\": 1 }");
  what.headers = {{"content-type", "application/json"},
                  {"webhook-id", "msg_1"}};
  const auto r = h.post(what);
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->status, 201);
  EXPECT_EQ(r->body, "hello");
  EXPECT_FALSE(r->body_cut);
  EXPECT_EQ(r->header("x-a"), "b");
  EXPECT_GT(r->duration.count(), 0);
  const auto text = seen.get_future().get();
  EXPECT_TRUE(text.starts_with("POST /in?x=1 HTTP/1.1\r\n")) << text;
  EXPECT_THAT(text, HasSubstr("\r\nHost: hooks.example:" +
                              std::to_string(server.port()) + "\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\ncontent-type: application/json\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nwebhook-id: msg_1\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nUser-Agent: eventweft\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nContent-Length: 9\r\n"));
  EXPECT_TRUE(text.ends_with("\r\n\r\n{\"a\": 1 }")) << text;
}

TEST(client, sends_an_empty_body_with_its_length) {
  std::promise<std::string> seen;
  scripted_server server{[&seen](peer& p) {
    seen.set_value(p.read_request());
    p.send("HTTP/1.1 204 No Content\r\n\r\n");
  }};
  harness h;
  const auto r = h.post(server.url(), "");
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->status, 204);
  EXPECT_THAT(seen.get_future().get(), HasSubstr("Content-Length: 0\r\n"));
}

TEST(client, uses_a_connection_again_and_looks_the_name_up_once) {
  scripted_server server{answering()};
  harness h;
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(h.post(server.url()));
  EXPECT_EQ(server.connections(), 1u);
  EXPECT_EQ(h.names->asked("hooks.example"), 1u);
}

TEST(client, does_not_share_connections_between_names) {
  scripted_server server{answering()};
  harness h;
  h.names->set("other.example", {{"127.0.0.1"}});
  ASSERT_TRUE(h.post(server.url("hooks.example")));
  ASSERT_TRUE(h.post(server.url("other.example")));
  EXPECT_EQ(server.connections(), 2u);
}

TEST(client, opens_a_new_connection_where_the_peer_wants_to_close) {
  scripted_server server{answering("200 OK", "ok", "Connection: close\r\n")};
  harness h;
  ASSERT_TRUE(h.post(server.url()));
  ASSERT_TRUE(h.post(server.url()));
  EXPECT_EQ(server.connections(), 2u);
}

TEST(client, sends_again_where_a_kept_connection_turned_out_to_be_closed) {
  // Answers one request a connection, then closes without having said so: the
  // next request may or may not see the end before it is written.
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }};
  harness h;
  for (int i = 0; i < 20; ++i) {
    const auto r = h.post(server.url());
    ASSERT_TRUE(r) << r.error().message;
  }
  EXPECT_EQ(server.connections(), 20u);
}

TEST(client, resends_once_at_most_and_only_on_a_kept_connection) {
  std::atomic<int> requests = 0;
  scripted_server server{[&requests](peer& p) {
    // The first request of all is answered, every later one is taken and the
    // connection closed without a word.
    if (p.read_request().empty())
      return;
    if (++requests == 1) {
      p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      if (!p.read_request().empty())
        ++requests;
    }
  }};
  harness h;
  ASSERT_TRUE(h.post(server.url()));
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::protocol);
  EXPECT_EQ(requests, 3);
  EXPECT_EQ(server.connections(), 2u);
}

TEST(client, keeps_no_more_idle_connections_than_it_may) {
  auto options = harness::allowing_loopback();
  options.idle.per_origin = 0;
  scripted_server server{answering()};
  harness h{options};
  ASSERT_TRUE(h.post(server.url()));
  ASSERT_TRUE(h.post(server.url()));
  EXPECT_EQ(server.connections(), 2u);
}

TEST(client, never_follows_a_redirect) {
  scripted_server trap{answering()};
  scripted_server server{answering("307 Temporary Redirect", "",
                                   "Location: " + trap.url() + "\r\n")};
  harness h;
  const auto r = h.post(server.url());
  ASSERT_TRUE(r);
  EXPECT_EQ(r->status, 307);
  EXPECT_EQ(r->header("location"), trap.url());
  EXPECT_EQ(trap.connections(), 0u);
}

TEST(client, ignores_the_environments_proxies) {
  scripted_server proxy{answering()};
  const auto url = proxy.url("127.0.0.1", "/");
  for (const char* name :
       {"http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"})
    ::setenv(name, url.c_str(), 1);
  scripted_server server{answering()};
  harness h;
  EXPECT_TRUE(h.post(server.url()));
  EXPECT_EQ(proxy.connections(), 0u);
  for (const char* name :
       {"http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"})
    ::unsetenv(name);
}

TEST(client, refuses_headers_that_would_break_the_request) {
  scripted_server server{answering()};
  harness h;
  for (const header_list& headers :
       {header_list{{"x", "a\r\nb: c"}}, header_list{{"x y", "a"}},
        header_list{{"", "a"}}, header_list{{"Host", "other"}},
        header_list{{"content-length", "1"}},
        header_list{{"Transfer-Encoding", "chunked"}}}) {
    auto what = to_url(server.url());
    what.headers = headers;
    const auto r = h.post(what);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().kind, failure_kind::bad_request);
  }
  EXPECT_EQ(server.connections(), 0u);
}

TEST(client, refuses_more_than_it_may_have_under_way) {
  auto options = harness::allowing_loopback();
  options.max_in_flight = 1;
  scripted_server server{[](peer& p) { p.wait_for_close(); }};
  std::promise<result> first;
  {
    harness h{options};
    h.sender->post(to_url(server.url()),
                   [&first](result r) { first.set_value(std::move(r)); });
    const auto r = h.post(server.url());
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().kind, failure_kind::overloaded);
  }
  // The destructor has told the one that was waiting.
  const auto r = first.get_future().get();
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::shutting_down);
}

TEST(client, sends_side_by_side) {
  constexpr int count = 50;
  std::mutex mutex;
  std::condition_variable all_here;
  int here = 0;
  // Nobody gets an answer before all have asked.
  scripted_server server{[&](peer& p) {
    p.read_request();
    {
      std::unique_lock lock{mutex};
      if (++here == count)
        all_here.notify_all();
      all_here.wait_for(lock, std::chrono::seconds{20},
                        [&] { return here == count; });
    }
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }};
  harness h;
  std::vector<std::future<result>> answers;
  for (int i = 0; i < count; ++i) {
    auto promise = std::make_shared<std::promise<result>>();
    answers.push_back(promise->get_future());
    h.sender->post(to_url(server.url()),
                   [promise](result r) { promise->set_value(std::move(r)); });
  }
  for (auto& a : answers)
    EXPECT_TRUE(a.get());
}

} // namespace
} // namespace eventweft::outgoing
