// SPDX-License-Identifier: Apache-2.0
#include "app/cli/dead_letters.hpp"

#include "app/cli/action.hpp"
#include "app/cli/api_call.hpp"
#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "messages/time.hpp"

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

namespace eventweft::cli {

namespace {

constexpr std::string_view base = "/api/v1/dead-letters";
constexpr std::chrono::milliseconds look_again{500};
/// Nodes hear of each other's retries within a second.
constexpr std::chrono::seconds others_hear{10};
/// Of letters that may be as large as a webhook each.
constexpr uint64_t page_with_bodies = 5;

/// On one line, and no longer than one can read there.
std::string brief(std::string_view reason) {
  constexpr size_t longest = 160;
  auto out = printable(one_line(reason));
  if (out.size() <= longest)
    return out;
  return std::string{codec::utf8_prefix(out, longest)} + "…";
}

void show_letter(simdjson::dom::element letter, console& io) {
  const auto text = [&](std::string_view pointer) {
    return printable(codec::string_at(letter, pointer));
  };
  io.out << text("/id") << "  " << text("/created_at").substr(0, 19) << "  "
         << text("/origin") << "  " << text("/platform") << "  "
         << text("/attempts") << "x  "
         << brief(codec::string_at(letter, "/reason")) << '\n';
}

/// `&origin=…`, as far as given.
std::string selection_of(const dead_letter_options& o) {
  std::string out;
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty())
      out.append("&").append(name).append("=").append(url_escaped(value));
  };
  const auto now = system_clock{}.now();
  add("origin", o.origin);
  add("platform", o.platform);
  add("event_type", o.type);
  add("event_id", o.event);
  add("since", o.since.empty() ? "" : absolute_time(o.since, now));
  add("until", o.until.empty() ? "" : absolute_time(o.until, now));
  return out;
}

/// Tells what became of each id; goes on after a failure.
template <class Ask>
int for_each_id(const dead_letter_options& options, console& io, Ask ask) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  int code = exit_ok;
  for (const auto& id : options.ids) {
    const auto answer =
        (*client)->send(ask(std::string{base} + '/' + url_escaped(id)));
    if (!answer)
      return report(answer.error(), io);
    if (answer->status >= 200 && answer->status < 300) {
      io.out << printable(id) << "  "
             << (answer->body.empty() ? "dropped"
                                      : printable(one_line(answer->body)))
             << '\n';
    } else {
      io.err << "eventweft: " << printable(id) << ": " << failure_text(*answer)
             << '\n';
      code = exit_failure;
    }
  }
  return code;
}

/// The list of what is selected; `limit` 0 is all of them.
list_request letters_of(const dead_letter_options& o, uint64_t limit) {
  return {std::string{base}, "dead_letters", limit, selection_of(o)};
}

/// Whether the server would understand what is selected.
expected<void> check_times(const dead_letter_options& o) {
  const auto now = system_clock{}.now();
  for (const auto& [option, text] :
       {std::pair{"--since", &o.since}, std::pair{"--until", &o.until}})
    if (const auto time = past_time(option, *text, now); !time)
      return fail(time.error());
  return {};
}

/// For what changes letters: either ids or what is meant, and nothing that
/// would not be looked at.
expected<void> check_choice(const dead_letter_options& o) {
  const bool selects = o.all || !selection_of(o).empty();
  if (o.ids.empty() && !selects)
    return fail(ec::bad_configuration,
                "name ids, or what is meant (--origin, --platform, --type, "
                "--event, --since, --until), or --all");
  if (!o.ids.empty() && (selects || !o.rate.empty() || o.background))
    return fail(ec::bad_configuration,
                "ids stand alone: --origin, --platform, --type, --event, "
                "--since, --until, --all, --rate and --background are for "
                "letters that are not named");
  return check_times(o);
}

std::string with_selection(const dead_letter_options& o, std::string target) {
  target += o.all ? "?all=true" : "?all=false";
  return target + selection_of(o);
}

