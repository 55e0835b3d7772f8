// SPDX-License-Identifier: Apache-2.0
#include "app/cli/threads.hpp"

#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "codec/event_json.hpp"
#include "codec/payload.hpp"

#include <CLI/CLI.hpp>
#include <simdjson.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace eventweft::cli {

namespace {

using simdjson::dom::element;

using namespace terminal;

std::string styled(std::string_view text, std::string_view style,
                   const console& io) {
  if (!io.colour)
    return std::string{text};
  return std::string{style}.append(text).append(reset);
}

std::string text_at(element e, std::string_view name) {
  return printable(codec::string_at(e, std::string{"/"}.append(name)));
}

/// "2026-01-31 12:00:00"
std::string short_time(std::string text) {
  if (text.size() > 19)
    text.resize(19);
  if (text.size() > 10)
    text[10] = ' ';
  return text;
}

template <class Use>
void each(element parent, std::string_view name, Use use) {
  simdjson::dom::array list;
  if (!parent[name].get_array().get(list))
    for (auto item : list)
      use(item);
}

std::string joined(element parent, std::string_view name) {
  std::string out;
  each(parent, name, [&](element item) {
    std::string_view text;
    if (!item.get_string().get(text))
      out.append(out.empty() ? "" : ", ").append(printable(text));
  });
  return out;
}

void show_head(element root, console& io) {
  std::string title;
  each(root, "keys", [&](element key) {
    if (title.empty())
      title = text_at(key, "key");
  });
  io.out << styled(title.empty() ? text_at(root, "id") : title, bold, io)
         << "  " << styled(text_at(root, "id"), dim, io) << '\n';
  io.out << text_at(root, "event_count") << " events from "
         << short_time(text_at(root, "first_event_at")) << " to "
         << short_time(text_at(root, "last_event_at")) << " UTC, on "
         << joined(root, "platforms") << '\n';
  each(root, "state", [&](element s) {
    const auto name = text_at(s, "name");
    const auto repository = text_at(s, "repository");
    io.out << "  " << text_at(s, "kind") << ' ' << styled(name, bold, io);
    // "octo/repo#12" says it already.
    if (!repository.empty() && !name.starts_with(repository))
      io.out << " of " << repository;
    if (const auto state = text_at(s, "state"); !state.empty())
      io.out << ": " << styled(state, green, io);
    if (const auto about = text_at(s, "title"); !about.empty())
      io.out << "  " << about;
    io.out << '\n';
  });
  std::string people;
  each(root, "participants", [&](element p) {
    const auto name = text_at(p, "name");
    people.append(people.empty() ? "" : ", ")
        .append(name.empty() ? text_at(p, "id") : name)
        .append(" (" + text_at(p, "events") + ")");
  });
  if (!people.empty())
    io.out << "  with " << people << '\n';
  if (const auto former = joined(root, "former_ids"); !former.empty())
    io.out << styled("  formerly " + former, dim, io) << '\n';
  io.out << '\n';
}

/// The links of one event, by the event's id.
std::map<std::string, std::vector<element>> links_of(element root) {
  std::map<std::string, std::vector<element>> out;
  each(root, "links",
       [&](element l) { out[text_at(l, "source_event_id")].push_back(l); });
  return out;
}

void show_link(element l, bool why, console& io) {
  const auto type = text_at(l, "correlation_type");
  const auto state = text_at(l, "state");
  if (!why && (type == "identity" || state != "linked"))
    return;
  std::string line = "           " + type + ' ' + text_at(l, "correlation_key");
  if (state != "linked")
    line += "  [" + state + ']';
  if (why) {
    line += "  (" + text_at(l, "confidence_score") + ", rule " +
            text_at(l, "rule") + ", " + text_at(l, "field");
    if (const auto matched = text_at(l, "matched"); !matched.empty())
      line += ": \"" + matched + '"';
    line += ')';
  }
  io.out << styled(line, dim, io) << '\n';
}

expected<void> show_events(element root, bool why, console& io) {
  const auto links = links_of(root);
  expected<void> done;
  each(root, "events", [&](element item) {
    const auto ev = codec::parse_native(simdjson::minify(item));
    if (!ev) {
      done = fail(ev.error());
      return;
    }
    io.out << event_line(*ev, {io.colour, true}) << '\n';
    if (const auto found = links.find(to_string(ev->id)); found != links.end())
      for (const auto& l : found->second)
        show_link(l, why, io);
  });
  return done;
}

int list(const thread_options& options, http_client& client, console& io) {
  std::string query = "?limit=" + std::to_string(options.limit);
  if (!options.platform.empty())
    query += "&platform=" + url_escaped(options.platform);
  const auto answer =
      client.send({"GET", "/api/v1/correlations" + query, {}, {}});
  if (!answer)
    return report(answer.error(), io);
  if (answer->status != 200)
    return report({ec::internal, failure_text(*answer)}, io);
  if (options.json) {
    io.out << one_line(answer->body) << '\n';
    return exit_ok;
  }
  codec::payload_reader reader;
  const auto root = reader.parse(answer->body);
  if (!root)
    return report(root.error(), io);
  each(*root, "correlations", [&](element t) {
    auto count = text_at(t, "event_count");
    count.insert(0, count.size() < 6 ? 6 - count.size() : 0, ' ');
    io.out << styled(short_time(text_at(t, "last_event_at")), dim, io) << "  "
           << count << "  " << styled(text_at(t, "id"), dim, io) << "  "
           << joined(t, "keys") << '\n';
  });
  return exit_ok;
}

} // namespace

