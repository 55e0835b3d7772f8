// SPDX-License-Identifier: Apache-2.0
#include "persistence/memory/log.hpp"

#include "persistence/memory/match.hpp"

#include <algorithm>

namespace eventweft::memory {

shared_log::shared_log(size_t max_events, size_t max_bytes, memory_hooks hooks)
    : max_events_(max_events),
      max_bytes_(max_bytes),
      hooks_(std::move(hooks)) {}

// -- appending ---------------------------------------------------------------

expected<std::vector<append_result>>
shared_log::append(std::span<const event_ptr> events) {
  std::lock_guard guard{mutex_};
  if (!make_room(events))
    return fail(ec::store_full,
                "the memory that events are kept in is full of those that "
                "processors are not done with");
  std::vector<append_result> out;
  out.reserve(events.size());
  for (const auto& ev : events)
    out.push_back(append_one(*ev));
  // Of a batch that has no room at all the latest stay.
  let_go({max_events_, max_bytes_}, 1);
  return out;
}

std::optional<seq_t> shared_log::known_seq(const event& ev) const {
  const auto known = by_delivery_.find({ev.platform, ev.event_id});
  return known == by_delivery_.end() ? std::nullopt
                                     : std::optional{known->second};
}

append_result shared_log::append_one(const event& ev) {
  append_result out;
  out.outcome.id = ev.id;
  if (const auto known = known_seq(ev)) {
    const auto& first = *place_of(*known)->event;
    out.outcome = {first.id, first.seq, true, false};
    return out;
  }
  if (by_id_.contains(ev.id)) {
    out.refused = error{ec::row_refused, "there is an event of that id"};
    return out;
  }
  event stored = ev;
  stored.seq = ++head_;
  by_id_.emplace(stored.id, stored.seq);
  by_delivery_.emplace(delivery_key{stored.platform, stored.event_id},
                       stored.seq);
  bytes_ += stored.footprint();
  latest_.push_back({event_ptr{std::move(stored)}, {}});
  out.outcome.seq = head_;
  return out;
}

// -- letting go --------------------------------------------------------------

bool shared_log::make_room(std::span<const event_ptr> events) {
  sizes incoming;
  for (const auto& ev : events)
    if (!known_seq(*ev))
      incoming.add(*ev);
  // To answer a redelivery takes none.
  if (incoming.events == 0)
    return true;
  // Not by turns full and not full with each event that is done with.
  const auto usable = [this](size_t most) {
    return full_ ? most - most / 4 : most;
  };
  const sizes most{usable(max_events_), usable(max_bytes_)};
  const auto without = [](size_t all, size_t part) {
    return all - std::min(all, part);
  };
  let_go({without(most.events, incoming.events),
          without(most.bytes, incoming.bytes)},
         0);
  full_ = !held_.empty() && !fits(events, most);
  return !full_;
}

// What nobody wants of them can go again at once.
bool shared_log::fits(std::span<const event_ptr> events,
                      const sizes& most) const {
  auto needed = held_sizes_;
  for (const auto& ev : events)
    if (!known_seq(*ev) && is_wanted(*ev))
      needed.add(*ev);
  return needed.events <= most.events && needed.bytes <= most.bytes;
}

bool shared_log::is_over(const sizes& most) const {
  return held_.size() + latest_.size() > most.events || bytes_ > most.bytes;
}

void shared_log::let_go(const sizes& most, size_t at_least) {
  if (!is_over(most))
    return;
  look_who_runs();
  let_go_of_held(most);
  while (latest_.size() > at_least && is_over(most)) {
    auto oldest = std::move(latest_.front());
    latest_.pop_front();
    if (is_needed(*oldest.event)) {
      held_sizes_.add(*oldest.event);
      const auto seq = oldest.event->seq;
      held_.emplace_hint(held_.end(), seq, std::move(oldest));
    } else {
      forget(*oldest.event);
    }
  }
}

void shared_log::let_go_of_held(const sizes& most) {
  // They were all needed when it was looked last.
  if (!std::exchange(marks_changed_, false))
    return;
  for (auto i = held_.begin(); i != held_.end();) {
    if (is_needed(*i->second.event)) {
      ++i;
      continue;
    }
    if (!is_over(most)) {
      // To be looked at when there is need for it.
      marks_changed_ = true;
      return;
    }
    held_sizes_.remove(*i->second.event);
    forget(*i->second.event);
    i = held_.erase(i);
  }
}

bool shared_log::is_needed(const event& ev) const {
  return std::ranges::any_of(processors_, [&](const auto& one) {
    const auto& [name, p] = one;
    return p.runs && (p.has_in_hand(ev.seq) ||
                      (!p.has_read(ev) && hooks_.wants(name, ev)));
  });
}

bool shared_log::is_wanted(const event& ev) const {
  return std::ranges::any_of(processors_, [&](const auto& one) {
    return one.second.runs && hooks_.wants(one.first, ev);
  });
}

void shared_log::look_who_runs() {
  for (auto& [name, p] : processors_)
    if (const bool runs = hooks_.runs && hooks_.runs(name);
        std::exchange(p.runs, runs) != runs)
      marks_changed_ = true;
}

void shared_log::forget(const event& ev) {
  bytes_ -= ev.footprint();
  by_id_.erase(ev.id);
  by_delivery_.erase({ev.platform, ev.event_id});
}

// -- reading -----------------------------------------------------------------

const shared_log::entry* shared_log::place_of(seq_t seq) const {
  if (const auto i = held_.find(seq); i != held_.end())
    return &i->second;
  if (latest_.empty() || seq < latest_.front().event->seq || seq > head_)
    return nullptr;
  return &latest_[index_after(seq - 1)];
}

shared_log::entry* shared_log::place_of(seq_t seq) {
  return const_cast<entry*>(std::as_const(*this).place_of(seq));
}

size_t shared_log::index_after(seq_t after) const {
  if (latest_.empty() || after < latest_.front().event->seq)
    return 0;
  return std::min(static_cast<size_t>(after - latest_.front().event->seq) + 1,
                  latest_.size());
}

template <class F>
void shared_log::upwards(seq_t after, F f) const {
  for (auto i = held_.upper_bound(after); i != held_.end(); ++i)
    if (!f(i->second.event))
      return;
  for (auto i = index_after(after); i < latest_.size(); ++i)
    if (!f(latest_[i].event))
      return;
}

template <class F>
void shared_log::downwards(seq_t before, F f) const {
  for (auto i = before == 0 ? latest_.size() : index_after(before - 1); i > 0;
       --i)
    if (!f(latest_[i - 1].event))
      return;
  for (auto i = before == 0 ? held_.end() : held_.lower_bound(before);
       i != held_.begin();)
    if (!f((--i)->second.event))
      return;
}

seq_t shared_log::head() const {
  std::lock_guard guard{mutex_};
  return head_;
}

log_range shared_log::read_after(seq_t after, size_t max_events,
                                 size_t max_bytes) const {
  std::lock_guard guard{mutex_};
  log_range out{after + 1, after, {}};
  size_t bytes = 0;
  upwards(after, [&](const event_ptr& ev) {
    bytes += ev->payload.size();
    if (out.events.size() >= max_events ||
        (!out.events.empty() && bytes > max_bytes))
      return false;
    out.events.push_back(ev);
    out.last = ev->seq;
    return true;
  });
  return out;
}

std::optional<event_ptr> shared_log::find(const uuid& id) const {
  std::lock_guard guard{mutex_};
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return std::nullopt;
  return place_of(found->second)->event;
}

event_page shared_log::query(const event_query& q) const {
  std::lock_guard guard{mutex_};
  event_page out;
  uint64_t bytes = 0;
  const auto take = [&](const event_ptr& ev) {
    if (!matches(q, *ev))
      return true;
    if (out.events.size() == q.limit ||
        (!out.events.empty() && bytes >= q.max_bytes)) {
      out.next_cursor = out.events.back()->seq;
      return false;
    }
    out.events.push_back(ev);
    bytes += ev->payload.size();
    return true;
  };
  if (q.ascending)
    upwards(q.cursor, take);
  else
    downwards(q.cursor, take);
  return out;
}

seq_t shared_log::seq_before(timestamp t) const {
  std::lock_guard guard{mutex_};
  auto out = head_;
  upwards(0, [&](const event_ptr& ev) {
    if (ev->created_at < t)
      return true;
    out = ev->seq - 1;
    return false;
  });
  return out;
}

} // namespace eventweft::memory
