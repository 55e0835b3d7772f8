// SPDX-License-Identifier: Apache-2.0
#include "config/keys.hpp"
#include "config/names.hpp"
#include "tests/unit/config/support.hpp"

#include <gmock/gmock.h>

namespace eventweft::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

expected<effective> load_with(environment env) {
  load_options options;
  options.env = std::move(env);
  return load_text({}, {}, options);
}

std::string fault_with(environment env) {
  const auto e = load_with(std::move(env));
  return e ? "no fault" : e.error().message;
}

TEST(Environment, ReachesEveryKeyOfTheTable) {
  for (const auto& k : keys()) {
    if (k.type == kind::rules || k.type == kind::correlation_rules)
      continue;
    const auto name = environment_name(k, "github");
    std::string value;
    switch (k.type) {
    case kind::boolean:
      value = "false";
      break;
    case kind::choice:
    case kind::choices:
      value = std::string{k.choices.substr(0, k.choices.find('|'))};
      break;
    case kind::text:
      value = "localhost:1";
      break;
    case kind::store_url:
      value = "sqlite:x";
      break;
    case kind::fraction:
      value = "0.5";
      break;
    case kind::origins:
      value = "https://a.example";
      break;
    case kind::pointers:
      value = "/a,/b";
      break;
    case kind::secret_file:
      value = "/dev/null";
      break;
    case kind::secret:
    case kind::secrets:
      value = "s";
      break;
    default:
      value = "10";
    }
    load_options options;
    options.env = {{name, value}};
    const auto e = load_text({}, {}, options);
    // A fault is fine if it is about this value: it was recognised.
    if (!e) {
      EXPECT_THAT(e.error().message,
                  ::testing::AnyOf(HasSubstr(name + ": expected"),
                                   HasSubstr(name + ": file"),
                                   HasSubstr("must not be above"),
                                   HasSubstr("must not be below")));
      continue;
    }
    const bool known = std::ranges::any_of(
        e->origins, [&](const auto& pair) { return pair.second == name; });
    EXPECT_TRUE(known) << name;
  }
}

TEST(Environment, ReadsTextAsTheKeysType) {
  const auto e = load_with({{"EVENTWEFT_EVENT_ENABLE_STREAMING", "off"},
                            {"EVENTWEFT_EVENT_QUEUE_WAIT", "0.25"},
                            {"EVENTWEFT_SERVER_MAX_BODY_BYTES", "3MiB"},
                            {"EVENTWEFT_SERVER_THREADS", " 3 "},
                            {"EVENTWEFT_STORE_SPOOL_DIRECTORY", ""}});
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_FALSE(e->values.event.enable_streaming);
  EXPECT_EQ(e->values.event.queue_wait, 250ms);
  EXPECT_EQ(e->values.server.max_body_bytes, 3u << 20);
  EXPECT_EQ(e->values.server.threads, 3u);
  EXPECT_EQ(e->values.store.spool_directory, "");
}

TEST(Environment, NamesTheVariable) {
  EXPECT_EQ(fault_with({{"EVENTWEFT_EVENT_MAX_WORKERS", "many"}}),
            "EVENTWEFT_EVENT_MAX_WORKERS: expected a whole number from 1 to "
            "256, found \"many\"");
  EXPECT_EQ(fault_with({{"DB_PORT", "0"}}),
            "DB_PORT: expected a whole number from 1 to 65535, found \"0\"");
  EXPECT_EQ(fault_with({{"EVENTWEFT_EVENT_MAX_WORKER", "4"}}),
            "EVENTWEFT_EVENT_MAX_WORKER: unknown variable; did you mean "
            "EVENTWEFT_EVENT_MAX_WORKERS?");
  EXPECT_THAT(fault_with({{"EVENTWEFT_SEVER_LISTEN", "a:1"}}),
              HasSubstr("did you mean EVENTWEFT_SERVER_LISTEN?"));
  // Called as the flags are.
  EXPECT_EQ(fault_with({{"EVENTWEFT_LISTEN", "0.0.0.0:80"}}),
            "EVENTWEFT_LISTEN: unknown variable; did you mean "
            "EVENTWEFT_SERVER_LISTEN?");
  EXPECT_EQ(fault_with({{"EVENTWEFT_STORE", "sqlite:a.db"}}),
            "EVENTWEFT_STORE: unknown variable; did you mean "
            "EVENTWEFT_STORE_URL?");
  EXPECT_THAT(fault_with({{"EVENTWEFT_PLATFORMS_GITHUB_SECRT", "x"}}),
              HasSubstr("did you mean EVENTWEFT_PLATFORMS_GITHUB_SECRET?"));
}

