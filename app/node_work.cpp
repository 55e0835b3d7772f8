// SPDX-License-Identifier: Apache-2.0
#include "app/node_work.hpp"

#include "actors/outgoing/sender_parts.hpp"

namespace eventweft {

std::vector<std::string> work_of_node(const subscriptions_options& delivering,
                                      const retention_policy& policy) {
  std::vector<std::string> out{"metrics"};
  if (!policy.keeps_all())
    out.emplace_back("retention");
  if (delivering.deliver)
    for (const auto type : delivering.types)
      out.push_back(work_kind_of(type));
  return out;
}

} // namespace eventweft
