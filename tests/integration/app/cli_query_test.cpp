// SPDX-License-Identifier: Apache-2.0
#include "app/cli/dead_letters.hpp"
#include "app/cli/parser.hpp"
#include "app/cli/processors.hpp"
#include "app/cli/selection.hpp"
#include "tests/integration/app/cli_support.hpp"

#include <atomic>
#include <iterator>

namespace eventweft::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CliEvents, WalksThePagesUpToTheLimit) {
  const api_server server{{
      {"GET /api/v1/events?order=desc&limit=3",
       answer(200, R"({"events":[)" + event_json(9) + ',' + event_json(8) +
                       R"(],"next_cursor":"8"})")},
      {"GET /api/v1/events?order=desc&cursor=8&limit=1",
       answer(200,
              R"({"events":[)" + event_json(7) + R"(],"next_cursor":"7"})")},
  }};
  events_options options;
  options.server = server.address();
  options.limit = 3;
  captured_console console;
  EXPECT_EQ(events(options, console.io), exit_ok) << console.err.str();
  std::istringstream out{console.out.str()};
  std::vector<std::string> lines;
  for (std::string line; std::getline(out, line);)
    lines.push_back(line.substr(0, 32));
  EXPECT_THAT(lines, ElementsAre("2026-01-31 12:00:00.500        9",
                                 "2026-01-31 12:00:00.500        8",
                                 "2026-01-31 12:00:00.500        7"));
  EXPECT_EQ(server.targets().size(), 2u);
}

TEST(CliEvents, PassesEverySelectionOn) {
  const api_server server{{
      {"GET /api/v1/events?platform=github&platform=slack&event_type=push&"
       "source_name=octo%2Frepo&actor=me&correlation_id=c&"
       "payload.a.b=x%3Dy&payload.c=&"
       "since=2026-01-01T00%3A00%3A00Z&until=2026-01-02T00%3A00%3A00Z&"
       "processed_since=2026-01-03T00%3A00%3A00Z&"
       "processed_until=2026-01-04T00%3A00%3A00Z&"
       "min_duration=0.5&max_duration=1e3&order=asc&limit=1000",
       answer(200, R"({"events":[],"next_cursor":null})")},
  }};
  events_options options;
  options.server = server.address();
  options.select.platforms = {"github", "slack"};
  options.select.types = {"push"};
  options.select.sources = {"octo/repo"};
  options.select.actors = {"me"};
  options.select.since = "2026-01-01T00:00:00Z";
  options.until = "2026-01-02T00:00:00Z";
  options.processed_since = "2026-01-03T00:00:00Z";
  options.processed_until = "2026-01-04T00:00:00Z";
  options.min_duration = "0.5";
  options.max_duration = "1e3";
  options.correlation = "c";
  options.where = {"payload.a.b=x=y", "payload.c="};
  options.ascending = true;
  options.limit = 0;
  captured_console console;
  EXPECT_EQ(events(options, console.io), exit_ok) << console.err.str();
  EXPECT_EQ(console.out.str(), "");
}

TEST(CliEvents, BeginsWhereItIsTold) {
  const api_server server{
      {{"GET /api/v1/events?since=17&order=desc&limit=50",
        answer(200, R"({"events":[],"next_cursor":null})")},
       {"GET /api/v1/events?since=earliest&order=desc&limit=50",
        answer(200, R"({"events":[],"next_cursor":null})")}}};
  events_options options;
  options.server = server.address();
  for (const auto* since : {"17", "earliest"}) {
    options.select.since = since;
    captured_console console;
    EXPECT_EQ(events(options, console.io), exit_ok) << console.err.str();
  }
  for (const auto* bad : {"bogus", "-1", "7x"}) {
    options.select.since = bad;
    captured_console console;
    EXPECT_EQ(events(options, console.io), exit_usage) << bad;
    EXPECT_THAT(console.err.str(), HasSubstr("--since"));
  }
  options.select.since.clear();
  options.until = "17";
  captured_console console;
  EXPECT_EQ(events(options, console.io), exit_usage);
  EXPECT_THAT(console.err.str(), HasSubstr("--until"));
}

