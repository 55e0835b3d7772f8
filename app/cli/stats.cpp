// SPDX-License-Identifier: Apache-2.0
#include "app/cli/action.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "codec/payload.hpp"

#include <algorithm>
#include <optional>

namespace eventweft::cli {

namespace {

using rows = std::vector<std::pair<std::string, std::string>>;

/// A list of objects, from "days", as a table; the members of the first one
/// are its columns.
struct titled_table {
  std::string name;
  std::vector<std::vector<std::string>> lines;
};

std::string cell(simdjson::dom::element value) {
  if (value.is_null())
    return "-";
  std::string scratch;
  const auto text = codec::text_at(value, "", scratch);
  return text ? std::string{*text} : std::string{simdjson::minify(value)};
}

std::optional<titled_table> read_table(const std::string& path,
                                       simdjson::dom::element value) {
  simdjson::dom::array items;
  if (value.get(items))
    return std::nullopt;
  titled_table out{path, {}};
  for (const auto item : items) {
    simdjson::dom::object members;
    if (item.get(members))
      return std::nullopt;
    if (out.lines.empty()) {
      auto& head = out.lines.emplace_back();
      for (const auto [name, inner] : members)
        head.emplace_back(name);
    }
    auto& line = out.lines.emplace_back();
    for (const auto [name, inner] : members)
      line.push_back(cell(inner));
  }
  return out;
}

/// What the store's tables are of, as `store_report` says.
std::string_view span_of(std::string_view section, std::string_view table) {
  if (section != "stored")
    return {};
  if (table == "days")
    return " of the last 30 days (UTC)";
  if (table == "types")
    return ": the 20 with the most events in 7 days";
  if (table == "sources")
    return " with a name: the 20 with the most events in 7 days";
  if (table == "stages")
    return ": seconds, of the last hour's samples";
  return {};
}

void print_table(const titled_table& t, std::string_view span, console& io) {
  std::vector<size_t> widths;
  for (const auto& line : t.lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], line[i].size());
  }
  io.out << "  " << printable(t.name) << span << '\n';
  for (const auto& line : t.lines) {
    std::string text = "   ";
    for (size_t i = 0; i < line.size(); ++i)
      text += ' ' + printable(line[i]) +
              std::string(widths[i] - line[i].size() + 1, ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    io.out << text << '\n';
  }
}

/// "streaming", {"all_events":{"readers":2}} → "all_events.readers", "2".
void flatten(const std::string& path, simdjson::dom::element value, rows& out,
             std::vector<titled_table>& tables) {
  simdjson::dom::object members;
  if (value.get(members)) {
    if (auto t = read_table(path, value)) {
      if (!t->lines.empty())
        tables.push_back(std::move(*t));
    } else {
      out.emplace_back(path, cell(value));
    }
    return;
  }
  for (const auto [name, inner] : members)
    flatten(path.empty() ? std::string{name} : path + '.' + std::string{name},
            inner, out, tables);
}

} // namespace

int stats(const stats_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  const auto answer = (*client)->send({"GET", "/api/v1/metrics", {}, {}});
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
  simdjson::dom::object sections;
  if (!root || root->get(sections))
    return report({ec::malformed, "the server's answer is not an object"}, io);
  bool first = true;
  for (const auto [name, section] : sections) {
    // No report yet, or a store that gives none.
    if (section.is_null())
      continue;
    rows found;
    std::vector<titled_table> tables;
    flatten({}, section, found, tables);
    size_t width = 0;
    for (const auto& [key, value] : found)
      width = std::max(width, key.size());
    io.out << (first ? "" : "\n") << (io.colour ? "\x1b[1m" : "")
           << printable(name) << (io.colour ? "\x1b[0m" : "") << '\n';
    first = false;
    for (const auto& [key, value] : found)
      io.out << "  " << printable(key) << std::string(width - key.size(), ' ')
             << "  " << printable(value) << '\n';
    for (const auto& t : tables)
      print_table(t, span_of(name, t.name), io);
  }
  return exit_ok;
}

void add_stats(CLI::App& app, runner& run) {
  const auto o = std::make_shared<stats_options>();
  auto* sub =
      add_action(app, run, o, "stats", "Show the server's figures", stats);
  sub->add_flag("--json", o->json, "As the API has them");
  sub->footer("Examples:\n  eventweft stats\n"
              "  eventweft stats --url https://hub.example.org --json");
}

} // namespace eventweft::cli
