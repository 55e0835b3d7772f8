// SPDX-License-Identifier: Apache-2.0
#include "config/token_owners.hpp"
#include "tests/unit/config/support.hpp"

#include <gmock/gmock.h>

namespace eventweft::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

TEST(Loader, GivesDefaultsWhenThereIsNothing) {
  scratch_directory dir;
  load_options options;
  options.directory = dir.path();
  const auto s = load(options);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->event.max_workers, 4u);
  EXPECT_EQ(s->server.listen, "127.0.0.1:8080");
  EXPECT_EQ(s->store.url, "sqlite:eventweft.db");
  EXPECT_TRUE(s->platforms.empty());
}

TEST(Loader, ReadsTheUsualFileIfItIsThere) {
  scratch_directory dir;
  dir.write("eventweft.toml", "[event]\nmax_workers = 9\n");
  load_options options;
  options.directory = dir.path();
  const auto e = load_effective(options);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->values.event.max_workers, 9u);
  EXPECT_EQ(e->file, dir.path() / "eventweft.toml");
}

TEST(Loader, RefusesANamedFileThatIsNotThere) {
  scratch_directory dir;
  load_options options;
  options.file = dir.path() / "missing.toml";
  const auto s = load(options);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, ec::bad_configuration);
  EXPECT_THAT(s.error().message, HasSubstr("missing.toml: no such file"));
}

TEST(Loader, TakesTheFileThatTheEnvironmentNames) {
  scratch_directory dir;
  load_options options;
  options.directory = dir.path();
  options.env["EVENTWEFT_CONFIG"] =
      dir.write("other.toml", "[log]\nlevel = \"debug\"\n").string();
  const auto s = load(options);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->log.level, "debug");
}

TEST(Loader, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const std::string_view file = "[event]\nmax_workers = 2\n"
                                "queue_maxsize = 2\nqueue_wait = 2\n";
  load_options options;
  options.env = {{"EVENTWEFT_EVENT_MAX_WORKERS", "3"},
                 {"EVENTWEFT_EVENT_QUEUE_MAXSIZE", "3"}};
  options.flags = {{"--set event.max_workers", "event.max_workers", "4"}};
  const auto e = from_text(file, options);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->values.event.max_workers, 4u);
  EXPECT_EQ(e->values.event.queue_maxsize, 3u);
  EXPECT_EQ(e->values.event.queue_wait, 2s);
  EXPECT_EQ(e->origins.at("event.max_workers"), "--set event.max_workers");
  EXPECT_EQ(e->origins.at("event.queue_maxsize"),
            "EVENTWEFT_EVENT_QUEUE_MAXSIZE");
  EXPECT_EQ(e->origins.at("event.queue_wait"), "eventweft.toml:4");
  EXPECT_FALSE(e->origins.contains("event.enable_streaming"));
}

TEST(Loader, NamesFileLineAndKey) {
  EXPECT_EQ(fault_of("# one\n\n[event]\nmax_workers = \"many\"\n"),
            "eventweft.toml:4: [event] max_workers: expected a whole number "
            "from 1 to 256, found \"many\"");
  EXPECT_EQ(fault_of("[event]\nmax_workers = 4.0\n"),
            "eventweft.toml:2: [event] max_workers: expected a whole number "
            "from 1 to 256, found 4.0");
  EXPECT_EQ(fault_of("[server]\nmax_body_bytes = \"2 KiB\"\n"
                     "[platforms.github]\nmax_body_bytes = \"1 MiB\"\n"),
            "eventweft.toml:4: [platforms.github] max_body_bytes: must not be "
            "above [server] max_body_bytes, which is \"2 KiB\"");
  EXPECT_EQ(fault_of("[event]\nmax_workers = 0\n"),
            "eventweft.toml:2: [event] max_workers: expected a whole number "
            "from 1 to 256, found 0");
  EXPECT_EQ(fault_of("[event]\nenable_streaming = 1\n"),
            "eventweft.toml:2: [event] enable_streaming: expected true or "
            "false, found 1");
  EXPECT_EQ(fault_of("[log]\nformat = \"xml\"\n"),
            "eventweft.toml:2: [log] format: expected one of \"text\", "
            "\"json\", found \"xml\"");
  EXPECT_EQ(fault_of("[server]\nmax_body_bytes = \"25 MB\"\n"),
            "eventweft.toml:2: [server] max_body_bytes: expected a size from "
            "1 KiB to 1 GiB (in bytes, or as text with KiB, MiB, GiB), found "
            "\"25 MB\"");
}

