// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cluster.hpp"

#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/http_client.hpp"
#include "app/cli/selection.hpp"
#include "codec/payload.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::cli {

namespace {

using namespace std::chrono_literals;
using simdjson::dom::element;
using table = std::vector<std::vector<std::string>>;

std::string text_of(element value) {
  std::string_view text;
  if (!value.get(text))
    return printable(text);
  return printable(std::string{simdjson::minify(value)});
}

std::string member(element object, const char* name) {
  element value;
  return object[name].get(value) || value.is_null() ? "-" : text_of(value);
}

void show(const table& rows, console& io) {
  std::vector<size_t> widths;
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i)
        widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i)
      io.out << row[i]
             << (i + 1 < row.size()
                     ? std::string(widths[i] - row[i].size() + 2, ' ')
                     : "\n");
  }
}

struct link_cells {
  /// With its round trip.
  std::string state = "-";
  /// How many events the peer lacks.
  std::string behind = "-";
  std::string events = "-";
};

link_cells link_of(element node) {
  element link;
  if (node["link"].get(link) || link.is_null())
    return {};
  const auto trip = member(link, "round_trip_ms");
  return {member(link, "state") +
              (trip == "-" ? "" : " (" + trip.substr(0, 5) + " ms)"),
          member(link, "behind"), member(link, "events")};
}

void show_status(element root, console& io) {
  simdjson::dom::array nodes, owners;
  table rows{{"NODE", "STATE", "ALIVE", "HTTP", "LINK", "BEHIND", "EVENTS",
              "VERSION"}};
  const auto own = member(root, "node");
  if (!root["nodes"].get(nodes))
    for (const auto n : nodes) {
      const auto name = member(n, "name");
      // What it last said of itself holds no longer once it is silent.
      const bool lost =
          member(n, "alive") == "false" && member(n, "state") == "up";
      auto link = link_of(n);
      rows.push_back({name == own ? name + " (this)" : name,
                      lost ? "lost" : member(n, "state"), member(n, "alive"),
                      member(n, "http"), std::move(link.state),
                      std::move(link.behind), std::move(link.events),
                      member(n, "version")});
    }
  show(rows, io);
  rows = {{"WORK", "OWNER", "TOKEN", "ENDS IN (MS)"}};
  if (!root["owners"].get(owners))
    for (const auto o : owners)
      rows.push_back({member(o, "work"), member(o, "owner"), member(o, "token"),
                      member(o, "ends_in_ms")});
  io.out << '\n';
  show(rows, io);
  if (const auto appender = member(root, "appender"); appender != "-")
    io.out << "\nWhere several nodes write, " << appender
           << " appends for all.\n";
}

/// Whether that node has left the cluster, as it says itself or whichever node
/// a load balancer has chosen.
bool has_left(element root, const std::string& node) {
  if (member(root, "node") == node)
    return member(root, "left") == "true";
  simdjson::dom::array nodes;
  if (root["nodes"].get(nodes))
    return false;
  return std::ranges::any_of(nodes, [&node](element n) {
    return member(n, "name") == node && member(n, "state") == "left";
  });
}

expected<std::string> ask(http_client& client, const char* method,
                          const char* path) {
  const auto answer = client.send({method, path, {}, {}});
  if (!answer)
    return fail(answer.error());
  if (answer->status != 200 && answer->status != 202)
    return fail(ec::internal, failure_text(*answer));
  return answer->body;
}

} // namespace

int cluster_status(const cluster_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  const auto body = ask(**client, "GET", "/api/v1/cluster");
  if (!body)
    return report(body.error(), io);
  if (options.json) {
    io.out << one_line(*body) << '\n';
    return exit_ok;
  }
  codec::payload_reader reader;
  const auto root = reader.parse(*body);
  if (!root)
    return report({ec::malformed, "the server's answer is no JSON"}, io);
  show_status(*root, io);
  return exit_ok;
}

int cluster_drain(const cluster_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  (*client)->stop_on_signals();
  auto body = ask(**client, "POST", "/api/v1/cluster/drain");
  std::string name;
  const auto end =
      std::chrono::steady_clock::now() +
      std::chrono::milliseconds{static_cast<int64_t>(options.wait * 1'000)};
  for (;;) {
    if (!body)
      return report(body.error(), io);
    codec::payload_reader reader;
    const auto root = reader.parse(*body);
    if (!root)
      return report({ec::malformed, "the server's answer is no JSON"}, io);
    // Whoever was asked first is the one that is drained.
    if (name.empty())
      name = member(*root, "node");
    if (has_left(*root, name)) {
      io.out << name << " is drained; it can be stopped\n";
      return exit_ok;
    }
    if (options.wait <= 0) {
      io.out << name << " is being drained\n";
      return exit_ok;
    }
    if (std::chrono::steady_clock::now() >= end) {
      auto why = name + " is still being drained";
      const auto left = member(*root, "node") == name ? member(*root, "spooled")
                                                      : std::string{"-"};
      if (left != "-" && left != "0")
        why += "; " + left + " events are in its spool, and only there";
      else
        why += "; the drain goes on, and ends once the database has it";
      return report({ec::timed_out, std::move(why)}, io);
    }
    if (!(*client)->pause(200ms))
      return report({ec::shutting_down, "stopped; the drain goes on"}, io);
    body = ask(**client, "GET", "/api/v1/cluster");
  }
}

int cluster_log_level(const cluster_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  const auto path = "/api/v1/cluster/log-level/" + url_escaped(options.level);
  const auto body = ask(**client, "POST", path.c_str());
  if (!body)
    return report(body.error(), io);
  io.out << "the log level of all nodes is " << options.level << " now\n";
  return exit_ok;
}

void add_cluster(CLI::App& app, std::function<int(console&)>& action) {
  auto* sub = app.add_subcommand("cluster", "Look at several nodes, drain one");
  sub->require_subcommand(1);
  const auto add = [&](const char* name, const char* help,
                       int (*run)(const cluster_options&, console&)) {
    auto* one = sub->add_subcommand(name, help);
    auto options = std::make_shared<cluster_options>();
    add_connection(*one, options->server);
    one->callback([&action, options, run] {
      action = [options, run](console& io) { return run(*options, io); };
    });
    return std::pair{one, options};
  };
  const auto [status, shown] =
      add("status", "Nodes, links and who owns what", cluster_status);
  status->add_flag("--json", shown->json, "As the API has it");
  const auto [drain, drained] =
      add("drain", "Hand over all that a node does, so that it can be stopped",
          cluster_drain);
  drain
      ->add_option("--wait", drained->wait,
                   "Seconds until it must be done; 0 does not wait")
      ->capture_default_str();
  const auto [level, leveled] =
      add("log-level", "Set the log level of all nodes until they restart",
          cluster_log_level);
  level
      ->add_option("LEVEL", leveled->level,
                   "trace, debug, info, warn, error or off")
      ->required();
  sub->footer("Examples:\n  eventweft cluster status\n"
              "  eventweft cluster log-level debug\n"
              "  eventweft cluster drain --url http://node-2:8080");
}

} // namespace eventweft::cli