TEST(CliEvents, RefusesWhatIsNoTimeOfProcessing) {
  const api_server server{{}};
  events_options options;
  options.server = server.address();
  auto until = options;
  // Processing has no place in the log where it was over.
  options.processed_since = "17";
  until.processed_until = "earliest";
  captured_console console;
  EXPECT_EQ(events(options, console.io), exit_usage);
  EXPECT_THAT(console.err.str(),
              HasSubstr("--processed-since: expected an RFC 3339 time, or 90s, "
                        "15m, 2h, 7d, found \"17\""));
  captured_console other;
  EXPECT_EQ(events(until, other.io), exit_usage);
  EXPECT_THAT(other.err.str(), HasSubstr("--processed-until: "));
  EXPECT_TRUE(server.targets().empty());
}

TEST(CliEvents, PrintsJsonAsTheServerHasIt) {
  const auto odd = event_json(1, "push", R"({"b" : 1,"a":1e400})");
  const api_server server{{{"GET /api/v1/events?order=desc&limit=50",
                            answer(200, R"({"events":[ )" + odd + " , " + odd +
                                            R"( ],"next_cursor":null})")}}};
  events_options options;
  options.server = server.address();
  options.select.json = true;
  captured_console console;
  EXPECT_EQ(events(options, console.io), exit_ok) << console.err.str();
  std::istringstream out{console.out.str()};
  for (std::string line; std::getline(out, line);)
    EXPECT_EQ(line.substr(0, odd.size()), odd);
}

TEST(CliEvents, ShowsOneInFull) {
  const api_server server{{{"GET /api/v1/events/abc",
                            answer(200, event_json(5, "push", R"({"k":1})"))}}};
  events_options options;
  options.server = server.address();
  options.id = "abc";
  captured_console console;
  EXPECT_EQ(events(options, console.io), exit_ok) << console.err.str();
  EXPECT_THAT(console.out.str(), HasSubstr("event_id        delivery-5\n"));
  EXPECT_THAT(console.out.str(), HasSubstr("\n{\"k\":1}\n"));
  options.id = "other";
  captured_console missing;
  EXPECT_EQ(events(options, missing.io), exit_failure);
  EXPECT_THAT(missing.err.str(), HasSubstr("there is no such thing"));
}

TEST(CliEvents, ExplainsWhatAFilterMakesOfOne) {
  const std::string_view members =
      R"({"matched":false,"members":[)"
      R"({"member":"platforms","matched":true,"wanted":["github"],)"
      R"("found":"github","why":null},)"
      R"({"member":"payload.ref","matched":false,"wanted":"main",)"
      R"("found":null,"why":"there is nothing at this path"}]})";
  const api_server server{
      {{"GET /api/v1/events/abc/explain?stream=pr_events&filter=%7B%22"
        "platforms%22%3A%5B%22github%22%5D%7D",
        answer(200, R"({"id":"abc","seq":1,"matched":false,"stream":)"
                    R"({"matched":true,"members":[]},"filter":)" +
                        std::string{members} + "}")}}};
  events_options options;
  options.server = server.address();
  options.explain = "abc";
  options.stream = "pr_events";
  options.select.platforms = {"github"};
  captured_console console;
  EXPECT_EQ(explain(options, console.io), exit_failure) << console.err.str();
  EXPECT_EQ(console.out.str(),
            "the stream's filter\n"
            "  (it matches everything)\n"
            "the filter\n"
            "  yes  platforms          [\"github\"]\n"
            "  no   payload.ref        \"main\": there is nothing at this "
            "path\n"
            "the event does not match\n");
  options.stream.clear();
  options.select = {};
  captured_console nothing;
  EXPECT_EQ(explain(options, nothing.io), exit_usage);
}

TEST(CliEvents, RefusesAnAnswerThatIsNoPage) {
  for (std::string_view body : {"", "[]", "{\"events\":1}", "<html>",
                                "{\"events\":[1]}", "{\"events\":[{]}"}) {
    const api_server server{
        {{"GET /api/v1/events?order=desc&limit=50", answer(200, body)}}};
    events_options options;
    options.server = server.address();
    captured_console console;
    EXPECT_EQ(events(options, console.io), exit_failure) << body;
  }
}

