// SPDX-License-Identifier: Apache-2.0
#include "net/routes.hpp"

#include <gtest/gtest.h>

namespace eventweft::net {
namespace {

using boost::beast::http::verb;

route_match match(verb method, std::string_view path) {
  return match_route(method, path, [](std::string_view name) {
    return name == "github" || name == "a b";
  });
}

TEST(routes, EveryRouteIsReachableByItsOwnPattern) {
  for (const auto& r : route_table()) {
    std::string path{r.pattern};
    if (const auto open = path.find('{'); open != std::string::npos)
      path.replace(open, path.find('}') - open + 1, "github");
    const auto m = match(r.method, path);
    ASSERT_NE(m.found, nullptr) << path;
    EXPECT_EQ(m.found, &r) << path;
  }
}

TEST(routes, TakesTheArgumentDecoded) {
  EXPECT_EQ(match(verb::get, "/api/v1/streams/a%20b%2Fc").argument, "a b/c");
  EXPECT_EQ(match(verb::post, "/a%20b/events").argument, "a b");
  EXPECT_EQ(match(verb::get, "/api/v1/streams/%zz").found, nullptr);
  EXPECT_EQ(match(verb::get, "/api/v1/streams/").found, nullptr);
}

TEST(routes, TellsUnknownPathsFromWrongMethods) {
  for (const auto* path : {"", "/", "/unknown", "/healthz/", "/healthz/x",
                           "//healthz", "/linear/events", "*"}) {
    const auto m = match(verb::get, path);
    EXPECT_EQ(m.found, nullptr) << path;
    EXPECT_FALSE(m.path_known) << path;
  }
  const auto wrong = match(verb::put, "/github/events");
  EXPECT_EQ(wrong.found, nullptr);
  EXPECT_TRUE(wrong.path_known);
  EXPECT_EQ(wrong.allowed, "POST");
  EXPECT_EQ(match(verb::put, "/events").allowed, "POST, OPTIONS");
  EXPECT_EQ(match(verb::post, "/metrics").allowed, "GET, HEAD");
}

TEST(routes, HeadGoesWhereGetGoes) {
  EXPECT_EQ(match(verb::head, "/healthz").found,
            match(verb::get, "/healthz").found);
  EXPECT_EQ(match(verb::head, "/github/events").found, nullptr);
}

} // namespace
} // namespace eventweft::net
