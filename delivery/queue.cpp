// SPDX-License-Identifier: Apache-2.0
#include "delivery/queue.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::delivery {

namespace {

// What never left is not tried again at once: the reason is likely still
// there.
constexpr std::chrono::seconds put_back_pause{1};

breaker breaker_of(const breaker_options& options, const endpoint_health& h,
                   timestamp now) {
  if (h.open_until == timestamp{})
    return breaker{options};
  const auto open_for = std::max(h.open_for, options.open_min);
  return breaker{options, std::min(h.open_until, now + open_for), open_for};
}

} // namespace

delivery_queue::delivery_queue(queue_options options, progress_mark from,
                               timestamp now, random_source& random)
    : options_(std::move(options)),
      random_(random),
      progress_(from, options_.max_unfinished),
      breaker_(breaker_of(options_.breaker, from.endpoint, now)),
      rate_(options_.rate_per_second),
      paused_until_(std::min(from.endpoint.paused_until,
                             now + std::max(options_.schedule.max_retry_after,
                                            options_.throttle_max))),
      next_throttle_(options_.throttle_min) {
  if (options_.ordered)
    options_.max_concurrent = 1;
  progress_.bring_near(now, options_.schedule.longest_pause());
  fill_lanes();
}

void delivery_queue::fill_lanes() {
  lanes_ = lanes{};
  for (const auto& [seq, u] : progress_.open())
    if (!flights_.contains(seq))
      wait_again(u);
}

void delivery_queue::limit(const queue_options& wanted) {
  options_.ordered = wanted.ordered;
  options_.max_concurrent = wanted.ordered ? 1 : wanted.max_concurrent;
  if (options_.rate_per_second != wanted.rate_per_second) {
    options_.rate_per_second = wanted.rate_per_second;
    rate_ = rate_limit{wanted.rate_per_second};
  }
  fill_lanes();
}

void delivery_queue::wait_again(const unfinished& u) {
  // In ordered mode the open events by seq are the queue.
  if (options_.ordered)
    return;
  if (u.attempts == 0)
    lanes_.add_first(u.seq);
  else
    lanes_.add_retry(u.seq, u.due);
}

bool delivery_queue::accept(seq_t seq, timestamp now) {
  if (!progress_.take_up(seq, now))
    return false;
  wait_again(*progress_.find(seq));
  return true;
}

bool delivery_queue::accept_again(seq_t seq, timestamp now) {
  if (!progress_.reopen(seq, now))
    return false;
  wait_again(*progress_.find(seq));
  return true;
}

void delivery_queue::forget(seq_t seq) {
  auto* const u = progress_.find(seq);
  if (u == nullptr)
    return;
  if (const auto it = flights_.find(seq); it != flights_.end()) {
    breaker_.abandoned(it->second.probe);
    retries_under_way_ -= it->second.retry ? 1 : 0;
    flights_.erase(it);
  } else if (!options_.ordered) {
    lanes_.remove(seq, u->due);
  }
  progress_.finish(seq);
}

const unfinished* delivery_queue::head() const noexcept {
  const auto& open = progress_.open();
  return open.empty() ? nullptr : &open.begin()->second;
}

bool delivery_queue::may_start(timestamp now) const noexcept {
  return !disabled_ && flights_.size() < options_.max_concurrent &&
         now >= paused_until_ && breaker_.permits(now);
}

bool delivery_queue::is_away(timestamp now) const noexcept {
  return now < paused_until_ || breaker_.at(now) == breaker::state::open;
}

timestamp delivery_queue::overdue_at(const unfinished& u) const noexcept {
  return std::max(u.since + options_.schedule.max_age, u.due);
}

bool delivery_queue::retries_allowed() const noexcept {
  return retries_under_way_ < std::max<size_t>(1, options_.max_concurrent / 2);
}

std::optional<lanes::turn> delivery_queue::next_turn(timestamp now) {
  if (!options_.ordered)
    return lanes_.take(now, retries_allowed());
  const auto* const first = head();
  if (first == nullptr || first->due > now)
    return std::nullopt;
  return lanes::turn{first->seq, first->attempts > 0};
}

std::vector<attempt> delivery_queue::take(timestamp now) {
  std::vector<attempt> out;
  // Not to be written down for ever.
  if (paused_until_ <= now)
    paused_until_ = {};
  while (may_start(now) && rate_.next(now) <= now) {
    const auto turn = next_turn(now);
    if (!turn)
      break;
    rate_.take(now);
    const bool probe = breaker_.started(now);
    flights_.emplace(turn->seq, flight{turn->retry, probe});
    retries_under_way_ += turn->retry ? 1 : 0;
    out.push_back({turn->seq, progress_.find(turn->seq)->attempts + 1});
  }
  return out;
}