TEST(CliDeadLetters, ListsRetriesAndDrops) {
  const std::string letter =
      R"({"id":"L1","created_at":"2026-01-31T12:00:00.000000Z",)"
      R"("origin":"spool","reason":"refused","attempts":3,"event_id":null,)"
      R"("platform":"github","body":"{}"})";
  const api_server server{{
      {"GET /api/v1/dead-letters?limit=50",
       answer(200,
              R"({"dead_letters":[)" + letter + R"(],"next_cursor":null})")},
      {"POST /api/v1/dead-letters/L1/retry", answer(200, R"({"seq":7})")},
      {"DELETE /api/v1/dead-letters/L1", "HTTP/1.1 204 No Content\r\n\r\n"},
  }};
  dead_letter_options options;
  options.server = server.address();
  captured_console console;
  EXPECT_EQ(list_dead_letters(options, console.io), exit_ok);
  EXPECT_EQ(console.out.str(),
            "L1  2026-01-31T12:00:00  spool  github  3x  refused\n");
  options.ids = {"missing", "L1"};
  captured_console retried;
  EXPECT_EQ(retry_dead_letters(options, retried.io), exit_failure);
  EXPECT_EQ(retried.out.str(), "L1  {\"seq\":7}\n");
  EXPECT_THAT(retried.err.str(), HasSubstr("missing: HTTP 404"));
  options.ids = {"L1"};
  captured_console dropped;
  EXPECT_EQ(drop_dead_letters(options, dropped.io), exit_ok);
  EXPECT_EQ(dropped.out.str(), "L1  dropped\n");
}

TEST(CliDeadLetters, RetriesAndDropsByWhatTheyAreAbout) {
  const api_server server{{
      {"POST /api/v1/dead-letters/retry?all=false&origin=processor%3Anotify&"
       "rate=5",
       answer(202, R"({"running":true,"started":"2026-01-31T12:00:00Z"})")},
      {"GET /api/v1/dead-letters/retry",
       answer(200, R"({"running":false,"started":"2026-01-31T12:00:00Z",)"
                   R"("retried":3,"failed":0,"last_error":""})")},
      {"DELETE /api/v1/dead-letters?all=true", answer(200, R"({"dropped":4})")},
  }};
  dead_letter_options options;
  options.server = server.address();
  captured_console nothing;
  EXPECT_EQ(retry_dead_letters(options, nothing.io), exit_usage);
  EXPECT_EQ(drop_dead_letters(options, nothing.io), exit_usage);
  options.origin = "processor:notify";
  options.rate = "5";
  captured_console retried;
  EXPECT_EQ(retry_dead_letters(options, retried.io), exit_ok)
      << retried.err.str();
  EXPECT_EQ(retried.out.str(), "retried 3, failed 0\n");
  options.origin.clear();
  options.all = true;
  captured_console dropped;
  EXPECT_EQ(drop_dead_letters(options, dropped.io), exit_ok);
  EXPECT_EQ(dropped.out.str(), "{\"dropped\":4}\n");
}

/// A node that a load balancer has chosen, and that has heard of another one.
TEST(CliDeadLetters, ARetryIsNotTakenForAnEarlierOne) {
  std::atomic<int> looks = 0;
  const scripted_server server{[&looks](peer& p) {
    for (std::string text; !(text = p.read_request()).empty();) {
      if (read_request(text).method == "POST")
        p.send(answer(202,
                      R"({"running":true,"started":"2026-01-31T12:00:00Z"})"));
      else if (looks++ == 0)
        p.send(answer(200, R"({"running":false,"started":null,"retried":0,)"
                           R"("failed":0,"last_error":""})"));
      else
        p.send(answer(200,
                      R"({"running":false,"started":"2026-01-31T12:00:00Z",)"
                      R"("retried":3,"failed":0,"last_error":""})"));
    }
  }};
  dead_letter_options options;
  options.server = to(server);
  options.all = true;
  captured_console console;
  EXPECT_EQ(retry_dead_letters(options, console.io), exit_ok);
  EXPECT_EQ(console.out.str(), "retried 3, failed 0\n");
}

