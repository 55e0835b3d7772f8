// SPDX-License-Identifier: Apache-2.0
#include "app/cli/action.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "app/cli/sse_parser.hpp"
#include "codec/event_json.hpp"
#include "codec/payload.hpp"
#include "messages/backoff.hpp"
#include "messages/uuid.hpp"

#include <chrono>

namespace eventweft::cli {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds shortest_pause{250};
constexpr milliseconds longest_pause{10'000};
/// Servers say something every 15 seconds; three of those may get lost.
constexpr milliseconds longest_silence{60'000};

class follower {
 public:
  follower(const tail_options& options, http_client& client, std::string filter,
           std::string since, console& io)
      : options_{options},
        client_{client},
        filter_{std::move(filter)},
        io_{io},
        cursor_{std::move(since)} {}

  int run() {
    fix_start();
    while (!client_.stopped()) {
      heard_ = false;
      if (const auto code = follow_once())
        return *code;
      // Who is let in and shown out at once has to slow down.
      if (heard_ && !end_)
        pauses_.reset();
      if (!client_.pause(pauses_.next(random_)))
        break;
    }
    return exit_ok;
  }

 private:
  /// "now" is made a place in the log, so that nothing is missed if the first
  /// connection breaks before its first event. Without the right to query, the
  /// server's own "now" has to do.
  void fix_start() {
    if (!cursor_.empty() && cursor_ != "now")
      return;
    cursor_.clear();
    const auto page = client_.send({"GET", "/api/v1/events?limit=1", {}, {}});
    if (!page || page->status != 200)
      return;
    codec::payload_reader reader;
    if (const auto root = reader.parse(page->body)) {
      const auto seq = codec::string_at(*root, "/events/0/seq");
      cursor_ = seq.empty() ? "earliest" : seq;
    }
  }

  /// The exit code, or nothing to try again.
  std::optional<int> follow_once() {
    http_request request;
    request.target = "/events/stream/" + url_escaped(options_.stream);
    char separator = '?';
    const auto add = [&](std::string_view name, std::string_view value) {
      if (value.empty())
        return;
      request.target += separator;
      request.target.append(name).append("=").append(url_escaped(value));
      separator = '&';
    };
    add("since", cursor_);
    add("filter", filter_);
    request.headers = {{"Accept", "text/event-stream"}};
    end_.reset();
    sse_parser parser;
    const auto answer =
        client_.follow(request, longest_silence, [&](std::string_view piece) {
          if (!heard_ && told_)
            io_.err << "eventweft: connected again\n";
          heard_ = true;
          told_ = false;
          const bool more = parser.feed(
              piece, [&](const sse_parser::message& m) { return show(m); });
          if (!parser.last_event_id().empty())
            cursor_ = parser.last_event_id();
          // What is complete is shown before the next wait.
          io_.out.flush();
          return more && io_.out.good();
        });
    if (client_.stopped() || done_ || !io_.out.good())
      return exit_ok;
    if (parser.overflowed()) {
      io_.err << "eventweft: the server sent a line without an end\n";
      return exit_failure;
    }
    if (!answer)
      return retry(answer.error().message);
    if (answer->status == 204)
      return exit_ok;
    if (answer->status == 200 && !is_event_stream(*answer)) {
      io_.err << "eventweft: the answer is no event stream but \""
              << printable(answer->content_type) << "\"\n";
      return exit_failure;
    }
    // Whether there is a way back, the answer to the next attempt tells.
    if (answer->status == 200)
      return retry(end_ ? "the server ended the stream: " + printable(*end_)
                        : "the server ended the stream");
    // What a later attempt would be told again.
    const bool final_answer =
        answer->status < 500 && answer->status != 408 && answer->status != 429;
    if (!final_answer)
      return retry(failure_text(*answer));
    io_.err << "eventweft: " << failure_text(*answer) << '\n';
    return exit_failure;
  }

  std::optional<int> retry(const std::string& why) {
    if (!told_)
      io_.err << "eventweft: " << why << "; trying again\n";
    told_ = true;
    return std::nullopt;
  }

  /// False once nothing more of this connection is wanted.
  bool show(const sse_parser::message& m) {
    if (m.event == "end") {
      end_ = m.data;
      return false;
    }
    // Events of the log have no other type.
    if (m.event != "message")
      return true;
    if (options_.select.json) {
      io_.out << one_line(m.data) << '\n';
    } else if (const auto ev = codec::parse_native(m.data)) {
      io_.out << event_line(*ev, {io_.colour, false}) << '\n';
    } else {
      io_.err << "eventweft: cannot read an event: " << ev.error().message
              << '\n';
    }
    if (options_.count != 0 && ++shown_ == options_.count)
      done_ = true;
    return !done_;
  }

  const tail_options& options_;
  http_client& client_;
  std::string filter_;
  console& io_;
  /// Where the next connection starts.
  std::string cursor_;
  backoff pauses_{shortest_pause, longest_pause};
  system_random random_;
  uint64_t shown_ = 0;
  bool done_ = false;
  bool heard_ = false;
  /// Why the server ended this connection, if it said so.
  std::optional<std::string> end_;
  /// Whether the present interruption has been told.
  bool told_ = false;
};

} // namespace

int tail(const tail_options& options, console& io) {
  auto filter = stream_filter(options.filter, options.select);
  if (!filter)
    return report(filter.error(), io);
  auto since = absolute_since(options.select.since, system_clock{}.now());
  if (!since)
    return report(since.error(), io);
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  (*client)->stop_on_signals();
  return follower{options, **client, std::move(*filter), std::move(*since), io}
      .run();
}

void add_tail(CLI::App& app, runner& run) {
  const auto o = std::make_shared<tail_options>();
  auto* sub = add_action(
      app, run, o, "tail",
      "Show events as they come, one a line; resumes by itself", tail);
  sub->add_option("stream", o->stream, "The stream")->capture_default_str();
  sub->add_option("--filter", o->filter, "A filter as the API takes it")
      ->type_name("JSON");
  add_event_selection(*sub, o->select, true);
  sub->add_option("--since", o->select.since,
                  "now (default), earliest, a seq, an RFC 3339 time, or 15m, "
                  "2h, 7d ago")
      ->type_name("WHEN");
  sub->add_option("-n,--count", o->count, "End after so many events");
  sub->footer("Examples:\n"
              "  eventweft tail\n"
              "  eventweft tail pr_events --since 1h\n"
              "  eventweft tail --platform github --type 'pull_request:*'\n"
              "  eventweft tail --filter "
              "'{\"custom_filters\":{\"payload.action\":\"opened\"}}' --json");
}

} // namespace eventweft::cli
