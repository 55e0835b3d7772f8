// SPDX-License-Identifier: Apache-2.0
#include "app/cli/commands.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "codec/payload.hpp"

#include <algorithm>

namespace eventweft::cli {

namespace {

constexpr uint64_t largest_page = 1'000;

void show_letter(simdjson::dom::element letter, console& io) {
  const auto text = [&](std::string_view pointer) {
    return printable(codec::string_at(letter, pointer));
  };
  io.out << text("/id") << "  " << text("/created_at").substr(0, 19) << "  "
         << text("/origin") << "  " << text("/platform") << "  "
         << text("/attempts") << "x  " << text("/reason") << '\n';
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
        (*client)->send(ask("/api/v1/dead-letters/" + url_escaped(id)));
    if (!answer)
      return report(answer.error(), io);
    if (answer->status >= 200 && answer->status < 300) {
      io.out << printable(id) << "  "
             << (answer->body.empty() ? "dropped"
                                      : printable(one_line(answer->body)))
             << '\n';
    } else {
      io.err << "eventweft: " << printable(id) << ": "
             << printable(failure_text(*answer)) << '\n';
      code = exit_failure;
    }
  }
  return code;
}

} // namespace

int list_dead_letters(const dead_letter_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  codec::payload_reader reader;
  uint64_t left = options.limit;
  std::string cursor;
  do {
    const auto wanted =
        options.limit == 0 ? largest_page : std::min(left, largest_page);
    std::string target = "/api/v1/dead-letters?limit=" + std::to_string(wanted);
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
    simdjson::dom::array letters;
    if ((*root)["dead_letters"].get(letters))
      return report({ec::malformed, "the server's answer has no dead_letters"},
                    io);
    for (const auto letter : letters) {
      if (options.json)
        io.out << simdjson::minify(letter) << '\n';
      else
        show_letter(letter, io);
    }
    left -= std::min<uint64_t>(left, letters.size());
    cursor = codec::string_at(*root, "/next_cursor");
  } while (!cursor.empty() && (options.limit == 0 || left > 0) &&
           io.out.good());
  return exit_ok;
}

int retry_dead_letters(const dead_letter_options& options, console& io) {
  return for_each_id(options, io, [](const std::string& path) {
    return http_request{"POST", path + "/retry", {}, {}};
  });
}

int drop_dead_letters(const dead_letter_options& options, console& io) {
  return for_each_id(options, io, [](const std::string& path) {
    return http_request{"DELETE", path, {}, {}};
  });
}

} // namespace eventweft::cli
