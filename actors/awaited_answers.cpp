// SPDX-License-Identifier: Apache-2.0
#include "actors/awaited_answers.hpp"

#include "actors/caf_compat.hpp"

#include <chrono>
#include <utility>

namespace eventweft {

namespace {

/// Longer than any platform waits.
constexpr std::chrono::seconds answer_patience{60};

} // namespace

void awaited_answers::add(const uuid& event, promise asked, size_t missing,
                          timestamp now) {
  forget(now);
  waiting_.insert_or_assign(
      event, awaited{std::move(asked), missing, now + answer_patience});
}

void awaited_answers::reply(const uuid& event,
                            const std::optional<processing::reply>& r) {
  const auto i = waiting_.find(event);
  if (i == waiting_.end())
    return;
  auto& x = i->second;
  if (r)
    x.asked.deliver(*r);
  else if (--x.missing == 0)
    x.asked.deliver(to_caf(ec::not_found, "nothing to say"));
  else
    return;
  waiting_.erase(i);
}

void awaited_answers::forget(timestamp now) {
  if (now < next_forgetting_)
    return;
  next_forgetting_ = now + std::chrono::seconds{1};
  for (auto i = waiting_.begin(); i != waiting_.end();) {
    if (i->second.until > now) {
      ++i;
      continue;
    }
    i->second.asked.deliver(to_caf(ec::timed_out, "no reply"));
    i = waiting_.erase(i);
  }
}

} // namespace eventweft
