// SPDX-License-Identifier: Apache-2.0
// What `serve` would refuse, by the configuration alone.
#include "app/cluster_plan.hpp"
#include "app/validate.hpp"
#include "config/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace eventweft {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// As `eventweft check` tells it.
std::string faults_in(const std::string& toml) {
  const auto loaded = config::load_text(toml, "c.toml", {});
  if (!loaded)
    return "not loaded: " + loaded.error().message;
  std::string all;
  for (auto& fault : faults_of(loaded->values)) {
    EXPECT_EQ(fault.code, ec::bad_configuration) << fault.message;
    all += (all.empty() ? "" : "\n") +
           config::located(*loaded, std::move(fault)).message;
  }
  return all;
}

TEST(Validate, FindsNothingInTheDefaults) {
  EXPECT_EQ(faults_in(""), "");
  EXPECT_EQ(faults_in("[platforms.events]\nkeep = \"10d\"\n"
                      "[processors.p]\nurl = \"https://h.example/x\"\n"
                      "secret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\"\n"
                      "[processors.q]\ncommand = [\"true\"]\n"
                      "environment = [\"A=b c\", \"PATH\"]\n"
                      "[webhooks]\nqueue_servers = \"nats://h:4222\"\n"),
            "");
}

TEST(Validate, NamesFileLineAndKey) {
  const auto too_long =
      "[store]\nspool_directory = \"/tmp/" + std::string(300, 'x') + "\"\n";
  struct {
    std::string_view toml;
    std::string_view fault;
  } const cases[] = {
      {"[processors.a]\ncommand = [\"x\"]\nfilter = \"{bad\"\n",
       "c.toml:3: [processors.a] filter: "},
      {"[processors.a]\ncommand = [\"x\"]\nfilter = '{\"zz\":1}'\n",
       "c.toml:3: [processors.a] filter: unknown key \"zz\""},
      {"[processors.a]\ncommand = [\"x\"]\nstart = \"soon\"\n",
       "c.toml:3: [processors.a] start: expected now"},
      {"[[processors]]\nname = \"a\"\nkind = \"exec\"\n",
       "c.toml:1: [processors.a] command: "},
      {"[[processors]]\nname = \"a\"\nkind = \"http\"\n",
       "c.toml:1: [processors.a] url: "},
      {"[processors.a]\nurl = \"https://h\"\n",
       "c.toml:1: [processors.a] secret: is missing"},
      {"[processors.a]\nurl = \"https://h\"\nsecret = \"foo\"\n",
       "c.toml:3: [processors.a] secret: neither"},
      {"[processors.a]\nurl = \"ftp://x\"\n",
       "c.toml:2: [processors.a] url: expected http://HOST/"},
      {"[processors.a]\nurl = \"https://h\"\ncommand = [\"x\"]\n",
       "c.toml:2: [processors.a] url: there is a command, too"},
      {"[processors.a]\ncommand = [\"x\"]\nenvironment = [\"A B=c\"]\n",
       "c.toml:3: [processors.a] environment: "},
      {"[processors.a]\ncommand = \"notify --channel ops\"\n",
       "c.toml:2: [processors.a] command: expected a list"},
      {"[processors.a]\ncommand = [\"x\"]\nformat = \"cloudevents\"\n",
       "c.toml:3: [processors.a] format: "},
      {"[processors.a]\nurl = \"https://h\"\ndirectory = \"/\"\n",
       "c.toml:3: [processors.a] directory: only an exec processor"},
      {"[processors.a]\nurl = \"https://h\"\nenvironment = [\"A=b\"]\n",
       "c.toml:3: [processors.a] environment: only an exec processor"},
      {"[processors.a]\nkind = \"noop\"\ncommand = [\"x\"]\n",
       "c.toml:3: [processors.a] command: only an exec processor"},
      {"[processors.a]\nkind = \"noop\"\nurl = \"https://h\"\n",
       "c.toml:3: [processors.a] url: only an http processor"},
      {"[processors.a]\nkind = \"exec\"\nurl = \"https://h\"\n",
       "c.toml:3: [processors.a] url: only an http processor"},
      {"[processors.a]\ncommand = [\"x\"]\nsecret = \"whsec_YQ==\"\n",
       "c.toml:3: [processors.a] secret: only an http processor"},
      {"[processors.a]\nkind = \"noop\"\nformat = \"cloudevents\"\n",
       "c.toml:3: [processors.a] format: only an http processor"},
      {"[webhooks]\nretry_schedule = \"5x\"\n",
       "c.toml:2: [webhooks] retry_schedule: "},
      {"[webhooks]\nallowed_networks = \"foo\"\n",
       "c.toml:2: [webhooks] allowed_networks: "},
      {"[webhooks]\nca_file = \"/nowhere\"\n",
       "c.toml:2: [webhooks] ca_file: "},
      {"[webhooks]\nqueue_servers = \"foo\"\n",
       "c.toml:2: [webhooks] queue_servers: "},
      {"[dead_letters]\nalert_url = \"nonsense\"\n",
       "c.toml:2: [dead_letters] alert_url: "},
      {"[dead_letters]\nalert_secret = \"foo\"\n",
       "c.toml:2: [dead_letters] alert_secret: "},
      {"[server.tls]\ncertificate = \"/nowhere\"\nkey = \"/nowhere\"\n",
       "c.toml:2: [server.tls] certificate: /nowhere: No such file"},
      {"[server.tls]\ncertificate = \"/nowhere\"\n",
       "c.toml:1: [server.tls] key: is missing"},
      {"[auth]\njwt_keys = \"/nowhere\"\n", "c.toml:2: [auth] jwt_keys: "},
      {"[cluster]\nenabled = true\nname = \"n\"\n",
       "c.toml:2: [cluster] enabled: needs a store"},
      {"[store]\nurl = \"postgresql://h/d\"\n[cluster]\nenabled = true\n"
       "name = \"A B\"\n",
       "c.toml:5: [cluster] name: "},
      {"[store]\nurl = \"postgresql://h/d\"\n[cluster]\nenabled = true\n"
       "name = \"n\"\nlisten = \"127.0.0.1:0\"\n",
       "c.toml:3: [cluster] certificate: is missing"},
      // What other nodes would be told to dial.
      {"[store]\nurl = \"postgresql://h/d\"\n[cluster]\nenabled = true\n"
       "name = \"n\"\nlisten = \"0.0.0.0:7400\"\n",
       "c.toml:6: [cluster] listen: 0.0.0.0 means every address"},
      {"[store]\nurl = \"postgresql://h/d\"\n[cluster]\nenabled = true\n"
       "name = \"n\"\nlisten = \"[::]:7400\"\nadvertise = \"[::]:7400\"\n",
       "c.toml:7: [cluster] advertise: :: means every address"},
      {"[store]\nurl = \"postgresql://h/d\"\n[cluster]\nenabled = true\n"
       "name = \"n\"\nlisten = \"0.0.0.0:7400\"\nadvertise = \"h:0\"\n",
       "c.toml:7: [cluster] advertise: expected HOST:PORT with a port"},
      {"[store]\nurl = \"postgresql://h/d\"\n[cluster]\nenabled = true\n"
       "name = \"n\"\nadvertise = \"h:7400\"\n",
       "c.toml:6: [cluster] advertise: has no effect without listen"},
      // A name that only looks like loopback.
      {"[store]\nurl = \"postgresql://h/d\"\n[cluster]\nenabled = true\n"
       "name = \"n\"\nlisten = \"127.example.org:7400\"\ninsecure = true\n",
       "c.toml:7: [cluster] insecure: is for loopback only"},
      {"[store]\nspool_directory = \"/dev/null/x\"\n",
       "c.toml:2: [store] spool_directory: "},
      {"[store]\nspool_directory = \"/proc/spool\"\n",
       "c.toml:2: [store] spool_directory: /proc/spool: /proc can't be"},
      {"[store]\nurl = \"sqlite:/nowhere/at/log.db\"\n",
       "c.toml:2: [store] url: the directory /nowhere/at does not exist: make"},
      {too_long, "c.toml:2: [store] spool_directory: /tmp/xxx"},
      {"[[correlation.rules]]\nname = \"r\"\nkey = \"k:{payload.x}\"\n"
       "[[correlation.rules]]\nname = \"s\"\nkey = \"k:{1}\"\n"
       "field = \"payload.x\"\npattern = \"(\"\n",
       "c.toml:4: [correlation.rules.s] "},
      {"[platforms.nope]\n", "c.toml:1: [platforms.nope]: there is no such"},
      {"[platforms.standard-webhooks]\nsecret = \"whsec_!!\"\n",
       "c.toml:2: [platforms.standard-webhooks] secrets: entry 1"},
      {"[retention]\nkeep = \"90\"\n", "c.toml:2: [retention] keep: "},
      {"[retention]\nkeep = \"forever\"\n", "c.toml:2: [retention] keep: "},
      {"[platforms.github]\nkeep = \"x\"\n",
       "c.toml:2: [platforms.github] keep: "},
      {"[event]\nplatforms_directory = \"/nowhere\"\n",
       "c.toml:2: [event] platforms_directory: /nowhere: "},
  };
  for (const auto& c : cases)
    EXPECT_THAT(faults_in(std::string{c.toml}),
                StartsWith(std::string{c.fault}))
        << c.toml;
}

