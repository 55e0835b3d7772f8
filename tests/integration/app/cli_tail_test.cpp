// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/app/cli_support.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <future>

namespace eventweft::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Answers one connection after the other by `turns`; the last one stays.
class stream_server {
 public:
  using turn = std::function<void(peer&)>;

  explicit stream_server(std::vector<turn> turns)
      : turns_(std::move(turns)), server_([this](peer& p) { serve(p); }) {}

  tail_options options() const {
    tail_options o;
    o.server = to(server_);
    o.select.since = "earliest";
    return o;
  }

  std::vector<std::string> targets() const {
    std::vector<std::string> result;
    for (const auto& r : log_.all())
      result.push_back(r.target);
    return result;
  }

  seen_request request(size_t i) const { return log_.all().at(i); }

 private:
  void serve(peer& p) {
    const auto text = p.read_request();
    if (text.empty())
      return;
    log_.add(read_request(text));
    const auto i = std::min(next_++, turns_.size() - 1);
    turns_[i](p);
  }

  std::vector<turn> turns_;
  request_log log_;
  std::atomic<size_t> next_ = 0;
  scripted_server server_;
};

stream_server::turn events(std::string text) {
  return [text = stream_head() + std::move(text)](peer& p) { p.send(text); };
}

TEST(CliTail, ShowsOneLineAnEvent) {
  const stream_server server{
      {events(stream_event(41, "push") + stream_event(42, "issues:opened"))}};
  auto options = server.options();
  options.stream = "github_events";
  options.count = 2;
  captured_console console;
  EXPECT_EQ(tail(options, console.io), exit_ok);
  EXPECT_EQ(console.out.str(),
            "12:00:00.500       41  github       push                        "
            "    octo/repo                     codertocat\n"
            "12:00:00.500       42  github       issues:opened               "
            "    octo/repo                     codertocat\n");
  EXPECT_THAT(server.targets(),
              ElementsAre("/events/stream/github_events?since=earliest"));
  EXPECT_EQ(server.request(0).headers.at("accept"), "text/event-stream");
}

TEST(CliTail, PrintsJsonByteForByteOnOneLine) {
  const std::string payload = "{\"a\":\n  [1, 2]}";
  std::string block = "id: 7\n";
  std::istringstream lines{event_json(7, "push", payload)};
  for (std::string line; std::getline(lines, line);)
    block += "data: " + line + '\n';
  const stream_server server{{events(block + '\n')}};
  auto options = server.options();
  options.select.json = true;
  options.count = 1;
  captured_console console;
  EXPECT_EQ(tail(options, console.io), exit_ok);
  EXPECT_EQ(console.out.str(),
            event_json(7, "push", "{\"a\":   [1, 2]}") + '\n');
}

// web-platform-tests, eventsource/format-mime-*: only text/event-stream is one.
TEST(CliTail, TakesNothingButAnEventStream) {
  const auto said = [](std::string_view type) {
    const stream_server server{{[type](peer& p) {
      p.send("HTTP/1.1 200 OK\r\nContent-Type: " + std::string{type} +
             "\r\nConnection: close\r\n\r\n" + stream_event(1));
    }}};
    auto options = server.options();
    options.count = 1;
    captured_console console;
    const int code = tail(options, console.io);
    return std::pair{code, console.err.str()};
  };
  for (const auto* good :
       {"text/event-stream", "text/event-stream;charset=utf-8",
        "Text/Event-Stream; x", "text/event-stream;"})
    EXPECT_EQ(said(good).first, exit_ok) << good;
  for (const auto* bad : {"text/x-bogus", "text/html", "text/event-stream-x"}) {
    const auto [code, why] = said(bad);
    EXPECT_EQ(code, exit_failure) << bad;
    EXPECT_THAT(why, HasSubstr(bad));
  }
}

TEST(CliTail, StopsWhenTheServerSaysSo) {
  const stream_server server{{
      events(stream_event(1)),
      [](peer& p) { p.send("HTTP/1.1 204 No Content\r\n\r\n"); },
  }};
  captured_console console;
  EXPECT_EQ(tail(server.options(), console.io), exit_ok);
  EXPECT_EQ(server.targets().size(), 2u);
}

