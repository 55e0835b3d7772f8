// SPDX-License-Identifier: Apache-2.0
#include "app/cli/selection.hpp"

#include "codec/filter.hpp"
#include "messages/comma_list.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace eventweft::cli {

std::string absolute_time(std::string_view text, timestamp now) {
  using namespace std::chrono;
  std::string unchanged{text};
  if (text.size() < 2)
    return unchanged;
  seconds unit{};
  switch (text.back()) {
  case 's':
    unit = seconds{1};
    break;
  case 'm':
    unit = minutes{1};
    break;
  case 'h':
    unit = hours{1};
    break;
  case 'd':
    unit = hours{24};
    break;
  default:
    return unchanged;
  }
  uint32_t amount = 0;
  const auto* end = text.data() + text.size() - 1;
  const auto [stop, fault] = std::from_chars(text.data(), end, amount);
  if (fault != std::errc{} || stop != end)
    return unchanged;
  const auto back = unit * static_cast<int64_t>(amount);
  const auto age = floor<seconds>(now.time_since_epoch());
  return to_rfc3339(age > back ? now - back : timestamp{});
}

expected<std::string> past_time(std::string_view option, std::string_view text,
                                timestamp now) {
  auto time = absolute_time(text, now);
  if (!time.empty() && !parse_rfc3339(time))
    return fail(ec::bad_configuration,
                std::string{option} +
                    ": expected an RFC 3339 time, or 90s, 15m, 2h, 7d, found "
                    "\"" +
                    std::string{text} + '"');
  return time;
}

expected<std::string> absolute_since(std::string_view text, timestamp now) {
  auto since = absolute_time(text, now);
  if (const auto start = codec::parse_since(since); !start)
    return fail(ec::bad_configuration,
                "--since: expected now, earliest, a seq, an RFC 3339 time, or "
                "15m, 2h, 7d, found \"" +
                    std::string{text} + '"');
  return since;
}

expected<std::string> stream_filter(std::string_view filter,
                                    const selection& select) {
  eventweft::filter f;
  if (!filter.empty()) {
    auto parsed = codec::parse_filter(filter);
    if (!parsed)
      return fail(ec::bad_configuration, "--filter: " + parsed.error().message);
    f = std::move(*parsed);
  }
  const auto merge =
      [](std::vector<std::string>& into, const std::vector<std::string>& more,
         std::string_view flag, std::string_view member) -> expected<void> {
    if (!into.empty() && !more.empty())
      return fail(ec::bad_configuration,
                  std::string{flag} + ": the filter has \"" +
                      std::string{member} + "\" already");
    into.insert(into.end(), more.begin(), more.end());
    return {};
  };
  auto done = merge(f.platforms, select.platforms, "--platform", "platforms");
  if (done)
    done = merge(f.event_types, select.types, "--type", "event_types");
  if (done)
    done = merge(f.source_names, select.sources, "--source", "source_names");
  if (done)
    done = merge(f.actor_ids, select.actors, "--actor", "actor_ids");
  if (!done)
    return fail(done.error());
  return f.empty() ? std::string{} : codec::filter_json(f);
}

expected<void> add_filter(json_body& body, const std::string& filter) {
  if (filter.empty())
    return {};
  if (auto read = codec::parse_kept_filter(filter); !read)
    return fail(ec::bad_configuration, "--filter: " + read.error().message);
  body.raw("filter", filter);
  return {};
}

std::string refuse_empty(const std::string& text) {
  return text.empty() ? "must not be empty" : std::string{};
}

void add_event_selection(CLI::App& app, selection& s, bool of_stream) {
  const auto add = [&app](const char* name, std::vector<std::string>& list,
                          const char* help) {
    app.add_option_function<std::vector<std::string>>(
           name,
           [&list](const std::vector<std::string>& given) {
             list.clear();
             for (const auto& one : given)
               std::ranges::move(comma_list(one), std::back_inserter(list));
           },
           help)
        ->check([](const std::string& text) {
          return comma_list(text).empty() ? refuse_empty({}) : std::string{};
        })
        ->allow_extra_args(false);
  };
  add("--platform", s.platforms,
      "Only these, separated by commas, as in the three that follow; \\, is a "
      "comma within one");
  add("--type", s.types,
      of_stream ? "Only these event types; * is a wildcard, Issue is also "
                  "Issue:create"
                : "Only these event types");
  add("--source", s.sources, "Only these source names");
  add("--actor", s.actors,
      of_stream ? "Only these actor ids" : "Only these actors, by id or name");
  app.add_flag("--json", s.json, "One JSON object a line, as the API has it");
}

int report(const error& e, console& io) {
  io.err << "eventweft: " << e.message << '\n';
  return e.code == ec::bad_configuration ? exit_usage : exit_failure;
}

} // namespace eventweft::cli
