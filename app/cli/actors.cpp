// SPDX-License-Identifier: Apache-2.0
#include "app/cli/action.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"

#include <algorithm>
#include <map>

namespace eventweft::cli {

namespace {

using simdjson::dom::element;

/// The members of the array at `pointer`; none if there is no such array.
std::vector<element> items(element root, std::string_view pointer) {
  std::vector<element> out;
  simdjson::dom::array array;
  if (!root.at_pointer(pointer).get_array().get(array))
    for (const auto item : array)
      out.push_back(item);
  return out;
}

std::string text(element item, std::string_view pointer) {
  return printable(codec::string_at(item, pointer));
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

/// Of the same name, and nothing to tell them apart by but since when.
bool alike(element a, element b) {
  for (const auto* what : {"/name", "/state", "/restarts", "/last_error"})
    if (text(a, what) != text(b, what))
      return false;
  return true;
}

/// `count` of them.
void show_tree(element actor, size_t count, const std::string& indent,
               console& io) {
  const auto state = text(actor, "/state");
  const bool bad = state != "running" && io.colour;
  const auto times = count > 1 ? " x" + std::to_string(count) : std::string{};
  io.out << padded(indent + text(actor, "/name") + times, 36) << "  "
         << (bad ? "\x1b[31m" : "") << padded(state, 10)
         << (bad ? "\x1b[0m" : "") << "  "
         << padded(text(actor, "/restarts"), 8) << "  "
         << padded(text(actor, "/since").substr(0, 19), 19) << "  "
         << text(actor, "/last_error") << '\n';
  const auto children = items(actor, "/children");
  for (auto first = children.begin(); first != children.end();) {
    const auto next = std::find_if(
        first, children.end(), [&](element x) { return !alike(*first, x); });
    show_tree(*first, static_cast<size_t>(next - first), indent + "  ", io);
    first = next;
  }
}

void show(element root, console& io) {
  const auto head = [&io](std::string_view line) {
    io.out << (io.colour ? "\x1b[1m" : "") << line
           << (io.colour ? "\x1b[0m" : "") << '\n';
  };
  head(padded("ACTOR", 36) +
       "  STATE       RESTARTS  SINCE                LAST ERROR");
  for (const auto actor : items(root, "/actors"))
    show_tree(actor, 1, "", io);
  io.out << '\n';
  head("MAILBOX                   MESSAGES");
  for (const auto box : items(root, "/mailboxes"))
    io.out << padded(text(box, "/name"), 24) << "  " << text(box, "/messages")
           << '\n';
  io.out << '\n';
  head("QUEUE                     DEPTH     LIMIT     CREDIT");
  for (const auto queue : items(root, "/queues"))
    io.out << padded(text(queue, "/name"), 24) << "  "
           << padded(text(queue, "/depth"), 8) << "  "
           << padded(text(queue, "/limit"), 8) << "  " << text(queue, "/credit")
           << '\n';
}

/// Shows the answer's levels.
int show_levels(const http_response& answer, console& io) {
  codec::payload_reader reader;
  const auto root = reader.parse(answer.body);
  if (!root)
    return report(root.error(), io);
  for (const auto item : items(*root, "/log_levels"))
    io.out << padded(text(item, "/component"), 24) << "  "
           << text(item, "/level") << '\n';
  return exit_ok;
}

} // namespace

int actors(const actors_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  const auto answer = (*client)->send({"GET", "/api/v1/actors", {}, {}});
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
  show(*root, io);
  return exit_ok;
}

int log_level(const log_level_options& options, console& io) {
  if (options.component.empty() != options.level.empty())
    return report({ec::bad_configuration,
                   "log-level takes a component and a level, or neither"},
                  io);
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  http_request request{"GET", "/api/v1/log-level", {}, {}};
  if (!options.level.empty()) {
    request.method = "PUT";
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = "{\"component\":";
    codec::append_quoted(request.body, options.component);
    request.body += ",\"level\":";
    codec::append_quoted(request.body, options.level);
    request.body += '}';
  }
  const auto answer = (*client)->send(request);
  if (!answer)
    return report(answer.error(), io);
  if (answer->status != 200)
    return report({ec::internal, failure_text(*answer)}, io);
  return show_levels(*answer, io);
}

void add_actors(CLI::App& app, runner& run) {
  const auto o = std::make_shared<actors_options>();
  auto* sub =
      add_action(app, run, o, "actors",
                 "Show the server's parts: states, restarts, queues", actors);
  sub->add_flag("--json", o->json, "As the API has them");
  sub->footer("Examples:\n  eventweft actors\n  eventweft actors --json");
}

void add_log_level(CLI::App& app, runner& run) {
  const auto o = std::make_shared<log_level_options>();
  auto* sub =
      add_action(app, run, o, "log-level",
                 "Show or change what the server's parts log, at run time; of "
                 "several nodes, a change reaches all",
                 log_level);
  sub->add_option("component", o->component,
                  "A part, such as stream_hub, or * for all of them");
  sub->add_option("level", o->level, "trace, debug, info, warn, error or off");
  sub->footer("Examples:\n  eventweft log-level\n"
              "  eventweft log-level platform_worker debug\n"
              "  eventweft log-level '*' info");
}

} // namespace eventweft::cli
