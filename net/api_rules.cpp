// SPDX-License-Identifier: Apache-2.0
#include "net/api_rules.hpp"

#include "codec/rule_json.hpp"
#include "net/answers.hpp"
#include "net/ports/rules.hpp"

#include <utility>

namespace eventweft::net {

namespace {

/// No rule needs more to be said about it.
constexpr size_t max_rule_bytes = 256u << 10;

response list_rules(const rules_port& port, const query_params& params) {
  const auto page = read_name_page(params);
  if (!page)
    return problem_answer(page.error());
  auto all = port.rules();
  const bool more = cut_page(all, *page, [](const auto& r) { return r.name; });
  return json_answer(200, codec::rules_json(all, more));
}

awaitable<response> put_rule(const api_call& call, rules_port& port) {
  if (call.req.body().size() > max_rule_bytes)
    co_return problem_answer({ec::too_large, "the body is too large"});
  auto wanted = codec::parse_rule_request(call.match.argument, call.req.body());
  if (!wanted)
    co_return problem_answer(wanted.error());
  const auto start = [&](reply_to<set_rule> reply) {
    port.set(std::move(*wanted), std::move(reply));
  };
  const auto done = co_await call.ask.call<set_rule>(start);
  if (!done)
    co_return problem_answer(done.error());
  auto answer =
      json_answer(done->is_new ? 201 : 200, codec::rule_json(done->rule));
  if (done->is_new)
    answer.set(http::field::location,
               "/api/v1/correlation-rules/" + done->rule.name);
  co_return answer;
}

awaitable<response> drop_rule(const api_call& call, rules_port& port) {
  const auto start = [&](reply_to<bool> reply) {
    port.drop(call.match.argument, std::move(reply));
  };
  const auto gone = co_await call.ask.call<bool>(start);
  if (!gone)
    co_return problem_answer(gone.error());
  co_return text_answer(204, {}, {});
}

} // namespace

bool is_rules_call(endpoint target) noexcept {
  return target == endpoint::list_rules || target == endpoint::put_rule ||
         target == endpoint::drop_rule;
}

awaitable<response> answer_rules_call(const api_call& call,
                                      const query_params& params) {
  auto* port = call.shared.behind.rules();
  if (port == nullptr)
    co_return problem_answer(
        {ec::not_found, "this server reads no correlation keys"});
  const auto target = call.match.found->target;
  if (target == endpoint::list_rules)
    co_return list_rules(*port, params);
  if (const auto nothing = read_nothing(params); !nothing)
    co_return problem_answer(nothing.error());
  if (target == endpoint::put_rule)
    co_return co_await put_rule(call, *port);
  co_return co_await drop_rule(call, *port);
}

} // namespace eventweft::net
