// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/outgoing/scripted_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft::outgoing {
namespace {

using namespace testing_support;
using testing::HasSubstr;

// The client's patience in tests that wait for it to run out.
constexpr std::chrono::milliseconds short_patience{300};

request impatient(const std::string& url) {
  auto out = to_url(url);
  out.total_timeout = short_patience;
  out.connect_timeout = short_patience;
  return out;
}

TEST(hostile_peer, that_never_answers_is_given_up) {
  scripted_server server{[](peer& p) { p.wait_for_close(); }};
  harness h;
  const auto r = h.post(impatient(server.url()));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::timed_out);
  EXPECT_GE(r.error().duration, short_patience);
}

TEST(hostile_peer, that_drips_its_answer_is_given_up) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
    p.wait_for_close();
  }};
  harness h;
  const auto r = h.post(impatient(server.url()));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::timed_out);
  EXPECT_THAT(r.error().message, HasSubstr("200"));
}

TEST(hostile_peer, that_promises_more_than_it_sends_has_failed) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
  }};
  harness h;
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::protocol);
}

TEST(hostile_peer, that_sends_more_than_it_promised_loses_its_connection) {
  scripted_server server{[](peer& p) {
    while (!p.read_request().empty())
      p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 "
             "Smuggled\r\nContent-Length: 0\r\n\r\n");
  }};
  harness h;
  for (int i = 0; i < 3; ++i) {
    const auto r = h.post(server.url());
    ASSERT_TRUE(r);
    EXPECT_EQ(r->status, 200);
  }
  EXPECT_EQ(server.connections(), 3u);
}

TEST(hostile_peer, that_resets_has_failed) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.reset();
  }};
  harness h;
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::protocol);
  EXPECT_EQ(server.connections(), 1u);
}

TEST(hostile_peer, that_closes_without_an_answer_has_failed) {
  scripted_server server{[](peer& p) { p.read_request(); }};
  harness h;
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::protocol);
  EXPECT_EQ(server.connections(), 1u);
}

TEST(hostile_peer, that_does_not_speak_http_has_failed) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  }};
  harness h;
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::protocol);
}

TEST(hostile_peer, that_sends_endless_headers_is_cut_off) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send("HTTP/1.1 200 OK\r\n");
    const std::string line = "X: " + std::string(1000, 'x') + "\r\n";
    for (int i = 0; i < 100; ++i)
      p.send(line);
    p.wait_for_close();
  }};
  harness h;
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::protocol);
}

TEST(hostile_peer, that_sends_an_endless_body_is_cut_off) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "1000\r\n" + std::string(4096, 'y') + "\r\n";
    for (int i = 0; i < 1000; ++i)
      p.send(chunk);
    p.wait_for_close();
  }};
  harness h;
  auto what = to_url(server.url());
  what.keep_body_bytes = 10;
  const auto r = h.post(what);
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->status, 200);
  EXPECT_EQ(r->body, "yyyyyyyyyy");
  EXPECT_TRUE(r->body_cut);
}

TEST(hostile_peer, a_long_body_within_the_limit_is_read_to_its_end) {
  scripted_server server{answering("500 Oops", std::string(40'000, 'z'))};
  harness h;
  const auto r = h.post(server.url());
  ASSERT_TRUE(r);
  EXPECT_EQ(r->status, 500);
  EXPECT_EQ(r->body, std::string(4'096, 'z'));
  EXPECT_TRUE(r->body_cut);
  ASSERT_TRUE(h.post(server.url()));
  EXPECT_EQ(server.connections(), 1u);
}

TEST(hostile_peer, a_body_without_a_length_ends_with_the_connection) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
  }};
  harness h;
  const auto r = h.post(server.url());
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->body, "until the end");
}

TEST(hostile_peer, interim_answers_are_passed_over_but_not_for_ever) {
  scripted_server polite{[](peer& p) {
    p.read_request();
    p.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 202 "
           "Accepted\r\nContent-Length: 0\r\n\r\n");
  }};
  scripted_server endless{[](peer& p) {
    p.read_request();
    for (int i = 0; i < 100; ++i)
      p.send("HTTP/1.1 100 Continue\r\n\r\n");
    p.wait_for_close();
  }};
  harness h;
  const auto r = h.post(polite.url());
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->status, 202);
  const auto bad = h.post(endless.url());
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, failure_kind::protocol);
}

TEST(hostile_peer, that_refuses_a_large_body_early_is_heard) {
  scripted_server server{[](peer& p) {
    p.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n"
           "Content-Length: 0\r\n\r\n");
    p.wait_for_close();
  }};
  harness h;
  const auto r = h.post(server.url(), std::string(4u << 20, 'x'));
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->status, 413);
}

TEST(hostile_peer, a_port_that_nobody_listens_on) {
  uint16_t port = 0;
  { port = scripted_server{answering()}.port(); }
  harness h;
  const auto r = h.post("http://hooks.example:" + std::to_string(port) + "/");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::connect);
}

TEST(hostile_peer, the_next_address_is_tried_where_one_does_not_answer) {
  scripted_server server{answering()};
  auto options = harness::allowing_loopback();
  options.policy.allow_private_networks = true;
  harness h{options};
  h.names->set("two.example", {{"127.9.9.9", "127.0.0.1"}});
  const auto r = h.post(server.url("two.example"));
  ASSERT_TRUE(r) << r.error().message;
}

} // namespace
} // namespace eventweft::outgoing
