// SPDX-License-Identifier: Apache-2.0
#include "processing/feeds.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

namespace eventweft::processing {

namespace {

constexpr std::string_view all_feed = "all";

// The board bounds what is open by how much it lets a feed read.
constexpr auto no_limit = std::numeric_limits<size_t>::max();

} // namespace

bool reads_by_lane(const processor& p) noexcept {
  return p.ordering == ordering::none && !p.priority;
}

std::vector<std::string> feeds_of(const processor& p) {
  if (!reads_by_lane(p))
    return {std::string{all_feed}};
  std::vector<std::string> out;
  for (auto lane : lanes_in_order)
    out.emplace_back(to_string(lane));
  return out;
}

eventweft::filter feed_filter(const processor& p, size_t feed) {
  auto out = p.filter;
  if (!reads_by_lane(p))
    return out;
  const auto lane = lanes_in_order[feed];
  if (!out.min_priority || *out.min_priority < lane)
    out.min_priority = lane;
  return out;
}

bool log_feed::has_yet_to_read(const event& ev) const {
  return ev.seq > progress.cursor() && ev.seq > floors[lane_of(ev.priority)];
}

void log_feed::reopen(seq_t seq, timestamp now) {
  auto mark = progress.mark();
  const delivery::unfinished open{seq, 0, now, now};
  mark.open.insert(std::ranges::lower_bound(mark.open, open.seq, {},
                                            &delivery::unfinished::seq),
                   open);
  progress = {std::move(mark), no_limit};
  changed = true;
}

delivery::progress_mark log_feed::mark() const {
  auto out = progress.mark();
  if (std::ranges::max(floors) > out.cursor)
    out.floors.assign(floors.begin(), floors.end());
  return out;
}

size_t feed_for(const std::vector<log_feed>& feeds, size_t lane) noexcept {
  return feeds.size() == 1 ? 0 : lane;
}

expected<std::vector<log_feed>>
resume_feeds(const processor& p, const std::vector<stored_mark>& from,
             seq_t start) {
  std::map<std::string, delivery::progress_mark, std::less<>> marks;
  for (const auto& stored : from) {
    auto mark = delivery::parse_mark(stored.mark);
    if (!mark)
      return fail(ec::corrupt, "the mark of processor " + p.name +
                                   " can't be read: " + mark.error().message);
    // One a lane; those of a mark that has none are not beyond its cursor.
    mark->floors.resize(lane_count);
    marks[stored.feed] = std::move(*mark);
  }
  const auto names = feeds_of(p);
  std::vector<log_feed> feeds;
  const bool fits = marks.empty() || std::ranges::all_of(names, [&](auto& n) {
                      return marks.contains(n);
                    });
  if (fits) {
    for (const auto& n : names) {
      delivery::progress_mark mark{start, {}};
      std::array<seq_t, lane_count> floors{};
      if (const auto found = marks.find(n); found != marks.end()) {
        mark = std::move(found->second);
        std::ranges::copy(mark.floors, floors.begin());
      }
      feeds.push_back({n, {std::move(mark), no_limit}, floors, {}, true});
    }
  } else {
    // The feeds are others now: all begin at the one that is furthest behind,
    // the first one takes what is open, and nobody takes what is done.
    delivery::progress_mark merged{std::numeric_limits<seq_t>::max(), {}};
    std::array<seq_t, lane_count> floors{};
    for (auto& [name, mark] : marks) {
      merged.cursor = std::min(merged.cursor, mark.cursor);
      const auto only = parse_priority(name);
      for (size_t lane = 0; lane < lane_count; ++lane)
        if (!only || lane_of(*only) == lane)
          floors[lane] =
              std::max({floors[lane], mark.cursor, mark.floors[lane]});
      merged.open.insert(merged.open.end(), mark.open.begin(), mark.open.end());
    }
    std::ranges::sort(merged.open, {}, &delivery::unfinished::seq);
    for (const auto& n : names) {
      feeds.push_back({n, {merged, no_limit}, floors, {}, true});
      merged.open.clear();
    }
  }
  for (auto& f : feeds)
    for (const auto& [seq, open] : f.progress.open())
      f.missing.insert(seq);
  return feeds;
}

} // namespace eventweft::processing