int thread(const thread_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  if (options.which.empty())
    return list(options, **client, io);
  std::string cursor;
  bool first = true;
  do {
    const auto answer = (*client)->send(
        {"GET",
         "/api/v1/correlations/" + url_escaped(options.which) +
             (cursor.empty() ? "" : "?cursor=" + url_escaped(cursor)),
         {},
         {}});
    if (!answer)
      return report(answer.error(), io);
    if (answer->status != 200)
      return report({answer->status == 404 ? ec::not_found : ec::internal,
                     failure_text(*answer)},
                    io);
    codec::payload_reader reader;
    const auto root = reader.parse(answer->body);
    if (!root)
      return report(root.error(), io);
    if (options.json) {
      io.out << one_line(answer->body) << '\n';
    } else {
      if (std::exchange(first, false))
        show_head(*root, io);
      if (const auto shown = show_events(*root, options.why, io); !shown)
        return report(shown.error(), io);
    }
    cursor = codec::string_at(*root, "/next_cursor");
    io.out.flush();
  } while (!cursor.empty() && io.out.good());
  return exit_ok;
}

void add_thread_commands(
    CLI::App& app, thread_commands& commands,
    const std::function<void(CLI::App&)>& add_connection,
    const std::function<void(CLI::App&)>& add_settings,
    const std::function<connection()>& server,
    const std::function<expected<config::load_options>()>& settings,
    const std::function<void(std::function<int(console&)>)>& start) {
  auto& t = commands.thread;
  auto* show = app.add_subcommand(
      "thread", "Show the story of one piece of work, or list the latest");
  show->add_option("which", t.which,
                   "A thread's or an event's id, or a key: octo/repo#12, "
                   "ENG-42, a URL, git:sha:…")
      ->type_name("KEY_OR_ID")
      ->check(refuse_empty);
  add_connection(*show);
  show->add_flag("--why", t.why, "The evidence of each link");
  show->add_option("--platform", t.platform,
                   "Of the list: only threads with events of this platform")
      ->check(refuse_empty);
  show->add_option("--limit", t.limit, "Of the list: most threads")
      ->check(CLI::Range(1u, 1'000u))
      ->capture_default_str();
  show->add_flag("--json", t.json, "As the API has it");
  show->footer("Examples:\n  eventweft thread\n"
               "  eventweft thread octo/repo#12\n"
               "  eventweft thread ENG-42 --why");
  show->callback([&commands, server, start] {
    start([&commands, server](console& io) {
      commands.thread.server = server();
      return thread(commands.thread, io);
    });
  });

  auto& c = commands.correlate;
  auto* sub = app.add_subcommand(
      "correlate", "Show how rules read an event, or go over the stored log");
  add_settings(*sub);
  auto* explain = sub->add_option("--explain", c.explain,
                                  "What each rule finds in this event")
                      ->type_name("ID");
  auto* backfill =
      sub->add_flag("--backfill", c.backfill,
                    "Apply the rules to what is stored; goes on where it was "
                    "left, or starts over if the rules are others by now")
          ->excludes(explain);
  sub->add_option("--since", c.since,
                  "With --backfill: begin at this RFC 3339 time, or 2h, 7d "
                  "ago")
      ->type_name("WHEN")
      ->needs(backfill);
  sub->add_option("--share", c.share,
                  "With --backfill: how much of the time it may work, so that "
                  "ingest is not slowed beyond that")
      ->check(CLI::Range(0.01, 1.0))
      ->capture_default_str()
      ->needs(backfill);
  sub->footer("Examples:\n"
              "  eventweft correlate --explain "
              "01970000-0000-7000-8000-000000000000\n"
              "  eventweft correlate --backfill --since 30d --share 0.5");
  sub->callback([&commands, settings, start] {
    start([&commands, settings](console& io) {
      const auto load = settings();
      return load ? correlate(commands.correlate, *load, io)
                  : report(load.error(), io);
    });
  });
}

} // namespace eventweft::cli