TEST(Loader, NamesTheFlag) {
  load_options options;
  options.flags = {{"--listen", "server.listen", "8080"}};
  EXPECT_EQ(fault_of("", options),
            "--listen: [server] listen: expected HOST:PORT, such as "
            "127.0.0.1:8080 or [::1]:8080, found \"8080\"");
  options.flags = {{"--log-level", "log.level", "loud"}};
  EXPECT_THAT(fault_of("", options), HasSubstr("--log-level log.level: "));
}

TEST(Loader, RefusesUnknownNamesAndSuggestsTheNearest) {
  EXPECT_EQ(fault_of("[event]\nmax_worker = 4\n"),
            "eventweft.toml:2: [event] max_worker: unknown key; did you mean "
            "max_workers?");
  EXPECT_EQ(fault_of("\n[sever]\nlisten = \"a:1\"\n"),
            "eventweft.toml:2: [sever]: unknown section; did you mean "
            "[server]?");
  EXPECT_EQ(fault_of("[platforms.github]\nsecert = \"s\"\n"),
            "eventweft.toml:2: [platforms.github] secert: unknown key; did "
            "you mean secret?");
  EXPECT_EQ(fault_of("listen = \"a:1\"\n"),
            "eventweft.toml:1: listen: unknown key; keys belong into a "
            "section");
  EXPECT_THAT(fault_of("[event]\nzzzzzzzzzzzz = 4\n"),
              Not(HasSubstr("did you mean")));
  load_options options;
  options.flags = {{"--set event.workers", "event.workers", "4"}};
  EXPECT_THAT(fault_of("", options), HasSubstr("unknown key"));
}

TEST(Loader, ReportsEveryFaultInTheOrderOfLines) {
  EXPECT_EQ(fault_of("[server]\nthreads = -1\n[event]\nqueue_wait = true\n"),
            "eventweft.toml:2: [server] threads: expected a whole number from "
            "0 to 1024, found -1\n"
            "eventweft.toml:4: [event] queue_wait: expected a number of "
            "seconds from 0 to 60, found true");
}

TEST(Loader, NamesTheLineOfASyntaxError) {
  EXPECT_THAT(fault_of("[event]\nmax_workers = \n"),
              HasSubstr("eventweft.toml:2: "));
  EXPECT_THAT(fault_of("[event]\nmax_workers = 1\nmax_workers = 2\n"),
              HasSubstr("eventweft.toml:3: "));
}

TEST(Loader, RefusesPairsThatContradictEachOther) {
  EXPECT_EQ(fault_of("[store]\nretry_max = 0.05\n"),
            "eventweft.toml:2: [store] retry_max: must not be below "
            "retry_min, which is 0.1");
  // The one that was set is told, with its place.
  EXPECT_EQ(fault_of("[database]\nmin_connections = 20\n"),
            "eventweft.toml:2: [database] min_connections: must not be above "
            "max_connections, which is 10");
  EXPECT_EQ(fault_of("[streaming]\nping_interval = 60\n"),
            "eventweft.toml:2: [streaming] ping_interval: must not be above "
            "pong_timeout, which is 45");
  EXPECT_EQ(fault_of("[webhooks]\nbreaker_min = 50\nbreaker_max = 2\n"),
            "eventweft.toml:3: [webhooks] breaker_max: must not be below "
            "breaker_min, which is 50");
}

