// SPDX-License-Identifier: Apache-2.0
#include "app/cli/api_call.hpp"

#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "codec/payload.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::cli {

http_request with_body(std::string method, std::string target,
                       std::string body) {
  return {std::move(method),
          std::move(target),
          {{"content-type", "application/json"}},
          std::move(body)};
}

int ask_and_show(const connection& server, const http_request& request,
                 std::string_view done, console& io,
                 const std::function<bool(simdjson::dom::element)>& worked) {
  const auto client = connect_to(server);
  if (!client)
    return report(client.error(), io);
  const auto answer = (*client)->send(request);
  if (!answer)
    return report(answer.error(), io);
  if (answer->status < 200 || answer->status >= 300)
    return report({ec::internal, failure_text(*answer)}, io);
  if (answer->body.empty())
    io.out << done << '\n';
  else
    io.out << printable(one_line(answer->body)) << '\n';
  if (!worked)
    return exit_ok;
  codec::payload_reader reader;
  const auto root = reader.parse(answer->body);
  return root && worked(*root) ? exit_ok : exit_failure;
}

int delete_each(const connection& server, const std::vector<std::string>& names,
                const std::function<std::string(std::string_view)>& path_of,
                console& io) {
  const auto client = connect_to(server);
  if (!client)
    return report(client.error(), io);
  int code = exit_ok;
  for (const auto& name : names) {
    const auto answer = (*client)->send({"DELETE", path_of(name), {}, {}});
    if (!answer)
      return report(answer.error(), io);
    if (answer->status >= 200 && answer->status < 300)
      io.out << printable(name) << "  deleted\n";
    else
      code = report(
          {ec::internal, printable(name) + ": " + failure_text(*answer)}, io);
  }
  return code;
}

int walk_list(const connection& server, const list_request& what, console& io,
              const std::function<void(simdjson::dom::element)>& take) {
  const auto client = connect_to(server);
  if (!client)
    return report(client.error(), io);
  codec::payload_reader reader;
  std::string cursor;
  uint64_t left = what.limit;
  do {
    const auto wanted = what.limit == 0 ? what.page : std::min(left, what.page);
    auto target =
        what.path + "?limit=" + std::to_string(wanted) + what.selection;
    if (!cursor.empty())
      target += "&cursor=" + url_escaped(cursor);
    const auto answer = (*client)->send({"GET", target, {}, {}});
    if (!answer)
      return report(answer.error(), io);
    if (answer->status != 200)
      return report({ec::internal, failure_text(*answer)}, io);
    const auto root = reader.parse(answer->body);
    if (!root)
      return report(root.error(), io);
    simdjson::dom::array items;
    if ((*root)[what.member].get(items))
      return report(
          {ec::malformed, "the server's answer has no " + what.member}, io);
    for (const auto item : items)
      take(item);
    left -= std::min<uint64_t>(left, items.size());
    cursor = codec::string_at(*root, "/next_cursor");
  } while (!cursor.empty() && (what.limit == 0 || left > 0) && io.out.good());
  return exit_ok;
}

int show_list(const connection& server, const list_request& what, bool json,
              console& io,
              const std::function<void(simdjson::dom::element)>& show) {
  return walk_list(server, what, io, [&](simdjson::dom::element item) {
    if (json)
      io.out << simdjson::minify(item) << '\n';
    else
      show(item);
  });
}

std::string shown(simdjson::dom::element e, std::string_view pointer) {
  return printable(codec::string_at(e, pointer));
}

} // namespace eventweft::cli
