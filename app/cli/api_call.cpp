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
                 std::string_view done, console& io) {
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
  return exit_ok;
}

int show_list(const connection& server, const std::string& target,
              const char* member, uint64_t limit, bool json, console& io,
              const std::function<void(simdjson::dom::element)>& show) {
  const auto client = connect_to(server);
  if (!client)
    return report(client.error(), io);
  codec::payload_reader reader;
  std::string cursor;
  uint64_t left = limit;
  do {
    auto page = target + "?limit=" +
                std::to_string(limit == 0 ? largest_page
                                          : std::min(left, largest_page));
    if (!cursor.empty())
      page += "&cursor=" + url_escaped(cursor);
    const auto answer = (*client)->send({"GET", page, {}, {}});
    if (!answer)
      return report(answer.error(), io);
    if (answer->status != 200)
      return report({ec::internal, failure_text(*answer)}, io);
    const auto root = reader.parse(answer->body);
    if (!root)
      return report(root.error(), io);
    simdjson::dom::array items;
    if ((*root)[member].get(items))
      return report(
          {ec::malformed, std::string{"the server's answer has no "} + member},
          io);
    for (const auto item : items) {
      if (json)
        io.out << simdjson::minify(item) << '\n';
      else
        show(item);
    }
    left -= std::min<uint64_t>(left, items.size());
    cursor = codec::string_at(*root, "/next_cursor");
  } while (!cursor.empty() && (limit == 0 || left > 0) && io.out.good());
  return exit_ok;
}

std::string shown(simdjson::dom::element e, std::string_view pointer) {
  return printable(codec::string_at(e, pointer));
}

} // namespace eventweft::cli