TEST(Loader, RefusesListenAddressesWithoutHostOrPort) {
  for (std::string_view bad :
       {"", "localhost", ":80", "a:", "a:65536", "a:x", "::1:80", "a:-1"})
    EXPECT_THAT(fault_of("[server]\nlisten = \"" + std::string{bad} + "\"\n"),
                HasSubstr("expected HOST:PORT"))
        << bad;
  for (std::string_view good : {"localhost:0", "[::1]:80", "0.0.0.0:65535"})
    EXPECT_TRUE(from_text("[server]\nlisten = \"" + std::string{good} + "\"\n"))
        << good;
}

// -- secrets -----------------------------------------------------------------

TEST(Loader, AddsUpAllSecretsOfAFile) {
  scratch_directory dir;
  dir.write("more", "three\n\n  four \n");
  const auto file =
      dir.write("eventweft.toml", "[platforms.github]\nsecret = \"one\"\n"
                                  "secrets = [\"two\"]\n"
                                  "secret_file = \"more\"\n");
  load_options options;
  options.file = file;
  const auto s = load(options);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_THAT(s->platforms.at("github").secrets,
              ElementsAre("one", "two", "three", "four"));
}

TEST(Loader, EnvironmentReplacesTheSecretsOfTheFile) {
  load_options options;
  options.env = {{"GITHUB_WEBHOOK_SECRET", "new, old"}};
  const auto e = from_text("[platforms.github]\nsecrets = [\"file\"]\n"
                           "allow_unsigned = true\n",
                           options);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_THAT(e->values.platforms.at("github").secrets,
              ElementsAre("new", "old"));
  EXPECT_TRUE(e->values.platforms.at("github").allow_unsigned);
}

TEST(Loader, RefusesEmptySecrets) {
  EXPECT_THAT(fault_of("[platforms.github]\nsecret = \"\"\n"),
              HasSubstr("[platforms.github] secret: expected"));
  EXPECT_THAT(fault_of("[platforms.github]\nsecrets = [\"a\", \"\"]\n"),
              HasSubstr("[platforms.github] secrets: expected"));
  scratch_directory dir;
  dir.write("none", "\n");
  load_options options;
  options.directory = dir.path();
  EXPECT_THAT(fault_of("[platforms.github]\nsecret_file = \"none\"\n", options),
              HasSubstr("holds no secret"));
  EXPECT_THAT(fault_of("[platforms.github]\nsecret_file = \"gone\"\n", options),
              HasSubstr("gone: no such file"));
}

TEST(Loader, LooksForPlatformsWhereItsFileIs) {
  scratch_directory dir;
  dir.write("eventweft.toml", "[event]\nplatforms_directory = \"mine\"\n");
  load_options options;
  options.file = dir.path() / "eventweft.toml";
  auto s = load(options);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->event.platforms_directory, (dir.path() / "mine").string());
  // What is said elsewhere stays as it is.
  options.env = {{"EVENTWEFT_EVENT_PLATFORMS_DIRECTORY", "other"}};
  s = load(options);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->event.platforms_directory, "other");
  options.env.clear();
  dir.write("eventweft.toml", "[event]\nplatforms_directory = \"/there\"\n");
  s = load(options);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->event.platforms_directory, "/there");
  dir.write("eventweft.toml", "[event]\nmax_workers = 2\n");
  s = load(options);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->event.platforms_directory, "");
}

