// SPDX-License-Identifier: Apache-2.0
#include "app/cli/commands.hpp"
#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "codec/payload.hpp"

#include <simdjson.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace eventweft::cli {

namespace {

using simdjson::dom::element;

constexpr size_t member_width = 18;

std::string shown_value(element e) {
  std::string_view text;
  if (!e.get_string().get(text))
    return std::string{text};
  return simdjson::minify(e);
}

/// One line a member: whether it matched, what was asked for, and why not.
void show_members(element part, console& io) {
  simdjson::dom::array members;
  if (part["members"].get_array().get(members))
    return;
  if (members.size() == 0)
    io.out << "  (it matches everything)\n";
  for (auto m : members) {
    element name, wanted, why;
    bool matched = false;
    if (m["member"].get(name) || m["matched"].get_bool().get(matched) ||
        m["wanted"].get(wanted) || m["why"].get(why))
      continue;
    auto head = shown_value(name);
    head.resize(std::max(head.size(), member_width), ' ');
    io.out << (matched ? "  yes  " : "  no   ") << printable(head) << ' '
           << printable(simdjson::minify(wanted));
    if (!matched)
      io.out << ": " << printable(shown_value(why));
    io.out << '\n';
  }
}

} // namespace

int explain(const events_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  const auto filter = stream_filter(options.filter, options.select);
  if (!filter)
    return report(filter.error(), io);
  if (filter->empty() && options.filter.empty() && options.stream.empty())
    return report({ec::bad_configuration,
                   "--explain: give a --filter, a --stream or both"},
                  io);
  std::string target =
      "/api/v1/events/" + url_escaped(options.explain) + "/explain?";
  if (!options.stream.empty())
    target += "stream=" + url_escaped(options.stream) + '&';
  if (!filter->empty() || !options.filter.empty())
    target += "filter=" + url_escaped(filter->empty() ? "{}" : *filter);
  if (target.back() == '&')
    target.pop_back();
  const auto answer = (*client)->send({"GET", target, {}, {}});
  if (!answer)
    return report(answer.error(), io);
  if (answer->status != 200)
    return report({ec::not_found, failure_text(*answer)}, io);
  codec::payload_reader reader;
  const auto root = reader.parse(answer->body);
  bool matched = false;
  if (!root || (*root)["matched"].get_bool().get(matched))
    return report({ec::malformed, "the server's answer is no explanation"}, io);
  if (options.select.json) {
    io.out << one_line(answer->body) << '\n';
    return matched ? exit_ok : exit_failure;
  }
  element part;
  if (!(*root)["stream"].get(part) && !part.is_null()) {
    io.out << "the stream's filter\n";
    show_members(part, io);
  }
  if (!(*root)["filter"].get(part) && !part.is_null()) {
    io.out << "the filter\n";
    show_members(part, io);
  }
  io.out << (matched ? "the event matches\n" : "the event does not match\n");
  return matched ? exit_ok : exit_failure;
}

} // namespace eventweft::cli