TEST(Environment, TakesTheClassicVariables) {
  const auto e = load_with({{"DB_HOST", "db.internal"},
                            {"DB_PORT", "6543"},
                            {"DB_NAME", "hub"},
                            {"DB_USER", "writer"},
                            {"DB_PASSWORD", "pw"},
                            {"SLACK_SIGNING_SECRET", "s1,s2"},
                            {"LINEAR_WEBHOOK_SECRET", "l"},
                            {"DEPLOYMENT_WEBHOOK_SECRET", "d"},
                            {"GITHUB_WEBHOOK_SECRET", "g"}});
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->values.store.url,
            "postgresql://writer:pw@db.internal:6543/hub?sslmode=prefer");
  EXPECT_EQ(e->origins.at("store.url"), "[database], DB_HOST");
  EXPECT_THAT(e->values.platforms.at("slack").secrets, ElementsAre("s1", "s2"));
  EXPECT_THAT(e->values.platforms.at("linear").secrets, ElementsAre("l"));
  EXPECT_THAT(e->values.platforms.at("deployments").secrets, ElementsAre("d"));
  EXPECT_THAT(e->values.platforms.at("github").secrets, ElementsAre("g"));
}

TEST(Environment, CountsEmptyVariablesAsNotSet) {
  const auto e = load_with({{"DB_HOST", ""},
                            {"GITHUB_WEBHOOK_SECRET", " "},
                            {"EVENTWEFT_SERVER_THREADS", ""}});
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->values.store.url, "sqlite:eventweft.db");
  EXPECT_TRUE(e->values.platforms.empty());
}

TEST(Environment, FindsPlatformsByName) {
  load_options options;
  options.env = {{"EVENTWEFT_PLATFORMS_MY_TOOL_SECRETS", "a,b"},
                 {"EVENTWEFT_PLATFORMS_GITLAB_ALLOW_UNSIGNED", "true"}};
  const auto e =
      load_text("[platforms.my-tool]\ntolerance = 1\n", "f.toml", options);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_THAT(e->values.platforms.at("my-tool").secrets, ElementsAre("a", "b"));
  EXPECT_TRUE(e->values.platforms.at("gitlab").allow_unsigned);
  EXPECT_EQ(e->values.platforms.size(), 2u);
}

TEST(Environment, FindsProcessorsWhateverTheirNameIsMadeOf) {
  load_options options;
  options.env = {{"EVENTWEFT_PROCESSORS_NOTIFY_OPS_1_MAX_RETRY_DELAY", "7"},
                 {"EVENTWEFT_PROCESSORS_NEW_ONE_URL", "http://h"}};
  auto e = load_text("[processors.\"Notify.ops-1\"]\nkind = \"noop\"\n",
                     "f.toml", options);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->values.processors.at("Notify.ops-1").max_retry_delay, 7s);
  EXPECT_EQ(e->values.processors.at("new_one").url, "http://h");
  EXPECT_EQ(e->values.processors.size(), 2u);
  options.env = {{"EVENTWEFT_PROCESSORS_NOTIFY_ULR", "http://h"}};
  e = load_text({}, {}, options);
  ASSERT_FALSE(e);
  EXPECT_EQ(e.error().message,
            "EVENTWEFT_PROCESSORS_NOTIFY_ULR: unknown variable");
}

TEST(Environment, TakesAPlatformsDashAsItIs) {
  load_options options;
  options.env = {{"EVENTWEFT_PLATFORMS_MY-TOOL_SECRETS", "a"},
                 {"EVENTWEFT_PLATFORMS_MY-TOOL_REDACT_TOKENS", "slack"}};
  const auto e = load_text({}, {}, options);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_THAT(e->values.platforms.at("my-tool").secrets, ElementsAre("a"));
  EXPECT_EQ(e->values.platforms.size(), 1u);
}

TEST(Environment, IgnoresWhatIsNotMeantForIt) {
  const auto e =
      load_with({{"EVENTWEFT_URL", "http://h"},
                 {"EVENTWEFT_TOKEN", "t"},
                 {"EVENTWEFT_CERT", "c.pem"},
                 {"EVENTWEFT_CERT_KEY", "c.key"},
                 {"EVENTWEFT_HOME", "/opt"},
                 {"EVENTWEFT_SERVICE_HOST", "10.0.0.1"},
                 {"EVENTWEFT_DATABASE_PORT", "tcp://10.0.0.1:5432"},
                 {"EVENTWEFT_DATABASE_PORT_5432_TCP_ADDR", "10.0.0.1"},
                 {"EVENTWEFT_SERVER_SERVICE_PORT_HTTP", "80"},
                 {"DB_PORT", "tcp://10.0.0.2:5432"},
                 {"PATH", "/bin"}});
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_TRUE(e->origins.empty());
}

} // namespace
} // namespace eventweft::config