TEST(Loader, NeverShowsSecrets) {
  scratch_directory dir;
  dir.write("pw", "hunter2\n");
  load_options options;
  options.directory = dir.path();
  options.env = {{"GITHUB_WEBHOOK_SECRET", "hunter2"}};
  const auto e = from_text("[database]\nhost = \"db\"\npassword_file = \"pw\"\n"
                           "[platforms.slack]\nsecrets = [\"hunter2\", "
                           "\"hunter2\"]\ntokens = [\"hunter2\"]\n",
                           options);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->values.database.password, "hunter2");
  const auto text = describe(*e);
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("secrets = [\"***\", \"***\"]"));
  EXPECT_THAT(text, HasSubstr("postgresql://eventweft:***@db:5432/eventweft"));
  EXPECT_THAT(fault_of("[platforms.github]\nsecrets = [[\"hunter2\"]]\n"
                       "[store]\nurl = \"mysql://u:hunter2@h/d\"\n"),
              Not(HasSubstr("hunter2")));
}

TEST(Loader, NeverShowsWhatProcessorsAreGiven) {
  load_options options;
  options.env = {{"EVENTWEFT_PROCESSORS_C_ENVIRONMENT", "KEY=hunter2,HOME"}};
  const auto e = from_text(
      "[processors.a]\ncommand = [\"a\"]\n"
      "environment = [\"API_TOKEN=hunter2\", \"HOME\"]\n"
      "[processors.b]\nurl = \"https://hunter2@h/x?token=hunter2&a=b\"\n"
      "[processors.c]\ncommand = [\"c\"]\n"
      "[dead_letters]\nalert_url = \"https://u:hunter2@h/?k=hunter2\"\n",
      options);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_THAT(e->values.processors.at("c").environment,
              ElementsAre("KEY=hunter2", "HOME"));
  const auto text = describe(*e);
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("environment = [\"API_TOKEN=***\", \"HOME\"]"));
  EXPECT_THAT(text, HasSubstr("environment = [\"KEY=***\", \"HOME\"]"));
  EXPECT_THAT(text, HasSubstr("url = \"https://***@h/x?token=***&a=***\""));
  options.env = {{"EVENTWEFT_PROCESSORS_C_ENVIRONMENT", "[\"KEY=hunter2]"}};
  EXPECT_THAT(fault_of("[processors.c]\ncommand = [\"c\"]\n", options),
              Not(HasSubstr("hunter2")));
}

