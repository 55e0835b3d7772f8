// SPDX-License-Identifier: Apache-2.0
#include "access_fixture.hpp"

#include <gmock/gmock.h>

namespace eventweft::net {
namespace {

using testing::HasSubstr;

class rules_test : public access_test {
 protected:
  void open() {
    backend_.access_ = nullptr;
    start();
  }

  static std::string put(const std::string& name, const std::string& body,
                         const std::string& more = {}) {
    return "PUT /api/v1/correlation-rules/" + name +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
           std::to_string(body.size()) +
           "\r\nContent-Type: application/json\r\n" + more + "\r\n" + body;
  }

  static std::string drop(const std::string& name) {
    return "DELETE /api/v1/correlation-rules/" + name +
           " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
};

TEST_F(rules_test, AreMadeReplacedListedAndDropped) {
  open();
  auto a = ask(put("zendesk", R"({"key":"zd_{payload.ticket}"})"));
  EXPECT_EQ(a.status, 201) << a.body;
  EXPECT_EQ(a.header("location"), "/api/v1/correlation-rules/zendesk");
  EXPECT_THAT(a.body, HasSubstr(R"("origin":"store","disabled":false)"));
  EXPECT_THAT(a.body, HasSubstr(R"("key":"zd_{payload.ticket}")"));
  a = ask(put("zendesk", R"({"key":"zd2_{platform}","confidence":0.5})"));
  EXPECT_EQ(a.status, 200);
  a = ask(get("/api/v1/correlation-rules"));
  EXPECT_EQ(a.status, 200);
  EXPECT_THAT(a.body, HasSubstr(R"({"name":"github","origin":"built-in")"));
  EXPECT_THAT(a.body, HasSubstr(R"("key":"zd2_{platform}")"));
  EXPECT_THAT(a.body, HasSubstr(R"("next_cursor":null)"));
  a = ask(get("/api/v1/correlation-rules?limit=1"));
  EXPECT_THAT(a.body, HasSubstr(R"("next_cursor":"github")"));
  a = ask(get("/api/v1/correlation-rules?cursor=github"));
  EXPECT_THAT(a.body, testing::Not(HasSubstr("built-in")));
  EXPECT_EQ(ask(drop("zendesk")).status, 204);
  EXPECT_EQ(ask(drop("zendesk")).status, 404);
}

TEST_F(rules_test, OthersStayAsTheyAre) {
  open();
  EXPECT_EQ(ask(put("github", R"({"key":"k_{platform}"})")).status, 409);
  EXPECT_EQ(ask(drop("github")).status, 409);
}

TEST_F(rules_test, WhatIsWrongIsNamed) {
  open();
  EXPECT_EQ(ask(put("a", "[]")).status, 400);
  auto a = ask(put("a", R"({"key":"k_{platform}","colour":"red"})"));
  EXPECT_EQ(a.status, 422);
  EXPECT_THAT(a.body, HasSubstr("colour"));
  a = ask(put("a%20b", R"({"key":"k_{platform}"})"));
  EXPECT_EQ(a.status, 422);
  EXPECT_THAT(a.body, HasSubstr("name: "));
  EXPECT_EQ(ask(get("/api/v1/correlation-rules?color=red")).status, 400);
}

TEST_F(rules_test, ThereMayBeNone) {
  backend_.reads_keys = false;
  open();
  EXPECT_EQ(ask(get("/api/v1/correlation-rules")).status, 404);
  EXPECT_EQ(ask(put("a", R"({"key":"k_{platform}"})")).status, 404);
}

TEST_F(rules_test, ChangesAreWrittenDown) {
  start_locked();
  EXPECT_EQ(
      ask(get("/api/v1/correlation-rules", access_.header("read"))).status,
      200);
  EXPECT_EQ(
      ask(put("a", R"({"key":"k_{platform}"})", access_.header("read"))).status,
      403);
  EXPECT_EQ(ask(put("a", R"({"key":"k_{platform}"})", access_.header("manage")))
                .status,
            201);
  const auto all = access_.entries();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.back().action, "PUT /api/v1/correlation-rules/{name}");
  EXPECT_EQ(all.back().target, "a");
  EXPECT_EQ(all.back().status, 201);
}

} // namespace
} // namespace eventweft::net
