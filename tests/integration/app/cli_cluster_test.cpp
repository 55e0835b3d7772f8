// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cluster.hpp"
#include "tests/integration/app/cli_support.hpp"

namespace eventweft::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string view_of(bool left) {
  return std::string{R"({"node":"a","draining":true,"left":)"} +
         (left ? "true" : "false") +
         R"(,"head":12,"nodes":[
    {"name":"a","state":"up","alive":true,"http":"h:1","version":"1.0",
     "link":null},
    {"name":"b","state":"up","alive":true,"http":"h:2","version":"1.0",
     "link":{"state":"up","round_trip_ms":0.123456,"behind":3,
             "events":false}},
    {"name":"c","state":"up","alive":false,"http":"h:3","version":"1.0",
     "link":{"state":"down: the peer is silent","round_trip_ms":null,
             "behind":null,"events":null}}],
  "owners":[{"work":"processor:p","owner":"b","token":7,"ends_in_ms":900}],
  "appender":"b","held":[]})";
}

TEST(CliCluster, ShowsNodesLinksLagAndOwners) {
  const api_server server{
      {{"GET /api/v1/cluster", answer(200, view_of(false))}}};
  cluster_options options;
  options.server = server.address();
  captured_console console;
  EXPECT_EQ(cluster_status(options, console.io), exit_ok) << console.err.str();
  EXPECT_EQ(
      console.out.str(),
      "NODE      STATE  ALIVE  HTTP  LINK                      BEHIND  EVENTS  "
      "VERSION\n"
      "a (this)  up     true   h:1   -                         -       -       "
      "1.0\n"
      "b         up     true   h:2   up (0.123 ms)             3       false   "
      "1.0\n"
      "c         lost   false  h:3   down: the peer is silent  -       -       "
      "1.0\n"
      "\n"
      "WORK         OWNER  TOKEN  ENDS IN (MS)\n"
      "processor:p  b      7      900\n"
      "\n"
      "Where several nodes write, b appends for all.\n");
}

TEST(CliCluster, WaitsUntilANodeIsDrained) {
  const api_server server{
      {{"POST /api/v1/cluster/drain", answer(202, view_of(false))},
       {"GET /api/v1/cluster", answer(200, view_of(true))}}};
  cluster_options options;
  options.server = server.address();
  captured_console console;
  EXPECT_EQ(cluster_drain(options, console.io), exit_ok) << console.err.str();
  EXPECT_EQ(console.out.str(), "a is drained; it can be stopped\n");
  EXPECT_THAT(server.targets(),
              ElementsAre("POST /api/v1/cluster/drain", "GET /api/v1/cluster"));
  options.wait = 0;
  captured_console at_once;
  EXPECT_EQ(cluster_drain(options, at_once.io), exit_ok);
  EXPECT_EQ(at_once.out.str(), "a is being drained\n");
}

/// Behind a load balancer, whose other nodes have drained nothing.
TEST(CliCluster, WaitsForTheNodeThatIsDrainedWhoeverAnswers) {
  const auto other = [](const char* state, const char* left) {
    return answer(200, std::string{R"({"node":"b","draining":true,"left":)"} +
                           left + R"(,"nodes":[{"name":"a","state":")" + state +
                           R"("},{"name":"b","state":"up"}]})");
  };
  cluster_options options;
  captured_console console;
  {
    const api_server server{
        {{"POST /api/v1/cluster/drain", answer(202, view_of(false))},
         {"GET /api/v1/cluster", other("left", "false")}}};
    options.server = server.address();
    EXPECT_EQ(cluster_drain(options, console.io), exit_ok) << console.err.str();
    EXPECT_EQ(console.out.str(), "a is drained; it can be stopped\n");
  }
  const api_server server{
      {{"POST /api/v1/cluster/drain", answer(202, view_of(false))},
       {"GET /api/v1/cluster", other("draining", "true")}}};
  options.server = server.address();
  options.wait = 0.3;
  captured_console late;
  EXPECT_EQ(cluster_drain(options, late.io), exit_failure);
  EXPECT_EQ(late.out.str(), "");
  EXPECT_THAT(late.err.str(), HasSubstr("a is still being drained"));
}

TEST(CliCluster, SaysWhatTheServerRefuses) {
  const api_server server{{}};
  cluster_options options;
  options.server = server.address();
  options.level = "loud/er";
  captured_console console;
  EXPECT_EQ(cluster_log_level(options, console.io), exit_failure);
  EXPECT_THAT(console.err.str(), HasSubstr("there is no such thing"));
  EXPECT_THAT(server.targets(),
              ElementsAre("POST /api/v1/cluster/log-level/loud%2Fer"));
}

} // namespace
} // namespace eventweft::cli
