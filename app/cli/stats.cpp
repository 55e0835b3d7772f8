// SPDX-License-Identifier: Apache-2.0
#include "app/cli/commands.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "codec/payload.hpp"

#include <algorithm>

namespace eventweft::cli {

namespace {

using rows = std::vector<std::pair<std::string, std::string>>;

/// "streaming", {"all_events":{"readers":2}} → "all_events.readers", "2".
void flatten(const std::string& path, simdjson::dom::element value, rows& out) {
  simdjson::dom::object members;
  if (value.get(members)) {
    std::string scratch;
    const auto text = codec::text_at(value, "", scratch);
    out.emplace_back(path, text ? std::string{*text}
                                : std::string{simdjson::minify(value)});
    return;
  }
  for (const auto [name, inner] : members)
    flatten(path.empty() ? std::string{name} : path + '.' + std::string{name},
            inner, out);
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
    rows found;
    flatten({}, section, found);
    size_t width = 0;
    for (const auto& [key, value] : found)
      width = std::max(width, key.size());
    io.out << (first ? "" : "\n") << (io.colour ? "\x1b[1m" : "")
           << printable(name) << (io.colour ? "\x1b[0m" : "") << '\n';
    first = false;
    for (const auto& [key, value] : found)
      io.out << "  " << printable(key) << std::string(width - key.size(), ' ')
             << "  " << printable(value) << '\n';
  }
  return exit_ok;
}

} // namespace eventweft::cli
