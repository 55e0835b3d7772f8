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
  const auto target = call.match.found->target;
  const auto start = [&](reply_to<std::string> reply) {
    if (target == endpoint::drain_cluster)
      port->drain(std::move(reply));
    else if (target == endpoint::cluster_log_level)
      port->set_log_level(call.match.argument, std::move(reply));
    else
      port->status(std::move(reply));
  };
  auto body = co_await call.ask.call<std::string>(start);
  if (!body)
    co_return problem_answer(body.error());
  co_return json_answer(target == endpoint::drain_cluster ? 202 : 200,
                        std::move(*body));
}

} // namespace eventweft::net
