// SPDX-License-Identifier: Apache-2.0
#include "net/routes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>

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
  EXPECT_EQ(match(verb::get, "/api/v1/streams/a%00b").found, nullptr);
}

TEST(routes, AThreadsKeyMayHoldSlashes) {
  for (const auto* path :
       {"/api/v1/correlations/github:pr:octo/repo%2312",
        "/api/v1/correlations/github%3Apr%3Aocto%2Frepo%2312"})
    EXPECT_EQ(match(verb::get, path).argument, "github:pr:octo/repo#12");
  EXPECT_EQ(
      match(verb::get, "/api/v1/correlations/https://github.com/o/r/pull/12")
          .argument,
      "https://github.com/o/r/pull/12");
  EXPECT_EQ(match(verb::get, "/api/v1/correlations/").found, nullptr);
  EXPECT_EQ(match(verb::get, "/api/v1/events/a/b").found, nullptr);
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
  EXPECT_EQ(match(verb::put, "/webhooks/events").allowed, "POST, OPTIONS");
  EXPECT_EQ(match(verb::post, "/metrics").allowed, "GET, HEAD");
}

/// "GET /path" for every operation in openapi.yaml, whose paths are indented by
/// two blanks and whose methods by four.
std::set<std::string> described_routes() {
  const std::set<std::string> methods{"get",     "put",  "post", "delete",
                                      "options", "head", "patch"};
  std::ifstream file{EVENTWEFT_SOURCE_DIR "/schemas/openapi.yaml"};
  std::set<std::string> found;
  std::string path;
  bool in_paths = false;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != ' ' && line[0] != '#')
      in_paths = line == "paths:";
    if (!in_paths || !line.ends_with(':'))
      continue;
    const auto indent = line.find_first_not_of(' ');
    auto key = line.substr(indent, line.size() - indent - 1);
    if (indent == 2)
      path = key;
    if (indent != 4 || !methods.contains(key))
      continue;
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) {
      return static_cast<char>(std::toupper(c));
    });
    found.insert(key + ' ' + path);
  }
  return found;
}

TEST(routes, AllAreDescribedInOpenApi) {
  std::set<std::string> routes;
  for (const auto& r : route_table()) {
    const auto method = boost::beast::http::to_string(r.method);
    routes.insert(std::string{method.data(), method.size()} + ' ' +
                  std::string{r.pattern});
  }
  const auto described = described_routes();
  for (const auto& r : routes)
    EXPECT_TRUE(described.contains(r))
        << r << " is missing in schemas/openapi.yaml";
  for (const auto& r : described)
    EXPECT_TRUE(routes.contains(r))
        << r << " in schemas/openapi.yaml is no route";
}

TEST(routes, HeadGoesWhereGetGoes) {
  EXPECT_EQ(match(verb::head, "/healthz").found,
            match(verb::get, "/healthz").found);
  EXPECT_EQ(match(verb::head, "/github/events").found, nullptr);
}

} // namespace
} // namespace eventweft::net
