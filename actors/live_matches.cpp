// SPDX-License-Identifier: Apache-2.0
#include "actors/live_matches.hpp"

#include <algorithm>
#include <memory>

namespace eventweft {

namespace {

/// Sorts events, which come in order, into what each group sees.
class sorter {
 public:
  sorter(seq_t first, seq_t last, const std::unordered_set<group_id>& wanted)
      : first_(first), last_(last), wanted_(wanted) {}

  void add(const event_ptr& ev, const std::vector<group_id>& groups) {
    for (const auto id : groups) {
      if (!wanted_.contains(id))
        continue;
      auto& range = found_[id];
      if (!range)
        range = std::make_shared<log_range>(log_range{first_, last_, {}});
      range->events.push_back(ev);
    }
  }

  live_matches::group_events done() {
    return {std::make_move_iterator(found_.begin()),
            std::make_move_iterator(found_.end())};
  }

 private:
  seq_t first_;
  seq_t last_;
  const std::unordered_set<group_id>& wanted_;
  std::unordered_map<group_id, std::shared_ptr<log_range>> found_;
};

} // namespace

void live_matches::add(group_id id, const codec::compiled_filter& matcher,
                       seq_t head) {
  if (groups_.try_emplace(id, group{matcher, head}).second)
    index_.insert(id, matcher);
}

void live_matches::remove(group_id id) {
  // Its id stays with the events that it saw: nobody asks for it again.
  if (groups_.erase(id) != 0)
    index_.erase(id);
}

void live_matches::append(const std::vector<event_ptr>& events) {
  if (groups_.empty())
    return;
  for (const auto& ev : events) {
    std::vector<group_id> ids;
    index_.match(*ev, ids);
    if (!ids.empty())
      seen_.push_back({ev, std::move(ids)});
  }
}

std::deque<live_matches::seen>::iterator live_matches::place_of(seq_t seq) {
  return std::lower_bound(
      seen_.begin(), seen_.end(), seq,
      [](const seen& s, seq_t wanted) { return s.ev->seq < wanted; });
}

void live_matches::renamed(const std::vector<event_ptr>& events) {
  std::vector<group_id> ids;
  for (const auto& ev : events) {
    ids.clear();
    index_.match(*ev, ids);
    // What comes before that is found when `cover` asks for it.
    std::erase_if(ids, [&](group_id id) {
      const auto found = groups_.find(id);
      return found == groups_.end() || ev->seq <= found->second.covered;
    });
    auto at = place_of(ev->seq);
    if (at == seen_.end() || at->ev->seq != ev->seq) {
      if (!ids.empty())
        seen_.insert(at, seen{ev, ids});
      continue;
    }
    at->ev = ev;
    for (const auto id : ids)
      if (std::find(at->groups.begin(), at->groups.end(), id) ==
          at->groups.end())
        at->groups.push_back(id);
  }
}

void live_matches::trim(seq_t floor) {
  while (!seen_.empty() && seen_.front().ev->seq <= floor)
    seen_.pop_front();
}

void live_matches::cover(const live_ring& ring, group_id id, seq_t after) {
  const auto found = groups_.find(id);
  if (found == groups_.end() || after >= found->second.covered)
    return;
  auto& g = found->second;
  for (auto i = ring.after(after); i != ring.end() && (*i)->seq <= g.covered;
       ++i) {
    ++covering_;
    if (!g.matcher.matches(**i))
      continue;
    auto at = place_of((*i)->seq);
    if (at == seen_.end() || at->ev->seq != (*i)->seq)
      at = seen_.insert(at, {*i, {}});
    at->groups.push_back(id);
  }
  g.covered = after;
}

live_matches::group_events
live_matches::slices(seq_t first, seq_t last,
                     const std::unordered_set<group_id>& wanted) const {
  sorter out{first, last, wanted};
  auto at = std::lower_bound(
      seen_.begin(), seen_.end(), first,
      [](const seen& s, seq_t seq) { return s.ev->seq < seq; });
  for (; at != seen_.end() && at->ev->seq <= last; ++at)
    out.add(at->ev, at->groups);
  return out.done();
}

live_matches::group_events
live_matches::slices_of(const std::vector<event_ptr>& events, seq_t first,
                        seq_t last,
                        const std::unordered_set<group_id>& wanted) {
  sorter out{first, last, wanted};
  std::vector<group_id> ids;
  for (const auto& ev : events) {
    if (ev->seq < first || ev->seq > last)
      continue;
    ids.clear();
    index_.match(*ev, ids);
    out.add(ev, ids);
  }
  return out.done();
}

} // namespace eventweft