TEST(CliTail, ResumesWhereTheConnectionBroke) {
  const stream_server server{{
      events(stream_event(1) + stream_event(2) + "id: 3\ndata: cut of"),
      // A restart in between: nobody answers, or not properly.
      [](peer& p) { p.reset(); },
      [](peer& p) { p.send(answer(503, "{}")); },
      // Nothing matched, but the log went on.
      events(": ping\nid: 9\n\n"),
      events(stream_event(10)),
  }};
  auto options = server.options();
  options.count = 3;
  captured_console console;
  EXPECT_EQ(tail(options, console.io), exit_ok);
  EXPECT_THAT(server.targets(),
              ElementsAre("/events/stream/all_events?since=earliest",
                          "/events/stream/all_events?since=2",
                          "/events/stream/all_events?since=2",
                          "/events/stream/all_events?since=2",
                          "/events/stream/all_events?since=9"));
  std::vector<std::string> seqs;
  std::istringstream out{console.out.str()};
  for (std::string line; std::getline(out, line);)
    seqs.push_back(line.substr(14, 7));
  EXPECT_THAT(seqs, ElementsAre("      1", "      2", "     10"));
  EXPECT_THAT(console.err.str(), HasSubstr("trying again"));
  EXPECT_THAT(console.err.str(), HasSubstr("connected again"));
}

TEST(CliTail, NowBecomesAPlaceInTheLog) {
  const stream_server server{{
      [](peer& p) {
        p.send(answer(200, R"({"events":[)" + event_json(77) +
                               R"(],"next_cursor":"77"})"));
      },
      [](peer& p) { p.reset(); },
      events(stream_event(78)),
  }};
  auto options = server.options();
  options.select.since = "";
  options.count = 1;
  captured_console console;
  // One connection for all: the second request comes on the first one, which
  // this server has closed by then.
  EXPECT_EQ(tail(options, console.io), exit_ok);
  const auto targets = server.targets();
  ASSERT_GE(targets.size(), 2u);
  EXPECT_EQ(targets[0], "/api/v1/events?limit=1");
  for (size_t i = 1; i < targets.size(); ++i)
    EXPECT_EQ(targets[i], "/events/stream/all_events?since=77");
}

TEST(CliTail, AnEmptyLogStartsAtItsBeginning) {
  const stream_server server{{
      [](peer& p) {
        p.send(answer(200, R"({"events":[],"next_cursor":null})"));
      },
      events(stream_event(1)),
  }};
  auto options = server.options();
  options.select.since = "now";
  options.count = 1;
  captured_console console;
  EXPECT_EQ(tail(options, console.io), exit_ok);
  EXPECT_EQ(server.targets().back(),
            "/events/stream/all_events?since=earliest");
}

TEST(CliTail, SendsOneFilterMadeOfAllFlags) {
  const stream_server server{{events(stream_event(1))}};
  auto options = server.options();
  options.filter = R"({"custom_filters":{"payload.a":1}})";
  options.select.platforms = {"github"};
  options.select.types = {"push", "Issue*"};
  options.count = 1;
  captured_console console;
  EXPECT_EQ(tail(options, console.io), exit_ok);
  EXPECT_THAT(
      server.targets().front(),
      HasSubstr("filter=%7B%22platforms%22%3A%5B%22github%22%5D%2C%22event_"
                "types%22%3A%5B%22Issue%2A%22%2C%22push%22%5D%2C%22custom_"
                "filters%22%3A%7B%22payload.a%22%3A1%7D%7D"));
}

TEST(CliTail, RefusesAFilterThatContradictsAFlag) {
  tail_options options;
  options.server.url = "http://127.0.0.1:1";
  options.filter = R"({"platforms":["slack"]})";
  options.select.platforms = {"github"};
  captured_console console;
  EXPECT_EQ(tail(options, console.io), exit_usage);
  EXPECT_THAT(console.err.str(), HasSubstr("--platform"));
  options.select.platforms.clear();
  options.filter = R"({"platform":["slack"]})";
  captured_console again;
  EXPECT_EQ(tail(options, again.io), exit_usage);
  EXPECT_THAT(again.err.str(), HasSubstr("unknown key \"platform\""));
}

