// SPDX-License-Identifier: Apache-2.0
#include "net/api_explain.hpp"

#include "codec/filter.hpp"
#include "codec/filter_explain.hpp"
#include "codec/json_text.hpp"
#include "net/answers.hpp"
#include "net/api_subscriptions.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace eventweft::net {

namespace {

struct question {
  std::optional<filter> own;
  std::string stream;
};

expected<question> read_question(const query_params& params) {
  question q;
  if (const auto once = given_once(params); !once)
    return fail(once.error());
  for (const auto& [name, value] : params) {
    if (name == "filter") {
      auto f = codec::parse_filter(value);
      if (!f)
        return fail(f.error().code,
                    "query parameter \"filter\": " + f.error().message);
      q.own = std::move(*f);
    } else if (name == "stream") {
      q.stream = value;
    } else {
      return unknown_parameter(name);
    }
  }
  if (!q.own && q.stream.empty())
    return fail(ec::malformed, "query parameter \"filter\" or \"stream\" is "
                               "needed: what is the event to be held against?");
  return q;
}

} // namespace

awaitable<response> explain_event(const api_call& call,
                                  const query_params& params) {
  const auto id = uuid::parse(call.match.argument);
  if (!id)
    co_return problem_answer({ec::malformed, "an event's id is a UUID"});
  auto q = read_question(params);
  if (!q)
    co_return problem_answer(q.error());
  const auto visible = co_await find_visible(call, *id);
  if (!visible)
    co_return problem_answer(visible.error());
  const event& ev = **visible;
  // As when a reader connects: keys and former ids lead to threads.
  if (q->own && !q->own->correlation_ids.empty()) {
    auto& ids = q->own->correlation_ids;
    const auto found = co_await resolve_visible(call, ids);
    if (!found)
      co_return problem_answer(found.error());
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto thread = (*found)[i].value_or(uuid{});
      const auto asked = uuid::parse(ids[i]);
      if (!thread.is_nil())
        ids[i] = to_string(thread);
      // Whoever sees a part only must not tell an id that leads nowhere from
      // one that is hidden from them: neither is this event's.
      else if (call.who.forced && asked && asked != ev.correlation_id)
        ids[i] = to_string(uuid{});
    }
  }
  std::optional<filter> of_stream;
  if (!q->stream.empty()) {
    const auto found = co_await find_stream(call, q->stream);
    if (!found)
      co_return problem_answer(found.error());
    auto followed = co_await with_present_threads(call, found->filter);
    if (!followed)
      co_return problem_answer(followed.error());
    of_stream = std::move(*followed);
  }
  bool matched = true;
  const auto part = [&](const std::optional<filter>& f) -> std::string {
    if (!f)
      return "null";
    const auto told = codec::explain(*f, ev);
    matched = matched && told.matched;
    return codec::explanation_json(told);
  };
  const auto stream = part(of_stream);
  const auto own = part(q->own);
  std::string body = R"({"id":)";
  codec::append_quoted(body, to_string(ev.id));
  body += R"(,"seq":)" + std::to_string(ev.seq);
  body += matched ? R"(,"matched":true,"stream":)"
                  : R"(,"matched":false,"stream":)";
  body += stream + R"(,"filter":)" + own + '}';
  co_return json_answer(200, std::move(body));
}

} // namespace eventweft::net