TEST(CliDeadLetters, ARetryInTheBackgroundSaysWhatItIsAndCanBeWatched) {
  const api_server server{{
      {"POST /api/v1/dead-letters/retry?all=false&origin=processor%3Anotify&"
       "platform=slack&rate=5",
       answer(202, R"({"running":true})")},
      {"POST /api/v1/dead-letters/retry?all=true",
       answer(202, R"({"running":true})")},
      {"GET /api/v1/dead-letters/retry",
       answer(200, R"({"running":false,"started":"2026-01-31T12:00:00Z",)"
                   R"("retried":3,"failed":1,)"
                   R"("last_error":"no such processor"})")},
  }};
  dead_letter_options options;
  options.server = server.address();
  options.background = true;
  options.origin = "processor:notify";
  options.platform = "slack";
  options.rate = "5";
  captured_console some;
  EXPECT_EQ(retry_dead_letters(options, some.io), exit_ok) << some.err.str();
  EXPECT_EQ(some.out.str(),
            "handing back the dead letters with --origin processor:notify "
            "--platform slack, at most 5 a second\n"
            "watch it with: eventweft dead-letters watch\n");
  options = {};
  options.server = server.address();
  options.background = true;
  options.all = true;
  captured_console all;
  EXPECT_EQ(retry_dead_letters(options, all.io), exit_ok) << all.err.str();
  EXPECT_THAT(all.out.str(), HasSubstr("handing back all dead letters\n"));
  captured_console watched;
  EXPECT_EQ(watch_retry(options, watched.io), exit_failure);
  EXPECT_EQ(watched.out.str(), "retried 3, failed 1\n");
  EXPECT_THAT(watched.err.str(), HasSubstr("no such processor"));
}

TEST(CliDeadLetters, ARetryThatWasStoppedIsNoSuccess) {
  const api_server server{
      {{"GET /api/v1/dead-letters/retry",
        answer(200, R"({"running":false,"stopped":true,)"
                    R"("started":"2026-01-31T12:00:00Z",)"
                    R"("retried":4,"failed":0,"last_error":""})")}}};
  dead_letter_options options;
  options.server = server.address();
  captured_console console;
  EXPECT_EQ(watch_retry(options, console.io), exit_failure);
  EXPECT_EQ(console.out.str(), "retried 4, failed 0\n");
  EXPECT_THAT(console.err.str(), HasSubstr("stopped before it was through"));
}

TEST(CliDeadLetters, NoRetryAtAllIsNoSuccess) {
  const api_server server{
      {{"GET /api/v1/dead-letters/retry",
        answer(200, R"({"running":false,"stopped":false,"started":null,)"
                    R"("retried":0,"failed":0,"last_error":""})")}}};
  dead_letter_options options;
  options.server = server.address();
  captured_console console;
  EXPECT_EQ(watch_retry(options, console.io), exit_failure);
  EXPECT_EQ(console.out.str(), "");
  EXPECT_THAT(console.err.str(), HasSubstr("no retry of many is known"));
}

TEST(CliDeadLetters, WhatWouldNotBeLookedAtIsRefused) {
  const api_server server{{}};
  dead_letter_options ids;
  ids.server = server.address();
  ids.ids = {"L1"};
  auto origin = ids;
  origin.origin = "spool";
  auto all = ids;
  all.all = true;
  auto rate = ids;
  rate.rate = "5";
  auto background = ids;
  background.background = true;
  for (const auto& options : {origin, all, rate, background}) {
    captured_console console;
    EXPECT_EQ(retry_dead_letters(options, console.io), exit_usage);
    EXPECT_THAT(console.err.str(), HasSubstr("ids stand alone"));
  }
  captured_console dropped;
  EXPECT_EQ(drop_dead_letters(origin, dropped.io), exit_usage);
  EXPECT_TRUE(server.targets().empty());
}

TEST(CliDeadLetters, ATimeThatIsNoneIsRefusedHere) {
  const api_server server{{}};
  dead_letter_options since;
  since.server = server.address();
  auto until = since;
  since.since = "1x";
  until.until = "yesterday";
  for (const auto command : {list_dead_letters, export_dead_letters,
                             retry_dead_letters, drop_dead_letters}) {
    captured_console console;
    EXPECT_EQ(command(since, console.io), exit_usage);
    EXPECT_THAT(console.err.str(),
                HasSubstr("--since: expected an RFC 3339 time, or 90s, 15m, "
                          "2h, 7d, found \"1x\""));
    captured_console other;
    EXPECT_EQ(command(until, other.io), exit_usage);
    EXPECT_THAT(other.err.str(), HasSubstr("--until: "));
  }
  EXPECT_TRUE(server.targets().empty());
}