TEST(CliTail, RefusesAStartThatIsNone) {
  tail_options options;
  options.server.url = "http://127.0.0.1:1";
  options.select.since = "yesterday";
  captured_console console;
  EXPECT_EQ(tail(options, console.io), exit_usage);
  EXPECT_THAT(console.err.str(), HasSubstr("--since: expected now"));
  EXPECT_THAT(console.err.str(), HasSubstr("\"yesterday\""));
}

TEST(CliTail, EndsWhenTryingAgainWouldNotHelp) {
  for (int status : {400, 401, 403, 404}) {
    const stream_server server{
        {[&](peer& p) { p.send(answer(status, R"({"detail":"no"})")); }}};
    captured_console console;
    EXPECT_EQ(tail(server.options(), console.io), exit_failure);
    EXPECT_THAT(console.err.str(), HasSubstr(std::to_string(status)));
  }
}

constexpr std::string_view revoked =
    "event: end\ndata: the API key was revoked\nid: 3\n\n";

TEST(CliTail, TheEndOfItsCredentialsIsNoEvent) {
  const stream_server server{{
      events(stream_event(1) + std::string{revoked}),
      [](peer& p) { p.send(answer(401, R"({"detail":"revoked"})")); },
  }};
  auto options = server.options();
  options.select.json = true;
  options.count = 2;
  captured_console console;
  EXPECT_EQ(tail(options, console.io), exit_failure);
  EXPECT_EQ(console.out.str(), event_json(1, "push") + '\n');
  EXPECT_THAT(console.err.str(), HasSubstr("the API key was revoked"));
  EXPECT_THAT(console.err.str(), HasSubstr("401"));
}

TEST(CliTail, GoesOnAfterAnEndWhereItIsLetInAgain) {
  const stream_server server{{
      events(std::string{revoked} + stream_event(9)),
      events("id: 4\nevent: progress\ndata: {\"cursor\":4}\n\n" +
             stream_event(5)),
  }};
  auto options = server.options();
  options.count = 1;
  captured_console console;
  EXPECT_EQ(tail(options, console.io), exit_ok);
  EXPECT_EQ(console.out.str().substr(14, 7), "      5");
  EXPECT_EQ(console.out.str().find('\n'), console.out.str().size() - 1);
  EXPECT_EQ(server.targets().back(), "/events/stream/all_events?since=3");
}

TEST(CliTail, EndsWhenTheServerSaysSo) {
  const stream_server server{
      {[](peer& p) { p.send("HTTP/1.1 204 No Content\r\n\r\n"); }}};
  captured_console console;
  EXPECT_EQ(tail(server.options(), console.io), exit_ok);
}

TEST(CliTail, EndsQuietlyOnASignal) {
  for (int signal : {SIGINT, SIGTERM}) {
    const stream_server server{{[&](peer& p) {
      p.send(stream_head() + stream_event(1));
      // The client waits for more, and only a signal ends that.
      ::kill(::getpid(), signal);
      p.wait_for_close();
    }}};
    captured_console console;
    EXPECT_EQ(tail(server.options(), console.io), exit_ok);
    EXPECT_EQ(console.err.str(), "");
  }
}

TEST(CliTail, EndsWhenNobodyReadsItsOutput) {
  const stream_server server{{[](peer& p) {
    p.send(stream_head() + stream_event(1) + stream_event(2));
    p.wait_for_close();
  }}};
  captured_console console;
  console.out.setstate(std::ios::badbit);
  EXPECT_EQ(tail(server.options(), console.io), exit_ok);
}

TEST(CliTail, NothingInAnEventSteersTheTerminal) {
  auto json = event_json(1, "push");
  const std::string name = "octo/repo";
  json.replace(json.find(name), name.size(),
               R"(\u001b[2J\u0007\u009b\u202e\nx)");
  const stream_server server{{events("id: 1\ndata: " + json + "\n\n")}};
  auto options = server.options();
  options.count = 1;
  captured_console console;
  console.io.colour = true;
  EXPECT_EQ(tail(options, console.io), exit_ok);
  const auto line = console.out.str();
  EXPECT_THAT(line, HasSubstr("?[2J????x"));
  EXPECT_THAT(line, Not(HasSubstr("\x1b[2J")));
  EXPECT_THAT(line, StartsWith("\x1b[2m12:00:00.500\x1b[0m"));
}

} // namespace
} // namespace eventweft::cli
