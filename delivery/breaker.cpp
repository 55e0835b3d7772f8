// SPDX-License-Identifier: Apache-2.0
#include "delivery/breaker.hpp"

#include <algorithm>

namespace eventweft::delivery {

breaker::state breaker::at(timestamp now) const noexcept {
  if (!open_until_)
    return state::closed;
  return probing_ || now >= *open_until_ ? state::half_open : state::open;
}

bool breaker::permits(timestamp now) const noexcept {
  const auto s = at(now);
  return s == state::closed || (s == state::half_open && !probing_);
}

bool breaker::started(timestamp now) noexcept {
  const bool probe = at(now) == state::half_open;
  probing_ = probing_ || probe;
  return probe;
}

void breaker::succeeded() noexcept {
  failures_ = 0;
  open_until_.reset();
  open_for_ = {};
  probing_ = false;
}

void breaker::failed(timestamp now, bool probe) noexcept {
  ++failures_;
  if (open_until_) {
    // Requests from before it opened end later and say nothing new.
    if (!probe)
      return;
    probing_ = false;
    open_for_ = std::min(open_for_ * 2, options_.open_max);
  } else if (failures_ >= std::max(1u, options_.failures_to_open)) {
    open_for_ = options_.open_min;
  } else {
    return;
  }
  open_until_ = now + open_for_;
}

void breaker::abandoned(bool probe) noexcept {
  probing_ = probing_ && !probe;
}

std::optional<timestamp> breaker::opens_until() const noexcept {
  return open_until_;
}

std::string_view to_string(breaker::state s) noexcept {
  switch (s) {
  case breaker::state::closed:
    return "closed";
  case breaker::state::open:
    return "open";
  case breaker::state::half_open:
    return "half_open";
  }
  return "closed";
}

} // namespace eventweft::delivery