TEST(CliDeadLetters, ExportsEveryPage) {
  const api_server server{{
      {"GET /api/v1/dead-letters?limit=5&origin=spool&bodies=true",
       answer(200, R"({"dead_letters":[{"id":"a","body":"1"}],)"
                   R"("next_cursor":"a"})")},
      {"GET /api/v1/dead-letters?limit=5&origin=spool&bodies=true&cursor=a",
       answer(200, R"({"dead_letters":[{"id":"b","body":"2"}],)"
                   R"("next_cursor":null})")},
  }};
  dead_letter_options options;
  options.server = server.address();
  options.origin = "spool";
  captured_console console;
  EXPECT_EQ(export_dead_letters(options, console.io), exit_ok);
  EXPECT_EQ(console.out.str(), "{\"id\":\"a\",\"body\":\"1\"}\n"
                               "{\"id\":\"b\",\"body\":\"2\"}\n");
}

TEST(CliProcessors, ShowsHowTheyAreDoing) {
  const api_server server{
      {{"GET /api/v1/processors",
        answer(200, R"({"processors":[{"name":"notify","kind":"exec",)"
                    R"("state":"running","detail":"","ready":1,"running":2,)"
                    R"("waiting":3,"completed":4,"failed":5,"cursor":6},)"
                    R"({"name":"old","kind":"","state":"gone",)"
                    R"("detail":"not there","ready":7,"running":0,)"
                    R"("waiting":0,"completed":0,"failed":0,"cursor":6}]})")}}};
  processors_options options;
  options.server = server.address();
  captured_console console;
  EXPECT_EQ(list_processors(options, console.io), exit_ok);
  EXPECT_EQ(console.out.str(), "notify  exec  running  ready 1  running 2  "
                               "waiting 3  completed 4  failed 5  after 6\n"
                               "old  gone  ready 7  running 0  waiting 0  "
                               "completed 0  failed 0  after 6  not there\n");
}

TEST(CliProcessors, HasWhatOneThatIsGoneHasLeftGivenUp) {
  const api_server server{{
      {"DELETE /api/v1/processors/old%20one",
       answer(202, R"({"name":"old one","events":11})")},
      {"DELETE /api/v1/processors/notify",
       answer(409, R"({"detail":"processor notify is there"})")},
  }};
  processors_options options;
  options.server = server.address();
  options.drop = "old one";
  captured_console console;
  EXPECT_EQ(list_processors(options, console.io), exit_ok);
  EXPECT_EQ(console.out.str(), "old one: 11 events become dead letters\n");
  options.drop = "notify";
  captured_console refused;
  EXPECT_NE(list_processors(options, refused.io), exit_ok);
  EXPECT_THAT(refused.err.str(), HasSubstr("is there"));
}

TEST(CliStreams, ShowsWhoReads) {
  const auto reader = [](std::string_view id, std::string_view acknowledged) {
    return R"({"id":")" + std::string{id} +
           R"(","protocol":"sse","state":"live","cursor":1042,"lag_events":7,)"
           R"("sent":311,"acknowledged":)" +
           std::string{acknowledged} + R"(,"address":"10.0.0.17","key":""})";
  };
  const api_server server{{
      {"GET /api/v1/streams/my%20own/readers?limit=1000",
       answer(200, R"({"readers":[)" + reader("aa", "null") +
                       R"(],"next_cursor":"aa"})")},
      {"GET /api/v1/streams/my%20own/readers?limit=1000&cursor=aa",
       answer(200, R"({"readers":[)" + reader("bb", "1040") +
                       R"(],"next_cursor":null})")},
  }};
  const auto run = [&](const char* name, captured_console& c) {
    const auto url = server.address().url;
    const char* args[] = {"eventweft", "streams", "readers",
                          name,        "--url",   url.c_str()};
    return parse_and_run(6, args, {}, c.io);
  };
  captured_console console;
  EXPECT_EQ(run("my own", console), exit_ok) << console.err.str();
  std::istringstream out{console.out.str()};
  std::vector<std::string> words{std::istream_iterator<std::string>{out}, {}};
  EXPECT_THAT(words, ElementsAre("ID", "PROTOCOL", "STATE", "CURSOR", "LAG",
                                 "SENT", "ACKNOWLEDGED", "ADDRESS", "KEY", "aa",
                                 "sse", "live", "1042", "7", "311", "-",
                                 "10.0.0.17", "-", "bb", "sse", "live", "1042",
                                 "7", "311", "1040", "10.0.0.17", "-"));
  // What went wrong stands alone.
  captured_console refused;
  EXPECT_EQ(run("nothing", refused), exit_failure);
  EXPECT_EQ(refused.out.str(), "");
  EXPECT_THAT(refused.err.str(), HasSubstr("there is no such thing"));
}

