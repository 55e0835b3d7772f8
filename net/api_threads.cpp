// SPDX-License-Identifier: Apache-2.0
#include "net/api_threads.hpp"

#include "codec/thread_json.hpp"
#include "net/answers.hpp"
#include "net/ports/threads.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace eventweft::net {

namespace {

struct thread_question {
  thread_query page{};
  std::string key;
};

expected<thread_question> read_thread_question(const query_params& params,
                                               bool of_list) {
  thread_question q;
  q.page.limit = of_list ? 50 : 200;
  const auto once = given_once(params, [of_list](std::string_view name) {
    return of_list && name == "platform";
  });
  if (!once)
    return fail(once.error());
  for (const auto& [name, value] : params) {
    if (name == "limit") {
      const auto limit = read_limit(value);
      if (!limit)
        return fail(limit.error());
      q.page.limit = *limit;
    } else if (name == "cursor") {
      if (!read_number(value, q.page.before) || q.page.before < 1)
        return bad_parameter(name, "must be what next_cursor gave");
    } else if (of_list && (name == "platform" || name == "key")) {
      const auto said = name == "platform"
                            ? read_list(q.page.platforms, name, value)
                            : not_empty(name, value);
      if (!said)
        return fail(said.error());
      if (name == "key")
        q.key = value;
    } else {
      return unknown_parameter(name);
    }
  }
  return q;
}

bool is_wanted(const thread_summary& s, const thread_query& q) {
  return (q.before == 0 || s.last_seq < q.before) &&
         (q.platforms.empty() ||
          std::ranges::find_first_of(s.platforms, q.platforms) !=
              s.platforms.end());
}

response switched_off() {
  return problem_answer({ec::not_found, "this server's store has no threads"});
}

} // namespace

awaitable<response> list_threads(const api_call& call,
                                 const query_params& params) {
  auto q = read_thread_question(params, true);
  if (!q)
    co_return problem_answer(q.error());
  auto* port = call.shared.behind.threads();
  if (!port)
    co_return switched_off();
  const auto limit = q->page.limit;
  // A key leads to one thread, or to none.
  if (!q->key.empty()) {
    const auto start = [&](reply_to<std::optional<thread_story>> reply) {
      port->read(std::move(q->key), 0, 1, std::move(reply));
    };
    auto story = co_await call.ask.call<std::optional<thread_story>>(start);
    if (!story)
      co_return problem_answer(story.error());
    std::vector<thread_summary> found;
    if (*story && is_wanted((*story)->summary, q->page))
      found.push_back(std::move((*story)->summary));
    co_return json_answer(200, codec::threads_json(found, limit));
  }
  const auto start = [&](reply_to<std::vector<thread_summary>> reply) {
    port->recent(std::move(q->page), std::move(reply));
  };
  const auto threads =
      co_await call.ask.call<std::vector<thread_summary>>(start);
  if (!threads)
    co_return problem_answer(threads.error());
  co_return json_answer(200, codec::threads_json(*threads, limit));
}

awaitable<response> get_thread(const api_call& call,
                               const query_params& params) {
  const auto q = read_thread_question(params, false);
  if (!q)
    co_return problem_answer(q.error());
  auto* port = call.shared.behind.threads();
  if (!port)
    co_return switched_off();
  const auto start = [&](reply_to<std::optional<thread_story>> reply) {
    port->read(call.match.argument, q->page.before, q->page.limit,
               std::move(reply));
  };
  const auto story = co_await call.ask.call<std::optional<thread_story>>(start);
  if (!story)
    co_return problem_answer(story.error());
  if (!*story)
    co_return problem_answer(
        {ec::not_found, "no thread has this id, event or key"});
  co_return json_answer(200, codec::story_json(**story));
}

} // namespace eventweft::net
