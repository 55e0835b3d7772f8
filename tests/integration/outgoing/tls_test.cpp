// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/outgoing/scripted_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft::outgoing {
namespace {

using namespace testing_support;
using testing::HasSubstr;

class tls : public testing::Test {
 protected:
  client_options trusting() const {
    auto out = harness::allowing_loopback();
    out.ca_file = ca_file.path();
    return out;
  }

  test_ca ca;
  temporary_file ca_file{ca.certificate()};
};

TEST_F(tls, a_certificate_for_the_name_is_accepted_and_the_name_is_sent) {
  scripted_server server{answering(), ca.issue("DNS:hooks.example")};
  harness h{trusting()};
  for (int i = 0; i < 3; ++i) {
    const auto r = h.post(server.url());
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->status, 200);
    EXPECT_EQ(r->body, "ok");
  }
  EXPECT_EQ(server.connections(), 1u);
  EXPECT_EQ(server.server_name(), "hooks.example");
}

TEST_F(tls, a_certificate_for_the_address_is_accepted) {
  scripted_server server{answering(), ca.issue("IP:127.0.0.1")};
  harness h{trusting()};
  const auto r = h.post(server.url("127.0.0.1"));
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(server.server_name(), "");
}

TEST_F(tls, a_certificate_for_another_name_is_refused) {
  scripted_server server{answering(), ca.issue("DNS:other.example")};
  harness h{trusting()};
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::tls);
}

TEST_F(tls, a_certificate_for_the_pinned_address_does_not_stand_for_a_name) {
  scripted_server server{answering(), ca.issue("IP:127.0.0.1")};
  harness h{trusting()};
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::tls);
}

TEST_F(tls, a_certificate_of_an_unknown_ca_is_refused) {
  const test_ca stranger;
  scripted_server server{answering(), stranger.issue("DNS:hooks.example")};
  harness h{trusting()};
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::tls);
  EXPECT_THAT(r.error().message, HasSubstr("certificate"));
}

TEST_F(tls, our_ca_is_not_among_the_systems) {
  scripted_server server{answering(), ca.issue("DNS:hooks.example")};
  harness h;
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::tls);
}

TEST_F(tls, an_expired_certificate_is_refused) {
  scripted_server server{answering(), ca.issue("DNS:hooks.example", -1)};
  harness h{trusting()};
  const auto r = h.post(server.url());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::tls);
  EXPECT_THAT(r.error().message, HasSubstr("expired"));
}

TEST_F(tls, a_peer_without_tls_has_failed) {
  scripted_server server{[](peer& p) {
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    p.wait_for_close();
  }};
  harness h{trusting()};
  const auto r =
      h.post("https://hooks.example:" + std::to_string(server.port()) + "/");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::tls);
}

TEST_F(tls, a_peer_that_hangs_in_the_handshake_is_given_up) {
  scripted_server server{[](peer& p) { p.wait_for_close(); }};
  harness h{trusting()};
  auto what = to_url("https://hooks.example:" + std::to_string(server.port()));
  what.connect_timeout = std::chrono::milliseconds{200};
  const auto r = h.post(what);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::timed_out);
}

TEST_F(tls, a_connection_that_breaks_without_close_notify_is_sent_again) {
  scripted_server server{[](peer& p) {
                           p.read_request();
                           p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                  "\r\n");
                         },
                         ca.issue("DNS:hooks.example")};
  harness h{trusting()};
  for (int i = 0; i < 10; ++i) {
    const auto r = h.post(server.url());
    ASSERT_TRUE(r) << r.error().message;
  }
}

TEST(tls_options, a_ca_file_that_is_none_is_a_configuration_error) {
  const temporary_file nonsense{"hello"};
  for (const auto& path : {nonsense.path(), std::string{"/nonexistent.pem"}}) {
    client_options options;
    options.ca_file = path;
    const auto made = client::make(options, make_system_resolver());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ec::bad_configuration);
    EXPECT_THAT(made.error().message, HasSubstr(path));
  }
}

} // namespace
} // namespace eventweft::outgoing