decision delivery_queue::finish(seq_t seq, const verdict& v, timestamp now) {
  const auto it = flights_.find(seq);
  auto* const u = progress_.find(seq);
  if (it == flights_.end() || u == nullptr)
    return {decision::kind::put_back, now, 0};
  const auto ended = it->second;
  flights_.erase(it);
  retries_under_way_ -= ended.retry ? 1 : 0;
  note_health(v, ended.probe, now);

  if (v.outcome == outcome::not_sent) {
    u->due = now + put_back_pause;
    if (!options_.ordered)
      lanes_.add_retry(seq, u->due);
    return {decision::kind::put_back, u->due, u->attempts};
  }
  ++u->attempts;
  const auto attempts = u->attempts;
  switch (v.outcome) {
  case outcome::delivered:
    progress_.finish(seq);
    return {decision::kind::done, now, attempts};
  case outcome::gone:
    disabled_ = true;
    u->due = now;
    wait_again(*u);
    return {decision::kind::disabled, now, attempts};
  default:
    return try_again(*u, v, now);
  }
}

decision delivery_queue::try_again(unfinished& u, const verdict& v,
                                   timestamp now) {
  const auto attempts = u.attempts;
  const auto pause =
      options_.schedule.pause_after(attempts, random_, v.retry_after);
  if (!pause) {
    progress_.finish(u.seq);
    return {decision::kind::give_up, now, attempts};
  }
  u.due = now + *pause;
  wait_again(u);
  // The endpoint may be left in peace for longer than this event is.
  auto due = std::max(u.due, paused_until_);
  if (breaker_.at(now) == breaker::state::open)
    due = std::max(due, *breaker_.opens_until());
  return {decision::kind::retry, due, attempts};
}

void delivery_queue::note_health(const verdict& v, bool probe, timestamp now) {
  switch (v.outcome) {
  case outcome::delivered:
    breaker_.succeeded();
    next_throttle_ = options_.throttle_min;
    return;
  case outcome::not_sent:
  case outcome::gone:
    breaker_.abandoned(probe);
    return;
  case outcome::throttled: {
    const auto pause =
        v.retry_after
            ? std::min(*v.retry_after, options_.schedule.max_retry_after)
            : next_throttle_;
    paused_until_ = std::max(paused_until_, now + pause);
    next_throttle_ = std::min(next_throttle_ * 2, options_.throttle_max);
    // Who says 429 is up; 502 and its like come from what stands before one
    // that may not be.
    if (v.status == 429)
      breaker_.succeeded();
    else
      breaker_.failed(now, probe);
    return;
  }
  case outcome::failed:
    breaker_.failed(now, probe);
    return;
  }
}

std::vector<unfinished> delivery_queue::give_up_overdue(timestamp now) {
  std::vector<unfinished> out;
  // What waits for its turn at an endpoint that is there will have it.
  if (!is_away(now))
    return out;
  for (const auto& [seq, u] : progress_.open()) {
    // Not all are taken up in seq order: a replay takes up what is old.
    if (overdue_at(u) <= now && !flights_.contains(seq))
      out.push_back(u);
    if (options_.ordered)
      break;
  }
  for (const auto& u : out) {
    lanes_.remove(u.seq, u.due);
    progress_.finish(u.seq);
  }
  return out;
}

std::optional<timestamp> delivery_queue::wake_at(timestamp now) const {
  std::optional<timestamp> out;
  if (const auto* const first = head();
      first != nullptr && is_away(now) && !flights_.contains(first->seq))
    out = std::max(now, overdue_at(*first));

  const auto state = breaker_.at(now);
  const bool only_an_end_helps =
      disabled_ || flights_.size() >= options_.max_concurrent ||
      (state == breaker::state::half_open && !breaker_.permits(now));
  if (only_an_end_helps)
    return out;
  std::optional<timestamp> next;
  if (!options_.ordered)
    next = lanes_.next(now, retries_allowed());
  else if (const auto* const first = head())
    next = std::max(now, first->due);
  if (!next)
    return out;
  next = std::max({*next, paused_until_, rate_.next(now)});
  if (state == breaker::state::open)
    next = std::max(*next, *breaker_.opens_until());
  return out ? std::min(*out, *next) : *next;
}

progress_mark delivery_queue::mark() const {
  auto out = progress_.mark();
  out.endpoint.paused_until = paused_until_;
  if (const auto until = breaker_.opens_until()) {
    out.endpoint.open_until = *until;
    out.endpoint.open_for = breaker_.open_for();
  }
  return out;
}

void delivery_queue::enable() noexcept {
  disabled_ = false;
  paused_until_ = {};
  next_throttle_ = options_.throttle_min;
  breaker_.succeeded();
}

} // namespace eventweft::delivery