TEST(Validate, TellsAllFaultsAtOnceAndNoSecrets) {
  const auto all = faults_in("[processors.a]\nurl = \"http://u:hunter2@h\"\n"
                             "[processors.b]\nkind = \"exec\"\n"
                             "[retention]\nkeep = \"x\"\n");
  EXPECT_THAT(all, HasSubstr("[processors.a] url: "));
  EXPECT_THAT(all, HasSubstr("[processors.b] command: "));
  EXPECT_THAT(all, HasSubstr("[retention] keep: "));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("hunter2")));
}

TEST(Validate, TellsAllFaultsOfRulesAlertsAndRetention) {
  const auto all =
      faults_in("[[correlation.rules]]\nname = \"a\"\nkey = \"none\"\n"
                "[[correlation.rules]]\nname = \"b\"\nkey = \"k:{1}\"\n"
                "[[correlation.rules]]\nname = \"c\"\n"
                "key = \"k:{payload.x}\"\n"
                "[[correlation.rules]]\nname = \"c\"\n"
                "key = \"l:{payload.x}\"\n"
                "[dead_letters]\nalert_url = \"x\"\nalert_secret = \"y\"\n"
                "[retention]\nkeep = \"x\"\naudit = \"x\"\n"
                "[platforms.github]\nkeep = \"x\"\nsecret = \"s\"\n"
                "[platforms.slack]\nkeep = \"x\"\n");
  for (const auto* fault :
       {"[correlation.rules.a] ", "[correlation.rules.b] ",
        "already a correlation rule \"c\"",
        "[dead_letters] alert_url: ", "[dead_letters] alert_secret: ",
        "[retention] keep: ", "[retention] audit: ",
        "[platforms.github] keep: ", "[platforms.slack] keep: "})
    EXPECT_THAT(all, HasSubstr(fault));
  EXPECT_EQ(std::ranges::count(all, '\n'), 8) << all;
}