/// How it went.
int tell_end(simdjson::dom::element retry, console& io) {
  const auto failed = codec::string_at(retry, "/failed");
  const auto why = codec::string_at(retry, "/last_error");
  bool stopped = false;
  if (retry["stopped"].get(stopped) != simdjson::SUCCESS)
    stopped = false;
  io.out << "retried " << codec::string_at(retry, "/retried") << ", failed "
         << failed << '\n';
  if (stopped)
    io.err << "eventweft: it was stopped before it was through; the letters "
              "that are left can be retried again\n";
  if (failed == "0" && !stopped)
    return exit_ok;
  if (!why.empty())
    io.err << "eventweft: " << printable(why) << '\n';
  return exit_failure;
}

/// Follows a retry of many until it is over: the one that began at `started`,
/// as the server tells it; empty: the one that it tells of now. Behind a load
/// balancer a node may answer that has not heard of it yet.
int follow_retry(http_client& client, std::string started, console& io) {
  using std::chrono::steady_clock;
  codec::payload_reader reader;
  auto hears_by = steady_clock::now() + others_hear;
  while (true) {
    const auto answer =
        client.send({"GET", std::string{base} + "/retry", {}, {}});
    if (!answer)
      return report(answer.error(), io);
    if (answer->status != 200)
      return report({ec::internal, failure_text(*answer)}, io);
    const auto root = reader.parse(answer->body);
    if (!root)
      return report(root.error(), io);
    const auto told = codec::string_at(*root, "/started");
    if (started.empty() && told.empty())
      return report({ec::not_found, "no retry of many is known since the "
                                    "server was started"},
                    io);
    if (started.empty())
      started = told;
    if (told != started) {
      if (steady_clock::now() >= hears_by)
        return report({ec::not_found,
                       "the server tells nothing of the retry that began at " +
                           printable(started) +
                           ": a restart ends it; the letters that are left can "
                           "be retried again"},
                      io);
      std::this_thread::sleep_for(look_again);
      continue;
    }
    bool running = false;
    if ((*root)["running"].get(running) != simdjson::SUCCESS || !running)
      return tell_end(*root, io);
    hears_by = steady_clock::now() + others_hear;
    std::this_thread::sleep_for(look_again);
  }
}

/// What the server has begun, and how to see it end.
int tell_begun(const dead_letter_options& o, console& io) {
  io.out << "handing back ";
  if (o.all) {
    io.out << "all dead letters";
  } else {
    io.out << "the dead letters with";
    const auto tell = [&io](std::string_view option, const std::string& value) {
      if (!value.empty())
        io.out << ' ' << option << ' ' << printable(value);
    };
    tell("--origin", o.origin);
    tell("--platform", o.platform);
    tell("--type", o.type);
    tell("--event", o.event);
    tell("--since", o.since);
    tell("--until", o.until);
  }
  if (!o.rate.empty())
    io.out << ", at most " << printable(o.rate) << " a second";
  io.out << "\nwatch it with: eventweft dead-letters watch\n";
  return exit_ok;
}

void add_selection(CLI::App& app, dead_letter_options& o) {
  app.add_option("--origin", o.origin,
                 "Who gave up: a kind (processor, subscription, store, spool) "
                 "or one of them (processor:notify)")
      ->check(refuse_empty);
  app.add_option("--platform", o.platform,
                 "Only these platforms', separated by commas (\\, within one)")
      ->check(refuse_empty);
  app.add_option("--type", o.type,
                 "Only events of these types, separated by commas (\\, within "
                 "one): issues is "
                 "also every issues:…, * any text")
      ->check(refuse_empty);
  app.add_option("--event", o.event, "Only about this event")
      ->type_name("ID")
      ->check(refuse_empty);
  app.add_option("--since", o.since,
                 "Given up at or after this: a time, or 90s, 15m, 2h, 7d ago")
      ->type_name("WHEN")
      ->check(refuse_empty);
  app.add_option("--until", o.until, "Before this time")
      ->type_name("WHEN")
      ->check(refuse_empty);
}

} // namespace

int list_dead_letters(const dead_letter_options& options, console& io) {
  if (const auto fine = check_times(options); !fine)
    return report(fine.error(), io);
  return show_list(
      options.server, letters_of(options, options.limit), options.json, io,
      [&io](simdjson::dom::element letter) { show_letter(letter, io); });
}

