// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cli.hpp"
#include "app/cli/parser.hpp"
#include "tests/integration/app/cli_support.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

namespace eventweft::cli {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class CliParser : public ::testing::Test {
 protected:
  CliParser() {
    std::string name =
        (std::filesystem::temp_directory_path() / "eventweft-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(directory_);
  }
  ~CliParser() override {
    std::filesystem::current_path(before_);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  int run(std::vector<const char*> args) {
    args.insert(args.begin(), "eventweft");
    out.str("");
    err.str("");
    console io{out, err, false};
    const programs start{
        [this](const config::settings& s) {
          served = s;
          return serve_result;
        },
        [this](const config::settings&) { return faults; },
        [this](const config::settings&, bool with_access) -> expected<void> {
          guarded = with_access;
          if (!with_access && refuse_unguarded)
            return fail(ec::bad_configuration, "too open");
          return {};
        }};
    return parse_and_run(static_cast<int>(args.size()), args.data(), start, io);
  }

  std::ostringstream out;
  std::ostringstream err;
  std::optional<config::settings> served;
  int serve_result = exit_ok;
  std::vector<error> faults;
  std::optional<bool> guarded;
  bool refuse_unguarded = false;
  std::filesystem::path directory_;
  std::filesystem::path before_;
};

TEST_F(CliParser, KnowsItsVersion) {
  EXPECT_EQ(run({"version"}), exit_ok);
  EXPECT_THAT(out.str(), ::testing::StartsWith("eventweft "));
  EXPECT_EQ(run({"--version"}), exit_ok);
}

TEST_F(CliParser, AnEmptySelectionIsNotAll) {
  for (const auto* option :
       {"--platform", "--type", "--source", "--actor", "--since", "--until",
        "--processed-since", "--processed-until", "--min-duration",
        "--max-duration", "--correlation"}) {
    EXPECT_EQ(run({"events", option, ""}), exit_usage) << option;
    EXPECT_THAT(err.str(), HasSubstr(option));
  }
  EXPECT_EQ(run({"events", "--platform", ","}), exit_usage);
  for (const auto* option :
       {"--origin", "--platform", "--type", "--event", "--since", "--until"}) {
    EXPECT_EQ(run({"dead-letters", "drop", "--all", option, ""}), exit_usage)
        << option;
    EXPECT_THAT(err.str(), HasSubstr("must not be empty"));
  }
  EXPECT_EQ(run({"thread", "--platform", ""}), exit_usage);
  EXPECT_EQ(run({"thread", ""}), exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("must not be empty"));
}

TEST_F(CliParser, TakesSecondsOnlyForADuration) {
  for (const auto* option : {"--min-duration", "--max-duration"})
    for (const auto* value : {"-1", "1s", "nan", "long"}) {
      EXPECT_EQ(run({"events", option, value}), exit_usage) << value;
      EXPECT_THAT(err.str(), HasSubstr(option));
    }
  const api_server server{
      {{"GET /api/v1/events?processed_since=2026-01-31T12%3A00%3A00Z&"
        "processed_until=2026-01-31T13%3A00%3A00Z&min_duration=0.5&"
        "max_duration=2&order=desc&limit=50",
        answer(200, R"({"events":[],"next_cursor":null})")}}};
  const auto url = server.address().url;
  EXPECT_EQ(run({"events", "--processed-since", "2026-01-31T12:00:00Z",
                 "--processed-until", "2026-01-31T13:00:00Z", "--min-duration",
                 "0.5", "--max-duration", "2", "--url", url.c_str()}),
            exit_ok)
      << err.str();
}

TEST_F(CliParser, SelectionsHoldCommasToo) {
  const api_server server{
      {{"GET /api/v1/events?platform=a&platform=b&actor=Doe%5C%2C%20Jane&"
        "actor=bob&order=desc&limit=50",
        answer(200, R"({"events":[],"next_cursor":null})")}}};
  const auto url = server.address().url;
  EXPECT_EQ(run({"events", "--platform", "a,b", "--actor", R"(Doe\, Jane)",
                 "--actor", "bob", "--url", url.c_str()}),
            exit_ok)
      << err.str();
}

TEST_F(CliParser, EveryCommandHasHelpWithAnExample) {
  EXPECT_EQ(run({"--help"}), exit_ok);
  const auto overview = out.str();
  for (const char* command :
       {"serve", "migrate", "check", "send", "tail", "events", "dead-letters",
        "processors", "stats", "actors", "log-level"}) {
    EXPECT_THAT(overview, HasSubstr(command));
    EXPECT_EQ(run({command, "--help"}), exit_ok) << command;
    EXPECT_THAT(out.str(), HasSubstr("Examples:")) << command;
    EXPECT_THAT(out.str(), HasSubstr(std::string{"eventweft "} + command));
  }
}

TEST_F(CliParser, NamesTheWordThatIsNoCommand) {
  EXPECT_EQ(run({"fly"}), exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("there is no command \"fly\""));
  EXPECT_EQ(run({"streams", "fly"}), exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("there is no command \"fly\""));
}

TEST_F(CliParser, NamesTheFlagOfABrokenFilter) {
  EXPECT_EQ(run({"streams", "create", "s", "--filter", "{bad"}), exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("--filter: "));
}

TEST_F(CliParser, AnEmptyTextIsSentAsItIs) {
  const auto done = answer(200, "{}");
  const api_server server{{{"PATCH /api/v1/streams/s", done},
                           {"PATCH /api/v1/streams/s/subscriptions/1", done}}};
  const auto url = server.address().url;
  const auto* at = url.c_str();
  EXPECT_EQ(run({"streams", "change", "s", "--description", "", "--url", at}),
            exit_ok)
      << err.str();
  EXPECT_EQ(run({"streams", "change", "s", "--filter", "{}", "--url", at}),
            exit_ok)
      << err.str();
  EXPECT_EQ(run({"subscriptions", "change", "s", "1", "--subscriber", "",
                 "--to", "", "--format", "", "--url", at}),
            exit_ok)
      << err.str();
  EXPECT_THAT(
      server.bodies(),
      ::testing::ElementsAre(R"({"description":""})", R"({"filter":{}})",
                             R"({"url":"","subscriber_id":"","format":""})"));
}

TEST_F(CliParser, AnEmptyHeaderClearsThemAll) {
  const api_server server{
      {{"PATCH /api/v1/streams/s/subscriptions/1", answer(200, "{}")}}};
  const auto url = server.address().url;
  const auto change = [&](const char* header) {
    return run({"subscriptions", "change", "s", "1", "--header", header,
                "--url", url.c_str()});
  };
  EXPECT_EQ(change(""), exit_ok) << err.str();
  EXPECT_EQ(change("x-a: b"), exit_ok) << err.str();
  EXPECT_THAT(server.bodies(),
              ::testing::ElementsAre(R"({"headers":{}})",
                                     R"({"headers":{"x-a":"b"}})"));
  EXPECT_EQ(change(":b"), exit_usage);
}

TEST_F(CliParser, SubscriptionsTakeATimeThatIsSoLongAgo) {
  const auto done = answer(200, "{}");
  const api_server server{
      {{"POST /api/v1/streams/s/subscriptions", done},
       {"POST /api/v1/streams/s/subscriptions/1/replay", done}}};
  const auto url = server.address().url;
  const auto* at = url.c_str();
  const auto create = [&](const char* since) {
    return run({"subscriptions", "create", "s", "--to", "http://a", "--since",
                since, "--url", at});
  };
  // As long ago as the epoch, whatever the clock says.
  EXPECT_EQ(create("4000000000d"), exit_ok) << err.str();
  EXPECT_EQ(create("17"), exit_ok) << err.str();
  EXPECT_EQ(run({"subscriptions", "replay", "s", "1", "--since", "4000000000d",
                 "--until", "4000000000d", "--url", at}),
            exit_ok)
      << err.str();
  EXPECT_THAT(server.bodies(),
              ::testing::ElementsAre(
                  R"({"url":"http://a","since":"1970-01-01T00:00:00.000000Z"})",
                  R"({"url":"http://a","since":17})",
                  R"({"since":"1970-01-01T00:00:00.000000Z",)"
                  R"("until":"1970-01-01T00:00:00.000000Z"})"));
  EXPECT_EQ(create("bogus"), exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("--since"));
}

TEST_F(CliParser, ATestDeliveryThatFailedIsAFailure) {
  const std::string failed =
      R"({"delivered":false,"response_status":500,"error_message":"no"})";
  const api_server server{
      {{"POST /api/v1/streams/s/subscriptions/1/test", answer(200, failed)},
       {"POST /api/v1/streams/s/subscriptions/2/test",
        answer(200, R"({"delivered":true,"response_status":200})")}}};
  const auto url = server.address().url;
  const auto test = [&](const char* id) {
    return run({"subscriptions", "test", "s", id, "--url", url.c_str()});
  };
  EXPECT_EQ(test("1"), exit_failure);
  EXPECT_EQ(out.str(), failed + '\n');
  EXPECT_EQ(test("2"), exit_ok) << err.str();
}

TEST_F(CliParser, ARuleNeedsAKeyAndASoundFilter) {
  EXPECT_EQ(run({"rules", "set", "r"}), exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("--key"));
  EXPECT_EQ(run({"rules", "set", "r", "--key", "k", "--match", "{bad"}),
            exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("--match: "));
}

TEST_F(CliParser, CorrelateMakesNoStore) {
  EXPECT_EQ(run({"correlate", "--backfill", "--store", "sqlite:none.db"}),
            exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("there is no such file"));
  EXPECT_FALSE(std::filesystem::exists("none.db"));
}

TEST_F(CliParser, ServeAndCheckRefuseTheSame) {
  faults = {{ec::bad_configuration, "[webhooks] ca_file: gone"},
            {ec::bad_configuration, "[log] file: a directory"}};
  const std::string told =
      "eventweft: --set webhooks.ca_file: [webhooks] ca_file: gone\n"
      "[log] file: a directory\n";
  EXPECT_EQ(run({"serve", "--set", "webhooks.ca_file=x"}), exit_usage);
  EXPECT_FALSE(served);
  EXPECT_EQ(err.str(), told);
  EXPECT_EQ(run({"check", "--set", "webhooks.ca_file=x"}), exit_usage);
  EXPECT_EQ(err.str(), told);
}

TEST_F(CliParser, CheckTellsAllThatIsWrong) {
  std::ofstream{"eventweft.toml"} << "[server]\nlisten = 7\ncolour = 1\n"
                                     "[log]\nfile = \".\"\n"
                                     "[store]\nurl = 1\n";
  faults = {{ec::bad_configuration, "[server] tls: no such file"},
            {ec::bad_configuration, "[log] file: a directory"},
            {ec::bad_configuration, "[cluster] needs PostgreSQL"}};
  for (const auto* command : {"check", "serve"}) {
    EXPECT_EQ(run({command}), exit_usage);
    EXPECT_THAT(err.str(), HasSubstr("toml:2: [server] listen: "));
    EXPECT_THAT(err.str(), HasSubstr("toml:3: [server] colour: unknown key"));
    EXPECT_THAT(err.str(), HasSubstr("toml:7: [store] url: "));
    EXPECT_THAT(err.str(), HasSubstr("toml:5: [log] file: a directory"));
    // These may be no faults once the others are mended.
    EXPECT_THAT(err.str(), Not(HasSubstr("[server] tls")));
    EXPECT_THAT(err.str(), Not(HasSubstr("[cluster]")));
  }
  EXPECT_FALSE(served);
  std::ofstream{"eventweft.toml"} << "[server\n";
  EXPECT_EQ(run({"check"}), exit_usage);
  EXPECT_THAT(err.str(), Not(HasSubstr("[log]")));
}

TEST_F(CliParser, CheckTellsWhatIsWrongInDefinitionsToo) {
  std::ofstream{"eventweft.toml"} << "[event]\nplatforms_directory = \"defs\"\n"
                                     "[platforms.github]\ncolour = 1\n";
  faults = {{ec::bad_configuration, "defs/a.toml:1: name: must be short"},
            {ec::bad_configuration, "something else"}};
  EXPECT_EQ(run({"check"}), exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("toml:4: [platforms.github] colour: "));
  EXPECT_THAT(err.str(), HasSubstr("defs/a.toml:1: name: must be short"));
  EXPECT_THAT(err.str(), Not(HasSubstr("something else")));
}

TEST_F(CliParser, WrongUseIsTwo) {
  EXPECT_EQ(run({}), exit_usage);
  EXPECT_EQ(run({"fly"}), exit_usage);
  EXPECT_EQ(run({"tail", "--no-such-flag"}), exit_usage);
  EXPECT_EQ(run({"send"}), exit_usage);
  EXPECT_EQ(run({"send", "github", "--count", "0"}), exit_usage);
  EXPECT_EQ(run({"send", "github", "--sample", "--file", "x"}), exit_usage);
  EXPECT_EQ(run({"dead-letters"}), exit_usage);
  EXPECT_EQ(run({"events", "--limit", "many"}), exit_usage);
  EXPECT_EQ(run({"events", "--limit", "-1"}), exit_usage);
  EXPECT_EQ(run({"dead-letters", "list", "--limit=-1"}), exit_usage);
  EXPECT_EQ(run({"subscriptions", "deliveries", "ID", "--limit=-1"}),
            exit_usage);
  EXPECT_EQ(run({"serve", "--set", "nonsense"}), exit_usage);
}

TEST_F(CliParser, ServesWithTheSettingsInEffect) {
  std::ofstream{"eventweft.toml"} << "[event]\nmax_workers = 7\n"
                                     "[server]\nlisten = \"127.0.0.1:1\"\n";
  EXPECT_EQ(run({"serve", "--listen", "127.0.0.1:0", "--store", "sqlite:x.db",
                 "--set", "event.queue_maxsize=5", "--set",
                 "streaming.page_events=6", "--log-level", "debug"}),
            exit_ok)
      << err.str();
  ASSERT_TRUE(served);
  EXPECT_EQ(served->server.listen, "127.0.0.1:0");
  EXPECT_EQ(served->store.url, "sqlite:x.db");
  EXPECT_EQ(served->event.max_workers, 7u);
  EXPECT_EQ(served->event.queue_maxsize, 5u);
  EXPECT_EQ(served->streaming.page_events, 6u);
  EXPECT_EQ(served->log.level, "debug");
  serve_result = exit_failure;
  EXPECT_EQ(run({"serve"}), exit_failure);
}

TEST_F(CliParser, DoesNotServeWithAFaultyConfiguration) {
  std::ofstream{"bad.toml"} << "[event]\nmax_workers = \"many\"\n";
  EXPECT_EQ(run({"serve", "--config", "bad.toml"}), exit_usage);
  EXPECT_FALSE(served);
  EXPECT_THAT(err.str(), HasSubstr("bad.toml:2: [event] max_workers"));
  EXPECT_EQ(run({"serve", "--config", "missing.toml"}), exit_usage);
  EXPECT_EQ(run({"check", "--set", "event.max_worker=1"}), exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("did you mean event.max_workers?"));
}

TEST_F(CliParser, ChecksWithoutMakingAStore) {
  EXPECT_EQ(run({"check", "--store", "sqlite:hub.db", "--set",
                 "platforms.github.secrets=hunter2"}),
            exit_ok)
      << err.str();
  EXPECT_THAT(out.str(), HasSubstr("url = \"sqlite:hub.db\""));
  EXPECT_THAT(out.str(), HasSubstr("# --store"));
  EXPECT_THAT(out.str(), HasSubstr("github: 1 secret"));
  EXPECT_THAT(out.str(), HasSubstr("slack: no secret is set"));
  EXPECT_THAT(out.str(), HasSubstr("not there yet"));
  EXPECT_THAT(out.str(), Not(HasSubstr("hunter2")));
  EXPECT_FALSE(std::filesystem::exists("hub.db"));
}

TEST_F(CliParser, ChecksUnderTheNameThatANodeWouldHave) {
  run({"check", "--store", "sqlite:hub.db", "--set", "cluster.enabled=true"});
  const auto cluster = out.str().substr(out.str().find("[cluster]"));
  EXPECT_THAT(cluster, ContainsRegex("\nname = \"[a-z0-9.-]+\" +# default"));
}

TEST_F(CliParser, MigratesAStoreAndThenFindsItGood) {
  EXPECT_EQ(run({"migrate", "--store", "sqlite:hub.db"}), exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("schema 0 -> "));
  EXPECT_TRUE(std::filesystem::exists("hub.db"));
  EXPECT_EQ(run({"migrate", "--store", "sqlite:hub.db"}), exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("up to date"));
  EXPECT_EQ(run({"check", "--store", "sqlite:hub.db"}), exit_ok) << err.str();
  EXPECT_THAT(out.str(), ContainsRegex("schema [1-9][0-9]* is up to date"));
}

TEST_F(CliParser, ChecksThatTheServerWouldListen) {
  refuse_unguarded = true;
  EXPECT_EQ(run({"migrate", "--store", "sqlite:hub.db"}), exit_ok);
  EXPECT_EQ(run({"check", "--store", "sqlite:hub.db"}), exit_usage);
  EXPECT_THAT(err.str(), HasSubstr("[server] listen: too open"));
  EXPECT_EQ(
      run({"check", "--store", "sqlite:hub.db", "--set", "auth.required=true"}),
      exit_ok)
      << err.str();
  EXPECT_EQ(
      run({"keys", "create", "--store", "sqlite:hub.db", "--scope", "admin"}),
      exit_ok)
      << err.str();
  EXPECT_EQ(run({"check", "--store", "sqlite:hub.db"}), exit_ok) << err.str();
  EXPECT_EQ(guarded, true);
}

TEST_F(CliParser, MakesNoKeyForAllOfAFilterThatNamesNothing) {
  for (const char* bad : {"", "{}", R"({"source_names":[]})",
                          R"({"platforms":["github"],"source_names":[]})"})
    EXPECT_EQ(run({"keys", "create", "--store", "sqlite:hub.db", "--scope",
                   "read", "--filter", bad}),
              exit_usage)
        << bad;
  EXPECT_FALSE(std::filesystem::exists("hub.db"));
}

TEST_F(CliParser, ListsKeysWithoutWhatSteersATerminal) {
  ASSERT_EQ(run({"keys", "create", "--store", "sqlite:hub.db", "--scope",
                 "read", "--name", "a\x1b[2Jb\nc", "--filter",
                 "{\"source_names\":[\"d\xc2\x9b\"]}"}),
            exit_ok)
      << err.str();
  ASSERT_EQ(run({"keys", "list", "--store", "sqlite:hub.db"}), exit_ok);
  EXPECT_THAT(out.str(), HasSubstr("  a?[2Jb?c\n"));
  EXPECT_THAT(out.str(), HasSubstr("[\"d?\"]"));
}

TEST_F(CliParser, TellsThatAStoreIsNotUsable) {
  std::ofstream{"text.db"} << std::string(4'096, 'x');
  EXPECT_EQ(run({"check", "--store", "sqlite:text.db"}), exit_failure);
  EXPECT_EQ(run({"migrate", "--store", "sqlite:/nonexistent/x.db"}),
            exit_failure);
  EXPECT_FALSE(err.str().empty());
}

TEST_F(CliParser, ReachesTheServerThatFlagOrVariableName) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send(answer(200, R"({"processing":{"n":1}})"));
  }};
  const auto url = to(server).url;
  EXPECT_EQ(run({"stats", "--url", url.c_str(), "--json"}), exit_ok)
      << err.str();
  EXPECT_EQ(out.str(), "{\"processing\":{\"n\":1}}\n");
  ::setenv("EVENTWEFT_URL", url.c_str(), 1);
  EXPECT_EQ(run({"stats"}), exit_ok) << err.str();
  ::unsetenv("EVENTWEFT_URL");
}

TEST_F(CliParser, FiguresOfTheStoreSayWhatTheyAreOf) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send(answer(200, R"({"queue":{"days":[{"n":1}]},"stored":{)"
                       R"("as_of":"2026-01-31T12:00:00Z",)"
                       R"("days":[{"day":"2026-01-31","events":3}],)"
                       R"("types":[{"event_type":"push","events":3}],)"
                       R"("sources":[{"source_name":"o/r","events":2}],)"
                       R"("stages":[{"stage":"commit","samples":1}]}})"));
  }};
  EXPECT_EQ(run({"stats", "--url", to(server).url.c_str()}), exit_ok)
      << err.str();
  EXPECT_THAT(out.str(), HasSubstr("\n  days\n"));
  for (auto* heading :
       {"\n  days of the last 30 days (UTC)\n",
        "\n  types: the 20 with the most events in 7 days\n",
        "\n  sources with a name: the 20 with the most events in 7 days\n",
        "\n  stages: seconds, of the last hour's samples\n"})
    EXPECT_THAT(out.str(), HasSubstr(heading));
}

/// Of a whole command whose output goes to `path`.
[[noreturn]] void run_into(const char* path,
                           std::initializer_list<const char*> words) {
  const int file = ::open(path, O_WRONLY);
  ::dup2(file, STDOUT_FILENO);
  const std::vector<const char*> args{words};
  std::exit(run(static_cast<int>(args.size()), args.data(), {}));
}

TEST(CliOutputDeathTest, AFullDiskIsAFailure) {
  EXPECT_EXIT(run_into("/dev/full", {"eventweft", "--version"}),
              ::testing::ExitedWithCode(exit_failure), "disk full");
  EXPECT_EXIT(run_into("/dev/null", {"eventweft", "--version"}),
              ::testing::ExitedWithCode(exit_ok), "");
  // Wrong usage stays that.
  EXPECT_EXIT(run_into("/dev/full", {"eventweft", "--nonsense"}),
              ::testing::ExitedWithCode(exit_usage), "");
}

} // namespace
} // namespace eventweft::cli