TEST(Validate, LeavesNothingWhereTheSpoolWillBe) {
  const auto directory = std::filesystem::temp_directory_path() /
                         ("eventweft-validate-" + std::to_string(::getpid()));
  std::filesystem::create_directory(directory);
  EXPECT_EQ(faults_in("[store]\nspool_directory = '" +
                      (directory / "deeper" / "spool").string() + "'\n"),
            "");
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  std::filesystem::remove(directory);
}

TEST(Validate, NamesTheClustersFiles) {
  const auto empty = std::filesystem::temp_directory_path() /
                     ("eventweft-empty-" + std::to_string(::getpid()));
  std::ofstream{empty}.close();
  const auto with_ca = [&](const std::string& certificate) {
    return faults_in("[store]\nurl = \"postgresql://h/d\"\n[cluster]\n"
                     "enabled = true\nname = \"n\"\nlisten = "
                     "\"127.0.0.1:0\"\ncertificate = \"" +
                     certificate + "\"\nkey = \"" + empty.string() +
                     "\"\nca = \"" + empty.string() + "\"\n");
  };
  EXPECT_THAT(
      with_ca("/nowhere"),
      StartsWith("c.toml:7: [cluster] certificate: /nowhere: no such file"));
  EXPECT_THAT(with_ca(empty.string()),
              StartsWith("c.toml:9: [cluster] ca: " + empty.string() +
                         ": the file has no certificate"));
  std::filesystem::remove(empty);
}

TEST(ClusterPlan, PeopleAreToldAnAddressThatTheyReach) {
  EXPECT_EQ(http_address("10.0.0.1:8080", "10.1.0.1:7400"), "10.0.0.1:8080");
  EXPECT_EQ(http_address("0.0.0.0:8080", "10.1.0.1:7400"), "10.1.0.1:8080");
  EXPECT_EQ(http_address("[::]:8080", "[fd00::1]:7400"), "[fd00::1]:8080");
  EXPECT_EQ(http_address("[::]:8080", "node-1.hub:7400"), "node-1.hub:8080");
  EXPECT_EQ(http_address("", "10.1.0.1:7400"), "");
}

} // namespace
} // namespace eventweft
