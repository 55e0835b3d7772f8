// SPDX-License-Identifier: Apache-2.0
#include "actors/live_readers.hpp"

#include "codec/thread_names.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace eventweft {

join_answer live_readers::join(join_request r) {
  // Whatever it was before, it is not live until it has joined again.
  auto& lane = book_.lane_of(r.lane, ring_.head());
  if (r.cursor < 0)
    r.cursor = ring_.head();
  codec::compiled_filter matcher{r.stream_filter, r.own_filter,
                                 r.forced_filter};
  auto oldest = ring_.floor();
  if (r.cursor > lane.sent) {
    forget(r.subscription);
    lane.waiting.push_back({std::move(r), std::move(matcher)});
    return {true, oldest};
  }
  if (r.cursor < oldest && r.cursor < lane.sent) {
    forget(r.subscription);
    book_.prune(lane.number);
    return {false, oldest};
  }
  if (lane.sent - r.cursor > options_.join_events) {
    forget(r.subscription);
    auto piece = recent(lane, r.cursor);
    book_.prune(lane.number);
    return {false, oldest, std::move(piece),
            codec::thread_names::shared().news()};
  }
  make_live(lane, r, matcher);
  book_.prune(lane.number);
  return {true, oldest};
}

log_range_ptr live_readers::recent(const lane_record& lane,
                                   seq_t cursor) const {
  auto out = std::make_shared<log_range>();
  out->first = cursor + 1;
  out->last = std::min(lane.sent, ring_.reach(cursor, options_.recent_events,
                                              options_.recent_bytes));
  for (auto i = ring_.after(cursor); i != ring_.end() && (*i)->seq <= out->last;
       ++i)
    out->events.push_back(*i);
  return out;
}

void live_readers::serve_waiting(lane_record& lane) {
  for (auto& w : std::exchange(lane.waiting, {})) {
    if (w.request.cursor > lane.sent) {
      lane.waiting.push_back(std::move(w));
    } else if (w.request.cursor >= ring_.floor() ||
               w.request.cursor == lane.sent) {
      make_live(lane, w.request, w.matcher);
    } else {
      // The lane jumped over it with a page from the store: let it ask
      // again from where it is.
      const auto& r = w.request;
      lane.port->page(r.reader, r.epoch, {r.cursor + 1, r.cursor, {}});
    }
  }
}

void live_readers::leave(subscription_id who) {
  forget(who);
  prune_all();
}

void live_readers::make_live(lane_record& lane, const join_request& r,
                             const codec::compiled_filter& matcher) {
  log_range backlog{r.cursor + 1, lane.sent, {}};
  uint64_t bytes = 0;
  for (auto i = ring_.after(r.cursor);
       i != ring_.end() && (*i)->seq <= lane.sent; ++i) {
    ++tried_;
    if (!matcher.matches(**i))
      continue;
    bytes += (*i)->footprint();
    if (!backlog.events.empty() &&
        (bytes > options_.batch_bytes ||
         backlog.events.size() >= options_.batch_events)) {
      backlog.last = (*i)->seq - 1;
      forget(r.subscription);
      lane.port->page(r.reader, r.epoch, std::move(backlog));
      return;
    }
    backlog.events.push_back(*i);
  }
  auto was = book_.members.find(r.subscription);
  if (was != book_.members.end() && was->second.key != matcher.key())
    forget(r.subscription);
  auto id = book_.enter(lane, r.subscription, matcher);
  matches_.add(id, matcher, ring_.head());
  matches_.cover(ring_, id, lane.sent);
  lane.port->join(r.reader, r.epoch, id, std::move(backlog));
}

void live_readers::forget(subscription_id who) {
  group_id alone = 0;
  if (auto i = book_.members.find(who); i != book_.members.end())
    if (auto g = book_.group_ids.find(i->second.key);
        g != book_.group_ids.end() && g->second.second == 1)
      alone = g->second.first;
  book_.leave(who);
  if (alone != 0)
    matches_.remove(alone);
}

void live_readers::prune_all() {
  std::vector<lane_number> all;
  for (const auto& [number, lane] : book_.lanes)
    all.push_back(number);
  for (auto number : all)
    book_.prune(number);
}

} // namespace eventweft
