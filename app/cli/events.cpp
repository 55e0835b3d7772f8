// SPDX-License-Identifier: Apache-2.0
#include "app/cli/action.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "codec/event_json.hpp"
#include "messages/comma_list.hpp"
#include "messages/uuid.hpp"

#include <simdjson.h>

#include <algorithm>
#include <tuple>

namespace eventweft::cli {

namespace {

struct raw_page {
  std::vector<std::string> events;
  std::string next_cursor;
};

/// Cuts a page into its events, byte for byte.
expected<raw_page> cut(const std::string& body) {
  using namespace simdjson;
  const auto bad = [] {
    return fail(ec::malformed, "the server's answer is not a page of events");
  };
  const padded_string text{body};
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object root;
  if (parser.iterate(text).get(document) || document.get_object().get(root))
    return bad();
  raw_page page;
  for (auto member : root) {
    std::string_view name;
    ondemand::value value;
    if (member.unescaped_key().get(name) || member.value().get(value))
      return bad();
    if (name == "next_cursor") {
      std::string_view cursor;
      if (!value.get_string().get(cursor))
        page.next_cursor = cursor;
    } else if (name == "events") {
      ondemand::array list;
      if (value.get_array().get(list))
        return bad();
      for (auto item : list) {
        ondemand::object one;
        std::string_view raw;
        if (item.get_object().get(one) || one.raw_json().get(raw))
          return bad();
        page.events.emplace_back(raw);
      }
    }
  }
  return page;
}

class query_text {
 public:
  void add(std::string_view name, std::string_view value) {
    if (!value.empty())
      add_even_empty(name, value);
  }
  void add_even_empty(std::string_view name, std::string_view value) {
    text_ += text_.empty() ? '?' : '&';
    text_.append(name).append("=").append(url_escaped(value));
  }
  void add(std::string_view name, const std::vector<std::string>& values) {
    for (const auto& value : values)
      add(name, comma_escaped(value));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// What is asked for but for the page; `bad_configuration` if it can't be.
expected<query_text> question_of(const events_options& options) {
  const auto now = system_clock{}.now();
  const auto since = absolute_since(options.select.since, now);
  if (!since)
    return fail(since.error());
  query_text query;
  query.add("platform", options.select.platforms);
  query.add("event_type", options.select.types);
  query.add("source_name", options.select.sources);
  query.add("actor", options.select.actors);
  query.add("correlation_id", options.correlation);
  for (const auto& condition : options.where) {
    const auto equals = condition.find('=');
    if (equals == condition.npos || equals == 0)
      return fail(ec::bad_configuration,
                  "--where " + condition + ": expected NAME=VALUE");
    query.add_even_empty(url_escaped(condition.substr(0, equals)),
                         condition.substr(equals + 1));
  }
  query.add("since", *since);
  for (const auto& [option, name, text] :
       {std::tuple{"--until", "until", &options.until},
        std::tuple{"--processed-since", "processed_since",
                   &options.processed_since},
        std::tuple{"--processed-until", "processed_until",
                   &options.processed_until}}) {
    const auto time = past_time(option, *text, now);
    if (!time)
      return fail(time.error());
    query.add(name, *time);
  }
  query.add("min_duration", options.min_duration);
  query.add("max_duration", options.max_duration);
  query.add("order", options.ascending ? "asc" : "desc");
  return query;
}

std::string refuse_no_seconds(const std::string& text) {
  return parse_seconds(text) ? "" : "must be a number of seconds, 0 or more";
}

void show_details(const event& ev, console& io) {
  const auto row = [&](std::string_view name, const std::string& value) {
    if (value.empty())
      return;
    std::string head{name};
    head.resize(16, ' ');
    io.out << head << printable(value) << '\n';
  };
  row("id", to_string(ev.id));
  row("seq", std::to_string(ev.seq));
  row("event_id", ev.event_id);
  row("platform", ev.platform);
  row("event_type", ev.event_type);
  row("priority", std::string{to_string(ev.priority)});
  row("source", ev.source_name.empty() || ev.source_id.empty()
                    ? ev.source_name + ev.source_id
                    : ev.source_name + " (" + ev.source_id + ')');
  row("actor", ev.actor_name.empty() || ev.actor_id.empty()
                   ? ev.actor_name + ev.actor_id
                   : ev.actor_name + " (" + ev.actor_id + ')');
  row("created_at", to_rfc3339(ev.created_at));
  if (ev.processed_at)
    row("processed_at", to_rfc3339(*ev.processed_at));
  if (ev.correlation_id)
    row("correlation_id", to_string(*ev.correlation_id));
  if (ev.parent_event_id)
    row("parent", to_string(*ev.parent_event_id));
  row("metadata", ev.metadata == "{}" ? "" : ev.metadata);
  io.out << '\n';
  std::string payload{ev.payload.view()};
  // Line ends stay: the payload is shown as it was sent.
  std::string line;
  for (char c : payload) {
    if (c != '\n') {
      line += c;
      continue;
    }
    io.out << printable(line) << '\n';
    line.clear();
  }
  io.out << printable(line) << '\n';
}

int show_one(const events_options& options, http_client& client, console& io) {
  const auto answer =
      client.send({"GET", "/api/v1/events/" + url_escaped(options.id), {}, {}});
  if (!answer)
    return report(answer.error(), io);
  if (answer->status != 200)
    return report({ec::not_found, failure_text(*answer)}, io);
  if (options.select.json) {
    io.out << one_line(answer->body) << '\n';
    return exit_ok;
  }
  const auto ev = codec::parse_native(answer->body);
  if (!ev)
    return report(ev.error(), io);
  show_details(*ev, io);
  return exit_ok;
}

expected<void> show(const std::string& raw, const events_options& options,
                    console& io) {
  if (options.select.json) {
    io.out << one_line(raw) << '\n';
    return {};
  }
  const auto ev = codec::parse_native(raw);
  if (!ev)
    return fail(ev.error());
  io.out << event_line(*ev, {io.colour, true}) << '\n';
  return {};
}

} // namespace

int events(const events_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  if (!options.id.empty())
    return show_one(options, **client, io);
  const auto question = question_of(options);
  if (!question)
    return report(question.error(), io);
  uint64_t left = options.limit;
  std::string cursor;
  do {
    auto query = *question;
    query.add("cursor", cursor);
    // 0 means all there is.
    const auto wanted =
        options.limit == 0 ? largest_page : std::min(left, largest_page);
    query.add("limit", std::to_string(wanted));
    const auto answer =
        (*client)->send({"GET", "/api/v1/events" + query.text(), {}, {}});
    if (!answer)
      return report(answer.error(), io);
    if (answer->status != 200)
      return report({ec::internal, failure_text(*answer)}, io);
    const auto page = cut(answer->body);
    if (!page)
      return report(page.error(), io);
    for (const auto& raw : page->events)
      if (const auto shown = show(raw, options, io); !shown)
        return report(shown.error(), io);
    io.out.flush();
    left -= std::min<uint64_t>(left, page->events.size());
    cursor = page->next_cursor;
  } while (!cursor.empty() && (options.limit == 0 || left > 0) &&
           io.out.good());
  return exit_ok;
}

void add_events(CLI::App& app, runner& run) {
  const auto o = std::make_shared<events_options>();
  auto* sub =
      add_action(app, run, o, "events", "Show stored events, newest first",
                 [](const events_options& options, console& io) {
                   return options.explain.empty() ? events(options, io)
                                                  : explain(options, io);
                 });
  sub->add_option("id", o->id, "Show this one in full");
  add_event_selection(*sub, o->select, false);
  sub->add_option("--since", o->select.since,
                  "From this RFC 3339 time on, since 15m, 2h, 7d ago, after a "
                  "seq, from earliest, or now (what is there by then: "
                  "nothing)")
      ->type_name("WHEN")
      ->check(refuse_empty);
  sub->add_option("--until", o->until, "Before this time")
      ->type_name("WHEN")
      ->check(refuse_empty);
  sub->add_option("--processed-since", o->processed_since,
                  "Only those whose processing was over at this time or later")
      ->type_name("WHEN")
      ->check(refuse_empty);
  sub->add_option("--processed-until", o->processed_until,
                  "Only those whose processing was over before this time")
      ->type_name("WHEN")
      ->check(refuse_empty);
  sub->add_option("--min-duration", o->min_duration,
                  "Only those whose processing took so long or longer")
      ->type_name("SECONDS")
      ->check(refuse_no_seconds);
  sub->add_option("--max-duration", o->max_duration,
                  "Only those whose processing took no longer")
      ->type_name("SECONDS")
      ->check(refuse_no_seconds);
  sub->add_option("--correlation", o->correlation, "Only this thread")
      ->type_name("ID")
      ->check(refuse_empty);
  sub->add_option(
         "--where", o->where,
         "Only those with that: payload.PATH=TEXT, or any field, as in "
         "priority=high; may be repeated")
      ->type_name("NAME=VALUE");
  sub->add_option("--limit", o->limit, "Most events; 0 is all of them")
      ->check(refuse_negative)
      ->capture_default_str();
  sub->add_flag("--asc", o->ascending, "Oldest first");
  auto* explained =
      sub->add_option("--explain", o->explain,
                      "Tell, member by member, what --filter (or --platform, "
                      "--type …) and --stream make of this one; the exit code "
                      "is 1 if it does not match")
          ->type_name("ID");
  sub->add_option("--filter", o->filter, "With --explain: a filter")
      ->type_name("JSON")
      ->needs(explained);
  sub->add_option("--stream", o->stream, "With --explain: a stream's filter")
      ->needs(explained);
  sub->footer("Examples:\n"
              "  eventweft events --explain "
              "01970000-0000-7000-8000-000000000000 --filter "
              "'{\"event_types\":[\"push\"]}'\n"
              "  eventweft events --platform github --since 1h\n"
              "  eventweft events --type push --limit 0 --asc --json\n"
              "  eventweft events --processed-since 1h --min-duration 2.5\n"
              "  eventweft events 01970000-0000-7000-8000-000000000000");
}

} // namespace eventweft::cli
