// SPDX-License-Identifier: Apache-2.0
#include "net/api_cluster.hpp"

#include "net/answers.hpp"
#include "net/ports/cluster.hpp"

#include <utility>

namespace eventweft::net {

awaitable<response> answer_cluster(const api_call& call) {
  auto* port = call.shared.behind.cluster();
  if (!port)
    co_return problem_answer(
        {ec::not_found, "this node is no part of a cluster"});
  const bool drain = call.match.found->target == endpoint::drain_cluster;
  const auto start = [&](reply_to<std::string> reply) {
    if (drain)
      port->drain(std::move(reply));
    else
      port->status(std::move(reply));
  };
  auto body = co_await call.ask.call<std::string>(start);
  if (!body)
    co_return problem_answer(body.error());
  co_return json_answer(drain ? 202 : 200, std::move(*body));
}

} // namespace eventweft::net