TEST(CliRules, ListsSetsAndDeletes) {
  const api_server server{{
      {"GET /api/v1/correlation-rules?limit=1000",
       answer(200,
              R"({"correlation_rules":[{"name":"github","origin":"built-in",)"
              R"("disabled":false},{"name":"zd","origin":"store",)"
              R"("disabled":true,"key":"zd:{platform}"}],)"
              R"("next_cursor":null})")},
      {"PUT /api/v1/correlation-rules/zd", answer(201, R"({"name":"zd"})")},
      {"DELETE /api/v1/correlation-rules/zd", answer(204, "")},
  }};
  const auto run = [&](std::vector<const char*> args, captured_console& c) {
    const auto url = server.address().url;
    args.insert(args.begin(), {"eventweft", "rules"});
    args.insert(args.end(), {"--url", url.c_str()});
    return parse_and_run(static_cast<int>(args.size()), args.data(), {}, c.io);
  };
  captured_console list;
  EXPECT_EQ(run({"list"}, list), exit_ok) << list.err.str();
  EXPECT_EQ(list.out.str(), "github  built-in\n"
                            "zd  store  disabled  zd:{platform}\n");
  captured_console set;
  EXPECT_EQ(
      run({"set", "zd", "--key", "zd:{platform}", "--confidence", "0.9"}, set),
      exit_ok)
      << set.err.str();
  EXPECT_THAT(set.out.str(), HasSubstr(R"({"name":"zd"})"));
  captured_console gone;
  EXPECT_EQ(run({"delete", "zd"}, gone), exit_ok) << gone.err.str();
  EXPECT_EQ(gone.out.str(), "zd  deleted\n");
  // Which of several is not there.
  captured_console some;
  EXPECT_EQ(run({"delete", "nope", "zd"}, some), exit_failure);
  EXPECT_EQ(some.out.str(), "zd  deleted\n");
  EXPECT_THAT(some.err.str(), HasSubstr("eventweft: nope: "));
}

TEST(CliStats, ShowsEverySection) {
  const api_server server{
      {{"GET /api/v1/metrics",
        answer(200, R"({"processing":{"events_received":12,"rate":0.5},)"
                    R"("streaming":{"all_events":{"readers":2}},)"
                    R"("stored":{"as_of":"t","types":[],"days":[)"
                    R"({"day":"2026-01-31","events":12,"average":null},)"
                    R"({"day":"2026-01-30","events":7,"average":0.5}]}})")}}};
  stats_options options;
  options.server = server.address();
  captured_console console;
  EXPECT_EQ(stats(options, console.io), exit_ok) << console.err.str();
  EXPECT_EQ(console.out.str(),
            "processing\n  events_received  12\n"
            "  rate             0.5\n\n"
            "streaming\n  all_events.readers  2\n\n"
            "stored\n  as_of  t\n  days of the last 30 days (UTC)\n"
            "    day         events  average\n"
            "    2026-01-31  12      -\n"
            "    2026-01-30  7       0.5\n");
}

TEST(AbsoluteTime, CountsBack) {
  const auto now = *parse_rfc3339("2026-01-31T12:00:00Z");
  EXPECT_EQ(absolute_time("90s", now), "2026-01-31T11:58:30.000000Z");
  EXPECT_EQ(absolute_time("15m", now), "2026-01-31T11:45:00.000000Z");
  EXPECT_EQ(absolute_time("2h", now), "2026-01-31T10:00:00.000000Z");
  EXPECT_EQ(absolute_time("7d", now), "2026-01-24T12:00:00.000000Z");
  EXPECT_EQ(absolute_time("4000000000d", now), "1970-01-01T00:00:00.000000Z");
  for (std::string_view other : {"", "now", "earliest", "42", "h", "-1h",
                                 "1.5h", "2026-01-01T00:00:00Z"})
    EXPECT_EQ(absolute_time(other, now), other);
}

} // namespace
} // namespace eventweft::cli
