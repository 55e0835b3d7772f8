// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/idle_pool.hpp"

#include <iterator>
#include <utility>

namespace eventweft::outgoing {

connection_ptr idle_pool::take(const origin& to, deadline now) {
  expire(now);
  for (auto it = idle_.end(); it != idle_.begin();) {
    --it;
    if (it->open->peer != to)
      continue;
    auto found = std::move(it->open);
    it = idle_.erase(it);
    if (found->looks_alive())
      return found;
  }
  return nullptr;
}

void idle_pool::put(connection_ptr c, deadline now) {
  if (limits_.total == 0 || limits_.per_origin == 0)
    return;
  size_t same = 0;
  auto oldest_same = idle_.end();
  for (auto it = idle_.begin(); it != idle_.end(); ++it)
    if (it->open->peer == c->peer && same++ == 0)
      oldest_same = it;
  if (same >= limits_.per_origin)
    idle_.erase(oldest_same);
  else if (idle_.size() >= limits_.total)
    idle_.pop_front();
  idle_.push_back({std::move(c), now});
}

void idle_pool::expire(deadline now) {
  while (!idle_.empty() && now - idle_.front().since >= limits_.max_age)
    idle_.pop_front();
}

} // namespace eventweft::outgoing