TEST(Loader, DescribesWhereValuesAreFrom) {
  load_options options;
  options.env = {{"DB_HOST", "db"}};
  const auto e = from_text("[log]\nlevel = \"warn\"\n", options);
  ASSERT_TRUE(e) << e.error().message;
  const auto text = describe(*e);
  EXPECT_THAT(text, ::testing::ContainsRegex("level = \"warn\" +# eventweft"
                                             "\\.toml:2\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("host = \"db\" +# DB_HOST\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("max_workers = 4 +# default\n"));
}

// -- platforms ---------------------------------------------------------------

TEST(Loader, ReadsPlatformsOfAnyName) {
  const auto e = from_text("[platforms.my-tool]\nenabled = false\n"
                           "tolerance = 300\nmax_body_bytes = \"1 MiB\"\n"
                           "redact = [\"/a/*/b\"]\nredact_tokens = [\"all\"]\n"
                           "[platforms.bare]\n");
  ASSERT_TRUE(e) << e.error().message;
  const auto& p = e->values.platforms.at("my-tool");
  EXPECT_FALSE(p.enabled);
  EXPECT_EQ(p.tolerance, 300s);
  EXPECT_EQ(p.max_body_bytes, 1u << 20);
  EXPECT_THAT(p.redact, ElementsAre("/a/*/b"));
  EXPECT_THAT(p.redact_tokens, ElementsAre("all"));
  EXPECT_TRUE(e->values.platforms.contains("bare"));
  EXPECT_THAT(fault_of("[platforms.\"Bad Name\"]\nenabled = true\n"),
              HasSubstr("a platform's name is made of"));
  EXPECT_THAT(fault_of("[platforms]\nenabled = true\n"),
              HasSubstr("keys belong into a platform's section"));
  EXPECT_THAT(fault_of("[platforms.github]\nredact = [\"a.b\"]\n"),
              HasSubstr("JSON pointers"));
  EXPECT_THAT(fault_of("[platforms.github]\nredact_tokens = [\"azure\"]\n"),
              HasSubstr("a list with any of \"age\", "));
}

TEST(Loader, TakesEveryOwnerOfTokens) {
  for (const auto owner : token_owners) {
    const std::string name{owner};
    const auto e =
        from_text("[platforms.github]\nredact_tokens = [\"" + name + "\"]\n");
    ASSERT_TRUE(e) << e.error().message;
    EXPECT_THAT(e->values.platforms.at("github").redact_tokens,
                ElementsAre(name));
  }
}

TEST(Loader, ReadsCorrelationRules) {
  const auto e = from_text(
      "[correlation]\nthreshold = 0.8\n"
      "[[correlation.rules]]\nname = \"zendesk\"\n"
      "match = { platforms = [\"slack\"] }\nfield = \"payload.event.text\"\n"
      "pattern = 'ZD-(\\d+)'\nkey = \"zendesk:{1}\"\nconfidence = 0.9\n"
      "window = 3600\n");
  ASSERT_TRUE(e) << e.error().message;
  const auto& c = e->values.correlation;
  EXPECT_EQ(c.threshold, 0.8);
  ASSERT_EQ(c.rules.size(), 1u);
  EXPECT_EQ(c.rules[0].name, "zendesk");
  EXPECT_THAT(c.rules[0].match, HasSubstr("\"slack\""));
  EXPECT_EQ(c.rules[0].pattern, "ZD-(\\d+)");
  EXPECT_EQ(c.rules[0].confidence, 0.9);
  EXPECT_EQ(c.rules[0].window, 3600u);
  // All of it is shown.
  const auto text = describe(*e);
  for (const auto* part :
       {R"(rules = [{name = "zendesk", key = "zendesk:{1}", match = ")",
        R"x(field = "payload.event.text", pattern = "ZD-(\\d+)")x",
        R"(confidence = 0.9, window = 3600}])"})
    EXPECT_THAT(text, HasSubstr(part));
  // For ever is 0 only.
  const auto brief =
      from_text("[[correlation.rules]]\nname = \"a\"\nkey = \"b\"\n"
                "window = 0.5\n");
  ASSERT_TRUE(brief) << brief.error().message;
  EXPECT_EQ(brief->values.correlation.rules[0].window, 1u);
  EXPECT_THAT(fault_of("[[correlation.rules]]\nname = \"a\"\nkeys = \"b\"\n"),
              HasSubstr("keys: unknown key; a rule has name, match"));
  EXPECT_THAT(fault_of("[[correlation.rules]]\nname = \"a\"\nkey = \"b\"\n"
                       "confidence = 2\n"),
              HasSubstr("confidence: expected a number from 0 to 1"));
  EXPECT_THAT(fault_of("[correlation]\nthreshold = 1.5\n"),
              HasSubstr("a number from 0 to 1"));
}

TEST(Loader, ReadsPriorityRules) {
  const auto e = from_text(
      "[[platforms.github.priority]]\nevent_type = \"push\"\n"
      "field = \"/ref\"\nvalue = \"refs/heads/main\"\npriority = \"critical\"\n"
      "[[platforms.github.priority]]\npriority = \"low\"\n");
  ASSERT_TRUE(e) << e.error().message;
  const auto& rules = e->values.platforms.at("github").priority;
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].field, "/ref");
  EXPECT_EQ(rules[0].priority, "critical");
  EXPECT_EQ(rules[1].event_type, "*");
  EXPECT_EQ(rules[1].priority, "low");
  EXPECT_THAT(fault_of("[[platforms.github.priority]]\ntype = \"push\"\n"),
              HasSubstr("type: unknown key; a rule has event_type"));
  EXPECT_THAT(
      fault_of("[[platforms.github.priority]]\npriority = \"urgent\"\n"),
      HasSubstr("expected one of \"low\""));
  EXPECT_THAT(fault_of("[platforms.github]\n"
                       "priority = [{ event_type = \"push\" }]\n"),
              HasSubstr("a rule needs a priority, one of \"low\""));
}

