// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace eventweft::net {
namespace {

class http_subscriptions : public server_test {
 protected:
  http_answer send(const std::string& method, const std::string& target,
                   const std::string& body = "") {
    auto client = connect();
    client.send(method + ' ' + target + " HTTP/1.1\r\nHost: x\r\n" +
                "Content-Length: " + std::to_string(body.size()) +
                "\r\nContent-Type: application/json" +
                "\r\nConnection: close\r\n\r\n" + body);
    return client.read_answer();
  }
};

const std::string streams = "/api/v1/streams";
const std::string hooks = streams + "/all_events/subscriptions";
const std::string one = hooks + "/00000000-0000-0000-0000-000000000001";

TEST_F(http_subscriptions, StreamsAreMadeChangedAndDeleted) {
  start();
  auto a = send("POST", streams, R"({"name":"mine","filter":{}})");
  EXPECT_EQ(a.status, 201);
  EXPECT_EQ(a.header("location"), "/api/v1/streams/mine");
  EXPECT_EQ(send("POST", streams, R"({"name":"mine"})").status, 409);
  EXPECT_EQ(send("POST", streams, R"({"name":"m i"})").status, 422);
  EXPECT_EQ(send("POST", streams, "nonsense").status, 400);
  a = send("PATCH", streams + "/mine", R"({"filter":{"platforms":["x"]}})");
  EXPECT_EQ(a.status, 200);
  EXPECT_NE(a.body.find(R"("platforms":["x"])"), a.body.npos) << a.body;
  a = send("GET", streams + "/mine");
  EXPECT_NE(a.body.find(R"("readers":3)"), a.body.npos) << a.body;
  EXPECT_EQ(send("DELETE", streams + "/mine").status, 204);
  EXPECT_EQ(send("DELETE", streams + "/mine").status, 404);
  EXPECT_EQ(send("PUT", streams + "/mine").header("allow"),
            "GET, HEAD, PATCH, DELETE");
}

TEST_F(http_subscriptions, ASubscriptionsLife) {
  start();
  auto a = send("POST", hooks,
                R"({"type":"webhook","url":"https://x/","since":"earliest"})");
  EXPECT_EQ(a.status, 201);
  EXPECT_NE(a.body.find(R"("secret":"whsec_once")"), a.body.npos) << a.body;
  EXPECT_EQ(a.header("location"), one);
  EXPECT_EQ(backend_.subscriptions_.since, start_point::after(0));
  a = send("GET", one);
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body.find("whsec"), a.body.npos);
  EXPECT_EQ(send("GET", hooks + "/one").status, 400);
  EXPECT_EQ(send("GET", hooks + "/00000000-0000-0000-0000-000000000009").status,
            404);
  a = send("PATCH", one, R"({"active":false})");
  EXPECT_NE(a.body.find(R"("active":false)"), a.body.npos);
  EXPECT_EQ(send("PATCH", one, R"({"activ":false})").status, 422);
  a = send("POST", one + "/test");
  EXPECT_NE(a.body.find(R"("delivered":true)"), a.body.npos);
  a = send("POST", one + "/replay", R"({"since":1,"dry_run":true})");
  EXPECT_EQ(a.status, 200);
  EXPECT_NE(a.body.find(R"("matched":4)"), a.body.npos);
  EXPECT_EQ(send("POST", one + "/replay", R"({"since":1})").status, 202);
  EXPECT_EQ(send("POST", one + "/replay").status, 422);
  EXPECT_EQ(send("DELETE", one).status, 204);
  EXPECT_EQ(send("GET", hooks).body,
            R"({"subscriptions":[],"next_cursor":null})");
}

TEST_F(http_subscriptions, ListsComeInPages) {
  start();
  for (int n = 0; n < 3; ++n)
    send("POST", hooks, R"({"url":"https://x/"})");
  auto a = send("GET", hooks + "?limit=2");
  EXPECT_NE(
      a.body.find(R"("next_cursor":"00000000-0000-0000-0000-000000000002")"),
      a.body.npos)
      << a.body;
  a = send("GET",
           hooks + "?limit=2&cursor=00000000-0000-0000-0000-000000000002");
  EXPECT_NE(a.body.find(R"("id":"00000000-0000-0000-0000-000000000003")"),
            a.body.npos)
      << a.body;
  EXPECT_NE(a.body.find(R"("next_cursor":null)"), a.body.npos) << a.body;
  a = send("GET", streams + "?limit=1");
  EXPECT_NE(a.body.find(R"("next_cursor":"all_events")"), a.body.npos)
      << a.body;
  a = send("GET", streams + "?limit=1&cursor=all_events");
  EXPECT_NE(a.body.find(R"("name":"issue_events")"), a.body.npos) << a.body;
  for (const auto* wrong : {"?limit=0", "?limit=1001", "?cursor=", "?x=1"})
    for (const auto& list : {streams, hooks})
      EXPECT_EQ(send("GET", list + wrong).status, 400) << list << wrong;
}

TEST_F(http_subscriptions, DeliveriesComeInPages) {
  start();
  send("POST", hooks, R"({"url":"https://x/"})");
  auto a = send("GET", one + "/deliveries?limit=3");
  EXPECT_NE(
      a.body.find(R"("next_cursor":"00000000-0000-0000-0000-000000000002")"),
      a.body.npos)
      << a.body;
  a = send("GET", one + "/deliveries?limit=3&cursor="
                        "00000000-0000-0000-0000-000000000002");
  EXPECT_NE(a.body.find(R"("next_cursor":null)"), a.body.npos) << a.body;
  EXPECT_EQ(send("GET", one + "/deliveries?x=1").status, 400);
}

TEST_F(http_subscriptions, ABodyHasItsLimit) {
  start();
  EXPECT_EQ(send("POST", hooks, std::string(300'000, ' ')).status, 413);
}

} // namespace
} // namespace eventweft::net