int export_dead_letters(const dead_letter_options& options, console& io) {
  if (const auto fine = check_times(options); !fine)
    return report(fine.error(), io);
  auto what = letters_of(options, 0);
  what.selection += "&bodies=true";
  what.page = page_with_bodies;
  return walk_list(options.server, what, io,
                   [&io](simdjson::dom::element letter) {
                     io.out << simdjson::minify(letter) << '\n';
                   });
}

int show_dead_letters(const dead_letter_options& options, console& io) {
  return for_each_id(options, io, [](const std::string& path) {
    return http_request{"GET", path, {}, {}};
  });
}

int retry_dead_letters(const dead_letter_options& options, console& io) {
  if (const auto fine = check_choice(options); !fine)
    return report(fine.error(), io);
  if (!options.ids.empty())
    return for_each_id(options, io, [](const std::string& path) {
      return http_request{"POST", path + "/retry", {}, {}};
    });
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  auto target = with_selection(options, std::string{base} + "/retry");
  if (!options.rate.empty())
    target += "&rate=" + url_escaped(options.rate);
  const auto answer = (*client)->send({"POST", target, {}, {}});
  if (!answer)
    return report(answer.error(), io);
  if (answer->status != 202)
    return report({ec::internal, failure_text(*answer)}, io);
  if (options.background)
    return tell_begun(options, io);
  codec::payload_reader reader;
  const auto begun = reader.parse(answer->body);
  if (!begun)
    return report(begun.error(), io);
  return follow_retry(**client, codec::string_at(*begun, "/started"), io);
}

int watch_retry(const dead_letter_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  return follow_retry(**client, {}, io);
}

int drop_dead_letters(const dead_letter_options& options, console& io) {
  if (const auto fine = check_choice(options); !fine)
    return report(fine.error(), io);
  if (!options.ids.empty())
    return for_each_id(options, io, [](const std::string& path) {
      return http_request{"DELETE", path, {}, {}};
    });
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  const auto answer = (*client)->send(
      {"DELETE", with_selection(options, std::string{base}), {}, {}});
  if (!answer)
    return report(answer.error(), io);
  if (answer->status != 200)
    return report({ec::internal, failure_text(*answer)}, io);
  io.out << printable(one_line(answer->body)) << '\n';
  return exit_ok;
}

void add_dead_letters(CLI::App& app, std::function<int(console&)>& run) {
  const auto o = std::make_shared<dead_letter_options>();
  auto* letters = app.add_subcommand(
      "dead-letters", "List, read, export, retry or drop what was given up on");
  letters->require_subcommand(1);
  auto* list =
      add_action(*letters, run, o, "list", "Newest first", list_dead_letters);
  add_selection(*list, *o);
  list->add_option("--limit", o->limit, "Most of them; 0 is all")
      ->check(refuse_negative)
      ->capture_default_str();
  list->add_flag("--json", o->json, "One JSON object a line");
  auto* show = add_action(*letters, run, o, "show",
                          "All that is known about them", show_dead_letters);
  show->add_option("id", o->ids, "Their ids")->required();
  auto* out =
      add_action(*letters, run, o, "export",
                 "All of them, one JSON object a line", export_dead_letters);
  add_selection(*out, *o);
  auto* retry =
      add_action(*letters, run, o, "retry",
                 "Hand them back to where they came from", retry_dead_letters);
  add_action(*letters, run, o, "watch",
             "Wait until a retry of many is over, and tell how it went",
             watch_retry);
  auto* drop =
      add_action(*letters, run, o, "drop", "Forget them", drop_dead_letters);
  for (auto* sub : {retry, drop}) {
    sub->add_option("id", o->ids, "Their ids; else those that are selected");
    add_selection(*sub, *o);
    sub->add_flag("--all", o->all, "All there are");
  }
  retry->add_option("--rate", o->rate, "So many a second at most");
  retry->add_flag("--background", o->background,
                  "Do not wait until all are handed back; watch tells");
  letters->footer("Examples:\n"
                  "  eventweft dead-letters list --origin processor:notify\n"
                  "  eventweft dead-letters export --since 7d > letters.jsonl\n"
                  "  eventweft dead-letters retry ID…\n"
                  "  eventweft dead-letters retry --origin processor:notify "
                  "--rate 20 --background\n"
                  "  eventweft dead-letters watch\n"
                  "  eventweft dead-letters drop --platform slack --until 30d");
}

} // namespace eventweft::cli