TEST(Loader, RulesDoNotTakeNumbersForTexts) {
  EXPECT_EQ(fault_of("[[correlation.rules]]\nname = 5\nkey = \"k\"\n"),
            "eventweft.toml:1: [correlation] rules: name: expected a text, "
            "found a number (line 1)");
  EXPECT_THAT(fault_of("[[correlation.rules]]\nname = \"n\"\nkey = true\n"),
              HasSubstr("key: expected a text, found a truth value"));
  EXPECT_THAT(fault_of("[[correlation.rules]]\nname = \"n\"\nkey = \"k\"\n"
                       "match = [\"slack\"]\n"),
              HasSubstr("match: expected a filter"));
}

TEST(Loader, RefusesTwoProcessorsOfOneName) {
  EXPECT_EQ(fault_of("[[processors]]\nname = \"p\"\nkind = \"noop\"\n"
                     "[[processors]]\nname = \"p\"\nkind = \"noop\"\n"),
            "eventweft.toml:4: [processors.p]: there is a processor of this "
            "name already, at eventweft.toml:1");
}

TEST(Loader, AListedProcessorNeedsAName) {
  for (const auto* name : {"", "name = 5\n", "name = \"\"\n"})
    EXPECT_EQ(fault_of(std::string{"[[processors]]\n"} + name +
                       "command = [\"x\"]\n"),
              "eventweft.toml:1: [[processors]]: an entry needs a name, such "
              "as name = \"notify\"")
        << name;
}

TEST(Loader, RefusesOriginsThatNoBrowserSends) {
  for (std::string_view bad : {"foo", "https://a.example/", "https://a/b",
                               "https://", "://a", "https://u@a", ""})
    EXPECT_THAT(fault_of("[server]\nallowed_origins = [\"https://b\", \"" +
                         std::string{bad} + "\"]\n"),
                HasSubstr("[server] allowed_origins: expected a list of "
                          "origins, each as \"https://app.example.org\" with "
                          "nothing behind it, or \"*\", found \"" +
                          std::string{bad} + "\""))
        << bad;
  EXPECT_TRUE(from_text("[server]\nallowed_origins = [\"*\", "
                        "\"https://a.example:8443\", \"http://[::1]:3000\"]"));
}

TEST(Loader, NamesTheEntryOfAListThatIsWrong) {
  EXPECT_EQ(
      fault_of("[platforms.github]\nredact = [\"/a\", \"sender\"]\n"),
      "eventweft.toml:2: [platforms.github] redact: expected a list of "
      "JSON pointers, each of which starts with '/' and has '~' only in ~0 "
      "and ~1, found \"sender\"");
  EXPECT_THAT(fault_of("[platforms.github]\nredact = [\"/a~2\"]\n"),
              ::testing::EndsWith(", found \"/a~2\""));
  EXPECT_THAT(fault_of("[platforms.github]\nredact_tokens = [\"foo\"]\n"),
              ::testing::EndsWith(", found \"foo\""));
}

TEST(Loader, AnEmptyPathOfASecretIsNone) {
  const auto e = from_text("[auth]\njwt_secret_file = \"\"\n"
                           "[database]\npassword_file = \"\"\n"
                           "[platforms.github]\nsecrets = [\"a\"]\n"
                           "secret_file = \"\"\ntoken_file = \"\"\n"
                           "[webhooks]\nqueue_password = \"p\"\n"
                           "queue_password_file = \"\"\n");
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->values.auth.jwt_secret, "");
  EXPECT_EQ(e->values.database.password, "");
  EXPECT_THAT(e->values.platforms.at("github").secrets, ElementsAre("a"));
  EXPECT_THAT(e->values.platforms.at("github").tokens, ElementsAre());
  EXPECT_EQ(e->values.webhooks.queue_password, "p");
  // What counts more takes away what counts less.
  load_options options;
  options.flags = {{"--set webhooks.queue_password_file",
                    "webhooks.queue_password_file", ""}};
  const auto none = from_text("[webhooks]\nqueue_password = \"p\"\n", options);
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_EQ(none->values.webhooks.queue_password, "");
}

