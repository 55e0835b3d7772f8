// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/outgoing/scripted_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft::outgoing {
namespace {

using namespace testing_support;
using testing::HasSubstr;

TEST(ssrf, nothing_private_is_reached_by_default) {
  scripted_server server{answering()};
  harness h{client_options{}};
  const auto port = ":" + std::to_string(server.port()) + "/";
  for (const std::string host :
       {"127.0.0.1", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
        "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "10.0.0.1",
        "169.254.169.254", "[fd00:ec2::254]", "hooks.example"}) {
    const auto r = h.post("http://" + host + port);
    ASSERT_FALSE(r) << host;
    EXPECT_EQ(r.error().kind, failure_kind::address_refused) << host;
    const auto c = h.check("http://" + host + port);
    ASSERT_FALSE(c) << host;
    EXPECT_EQ(c.error().code, ec::unprocessable) << host;
  }
  for (const std::string host :
       {"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "user@127.0.0.1"}) {
    const auto r = h.post("http://" + host + port);
    ASSERT_FALSE(r) << host;
    EXPECT_EQ(r.error().kind, failure_kind::bad_request) << host;
    EXPECT_EQ(h.check("http://" + host + port).error().code, ec::unprocessable);
  }
  EXPECT_EQ(server.connections(), 0u);
}

TEST(ssrf, a_refusal_says_what_would_let_it_in) {
  harness h{client_options{}};
  EXPECT_EQ(h.check("http://10.0.0.1/").error().message,
            "url: 10.0.0.1, which is not allowed: private; [webhooks] "
            "allow_private_networks or allowed_networks lets it in");
  EXPECT_EQ(
      h.check("http://169.254.169.254/").error().message,
      "url: 169.254.169.254, which is not allowed: metadata service; only "
      "[webhooks] allowed_networks lets it in");
}

TEST(ssrf, private_networks_can_be_allowed) {
  scripted_server server{answering()};
  client_options options;
  options.policy.allow_private_networks = true;
  harness h{options};
  EXPECT_TRUE(h.check(server.url("127.0.0.1")));
  EXPECT_TRUE(h.post(server.url("127.0.0.1")));
}

TEST(ssrf, a_name_that_changes_its_mind_is_caught_at_connect_time) {
  scripted_server server{answering()};
  client_options options;
  options.policy.allowed = {*parse_cidr("127.0.0.1")};
  options.idle.total = 0;
  harness h{options};
  h.names->set("rebind.example", {{"127.0.0.1"}, {"127.0.0.1"}, {"10.0.0.1"}});
  EXPECT_TRUE(h.check(server.url("rebind.example")));
  EXPECT_TRUE(h.post(server.url("rebind.example")));
  const auto r = h.post(server.url("rebind.example"));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::address_refused);
  EXPECT_THAT(r.error().message, HasSubstr("10.0.0.1"));
  EXPECT_EQ(server.connections(), 1u);
}

TEST(ssrf, the_address_that_was_checked_is_the_one_connected_to) {
  // Were the name looked up again to connect, that would go to the trap.
  scripted_server server{answering()};
  client_options options;
  options.policy.allowed = {*parse_cidr("127.0.0.1")};
  harness h{options};
  h.names->set("rebind.example", {{"127.0.0.1"}, {"127.0.0.2"}});
  EXPECT_TRUE(h.post(server.url("rebind.example")));
  EXPECT_EQ(h.names->asked("rebind.example"), 1u);
}

TEST(ssrf, one_refused_address_among_good_ones_refuses_the_name) {
  scripted_server server{answering()};
  harness h;
  h.names->set("mixed.example", {{"127.0.0.1", "192.168.1.1"}});
  const auto r = h.post(server.url("mixed.example"));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::address_refused);
  EXPECT_EQ(server.connections(), 0u);
}

TEST(ssrf, a_name_without_address_is_told_apart) {
  harness h;
  const auto r = h.post("http://nobody.example/");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::resolve);
  EXPECT_EQ(h.check("http://nobody.example/").error().code, ec::not_found);
}

TEST(ssrf, a_silent_name_server_costs_the_connect_timeout_only) {
  harness h;
  h.names->never_answer("slow.example");
  auto what = to_url("http://slow.example/");
  what.connect_timeout = std::chrono::milliseconds{100};
  const auto r = h.post(what);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::timed_out);
}

TEST(ssrf, an_answer_from_the_name_server_after_the_end_does_no_harm) {
  auto names = std::make_shared<scripted_resolver>();
  std::promise<result> told;
  std::function<void(resolver::answer)> late;
  struct hoarder final : resolver {
    std::function<void(answer)>& kept;
    std::promise<void>& asked;
    hoarder(std::function<void(answer)>& k, std::promise<void>& a)
        : kept(k), asked(a) {}
    void resolve(std::string, std::function<void(answer)> done) override {
      kept = std::move(done);
      asked.set_value();
    }
  };
  std::promise<void> asked;
  auto made = client::make({}, std::make_shared<hoarder>(late, asked));
  ASSERT_TRUE(made);
  (*made)->post(to_url("http://x.example/"),
                [&told](result r) { told.set_value(std::move(r)); });
  asked.get_future().wait();
  made->reset();
  EXPECT_EQ(told.get_future().get().error().kind, failure_kind::shutting_down);
  late(std::vector<ip_address>{boost::asio::ip::make_address("127.0.0.1")});
}

TEST(system_resolver, knows_localhost_and_not_an_invalid_name) {
  auto names = make_system_resolver();
  std::promise<resolver::answer> known;
  std::promise<resolver::answer> unknown;
  names->resolve("localhost", [&known](resolver::answer a) {
    known.set_value(std::move(a));
  });
  names->resolve("a..b", [&unknown](resolver::answer a) {
    unknown.set_value(std::move(a));
  });
  const auto found = known.get_future().get();
  ASSERT_TRUE(found);
  for (const auto& a : *found)
    EXPECT_EQ(classify(a), address_class::loopback);
  EXPECT_EQ(unknown.get_future().get().error().code, ec::not_found);
}

TEST(system_resolver, refuses_more_than_its_bound) {
  auto names = make_system_resolver(1, 0);
  std::promise<resolver::answer> told;
  names->resolve("localhost",
                 [&told](resolver::answer a) { told.set_value(std::move(a)); });
  EXPECT_EQ(told.get_future().get().error().code, ec::overloaded);
}

} // namespace
} // namespace eventweft::outgoing