// -- lists in flags
// ------------------------------------------------------------

expected<effective> with_flag(const std::string& key,
                              const std::string& value) {
  load_options options;
  options.flags = {{"--set " + key, key, value}};
  return from_text("", options);
}

TEST(Loader, FlagsTakeListsAsTomlWritesThem) {
  auto e = with_flag("server.allowed_origins", R"(["https://a", "https://b"])");
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_THAT(e->values.server.allowed_origins,
              ElementsAre("https://a", "https://b"));
  e = with_flag("platforms.github.secrets", R"(["g,1", 'g2'])");
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_THAT(e->values.platforms.at("github").secrets,
              ElementsAre("g,1", "g2"));
  e = with_flag("auth.jwt_audiences", "[]");
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_TRUE(e->values.auth.jwt_audiences.empty());
  e = with_flag("auth.jwt_audiences", "a, b");
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_THAT(e->values.auth.jwt_audiences, ElementsAre("a", "b"));
  // A secret may be anything that is no list.
  e = with_flag("platforms.github.secrets", "[x");
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_THAT(e->values.platforms.at("github").secrets, ElementsAre("[x"));
}

TEST(Loader, FlagsRefuseWhatOnlyLooksLikeAList) {
  for (const char* bad :
       {"[a]", "[1]", "[\"a\" \"b\"]", "[\"a\"]\nb = [\"c\"]"}) {
    const auto e = with_flag("auth.jwt_audiences", bad);
    ASSERT_FALSE(e) << bad;
    EXPECT_THAT(e.error().message, HasSubstr("as TOML lists them"));
  }
  const auto e = with_flag("platforms.github.secrets", "[hunter2]");
  ASSERT_FALSE(e);
  EXPECT_THAT(e.error().message, Not(HasSubstr("hunter2")));
}

// -- where things are
// ----------------------------------------------------------

TEST(Loader, TellsWhereAFaultIsThatIsFoundLater) {
  load_options options;
  options.env = {{"EVENTWEFT_CLUSTER_NAME", "n"}};
  const auto e = from_text("[webhooks]\nretry_schedule = \"5x\"\n"
                           "[processors.p]\nkind = \"exec\"\n"
                           "[[correlation.rules]]\nname = \"r\"\n"
                           "key = \"k\"\n"
                           "[[correlation.rules]]\nname = \"s\"\n"
                           "key = \"k\"\n",
                           options);
  ASSERT_TRUE(e) << e.error().message;
  const auto place = [&](const std::string& message) {
    return located(*e, {ec::bad_configuration, message}).message;
  };
  EXPECT_EQ(place("[webhooks] retry_schedule: bad"),
            "eventweft.toml:2: [webhooks] retry_schedule: bad");
  // A key that is not there has the place of its section.
  EXPECT_EQ(place("[processors.p] command: missing"),
            "eventweft.toml:3: [processors.p] command: missing");
  EXPECT_EQ(place("[correlation.rules.s] match: bad"),
            "eventweft.toml:8: [correlation.rules.s] match: bad");
  EXPECT_EQ(place("[cluster] listen: bad"),
            "EVENTWEFT_CLUSTER_NAME: [cluster] listen: bad");
  EXPECT_EQ(place("[retention] keep: bad"), "[retention] keep: bad");
  EXPECT_EQ(place("acme.toml:3: bad"), "acme.toml:3: bad");
}

} // namespace
} // namespace eventweft::config
