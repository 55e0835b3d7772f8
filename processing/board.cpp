// SPDX-License-Identifier: Apache-2.0
#include "processing/board.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace eventweft::processing {

namespace {

constexpr std::array<eventweft::priority, lane_count> lanes_in_order{
    eventweft::priority::low, eventweft::priority::normal,
    eventweft::priority::high, eventweft::priority::critical};

constexpr std::string_view all_feed = "all";

/// Whether urgent events may be read ahead of the others.
bool reads_by_lane(const processor& p) noexcept {
  return p.ordering == ordering::none && !p.priority;
}

std::string order_key(const processor& p, const event& ev) {
  switch (p.ordering) {
  case ordering::none:
    break;
  case ordering::source: {
    const auto& source = ev.source_id.empty() ? ev.source_name : ev.source_id;
    return ev.platform + '\n' + source;
  }
  case ordering::thread:
    return ev.correlation_id ? to_string(*ev.correlation_id) : std::string{};
  }
  return {};
}

/// The pause after so many failed attempts; nothing: give up.
std::optional<microseconds> pause_after(const processor& p, uint32_t attempts,
                                        const outcome& o,
                                        random_source& random) {
  if (attempts > p.max_retries)
    return std::nullopt;
  auto pause = std::chrono::duration<double, std::micro>(p.retry_delay);
  pause *= std::pow(2.0, std::min(attempts - 1, 40u));
  pause = std::min<decltype(pause)>(pause, p.max_retry_delay);
  // From -1 to 1.
  const auto at_random =
      static_cast<double>(random.next() >> 11) / (1ull << 52) - 1;
  pause *= 1 + p.jitter * at_random;
  auto out = std::chrono::duration_cast<microseconds>(pause);
  if (o.retry_after)
    out = std::max<microseconds>(
        out, std::min(*o.retry_after, std::max(p.max_retry_delay, p.timeout)));
  return std::max(out, microseconds{0});
}

/// Leaves the last row of each event.
void keep_last(std::vector<status_row>& rows) {
  std::unordered_map<uuid, size_t> last;
  for (size_t i = 0; i < rows.size(); ++i)
    last[rows[i].event->id] = i;
  if (last.size() == rows.size())
    return;
  std::vector<status_row> kept;
  kept.reserve(last.size());
  for (size_t i = 0; i < rows.size(); ++i)
    if (last.at(rows[i].event->id) == i)
      kept.push_back(std::move(rows[i]));
  rows = std::move(kept);
}

} // namespace

struct board::item {
  event_ptr event;
  seq_t seq = 0;
  size_t feed = 0;
  size_t lane = 0;
  /// Empty: free of any order.
  std::string key;
  uint32_t attempts = 0;
  timestamp since{};
  /// Of the first attempt.
  timestamp started{};
  timestamp ready_since{};
  /// Of the attempt that runs, or of the next one.
  timestamp due{};
  /// 0: none runs.
  uint64_t job = 0;
  timestamp attempt_began{};
  processing::status status = processing::status::pending;
  std::optional<processing::status> told;
  std::optional<double> duration;
  std::vector<failed_attempt> history;
};

struct board::feed_state {
  std::string name;
  delivery::progress progress;
  /// Events of these priorities up to these seqs were dealt with by the feeds
  /// that there were before.
  std::array<seq_t, lane_count> floors{};
  /// Open, but not in memory yet.
  std::set<seq_t> missing;
  bool changed = false;
};

struct board::work {
  registered_ptr what;
  bool async = false;
  uint32_t concurrency = 1;
  std::vector<feed_state> feeds;
  std::map<seq_t, item> items;
  std::unordered_map<std::string, std::deque<seq_t>> keys;
  std::array<std::deque<seq_t>, lane_count> ready;
  std::array<bool, lane_count> enrolled{};
  std::vector<status_row> rows;
  size_t running = 0;
  size_t waiting = 0;
};

// Not from 1 on: what an earlier board started may still end.
board::board(board_options options, random_source& random)
    : options_(options), random_(random), last_job_(random.next() >> 1) {}

board::~board() = default;

// -- processors --------------------------------------------------------------

std::vector<std::string> board::feeds_of(const processor& p) {
  if (!reads_by_lane(p))
    return {std::string{all_feed}};
  std::vector<std::string> out;
  for (auto lane : lanes_in_order)
    out.emplace_back(to_string(lane));
  return out;
}

eventweft::filter board::feed_filter(const processor& p, size_t feed) {
  auto out = p.filter;
  if (!reads_by_lane(p))
    return out;
  const auto lane = lanes_in_order[feed];
  if (!out.min_priority || *out.min_priority < lane)
    out.min_priority = lane;
  return out;
}

expected<void> board::add(registered_ptr p,
                          const std::vector<stored_mark>& from, seq_t start) {
  std::map<std::string, delivery::progress_mark, std::less<>> marks;
  for (const auto& stored : from) {
    auto mark = delivery::parse_mark(stored.mark);
    if (!mark)
      return fail(ec::corrupt, "the mark of processor " + p->what.name +
                                   " can't be read: " + mark.error().message);
    marks[stored.feed] = std::move(*mark);
  }
  const auto names = feeds_of(p->what);
  auto w = std::make_unique<work>();
  constexpr auto no_limit = std::numeric_limits<size_t>::max();
  const bool fits = marks.empty() || std::ranges::all_of(names, [&](auto& n) {
                      return marks.contains(n);
                    });
  if (fits) {
    for (const auto& n : names) {
      const auto found = marks.find(n);
      auto mark = found == marks.end() ? delivery::progress_mark{start, {}}
                                       : std::move(found->second);
      w->feeds.push_back({n, {std::move(mark), no_limit}, {}, {}, true});
    }
  } else {
    // The feeds are others now: all begin at the one that is furthest behind,
    // the first one takes what is open, and nobody takes what is done.
    delivery::progress_mark merged{std::numeric_limits<seq_t>::max(), {}};
    std::array<seq_t, lane_count> floors{};
    for (auto& [name, mark] : marks) {
      merged.cursor = std::min(merged.cursor, mark.cursor);
      if (const auto lane = parse_priority(name))
        floors[lane_of(*lane)] = mark.cursor;
      merged.open.insert(merged.open.end(), mark.open.begin(), mark.open.end());
    }
    std::ranges::sort(merged.open, {}, &delivery::unfinished::seq);
    for (const auto& n : names) {
      w->feeds.push_back({n, {merged, no_limit}, floors, {}, true});
      merged.open.clear();
    }
  }
  w->async = p->what.is_async();
  w->concurrency = p->what.concurrency != 0 ? p->what.concurrency
                   : w->async               ? options_.async_at_once
                                            : options_.workers;
  for (auto& f : w->feeds)
    for (const auto& [seq, open] : f.progress.open())
      f.missing.insert(seq);
  auto name = p->what.name;
  w->what = std::move(p);
  works_[std::move(name)] = std::move(w);
  return {};
}

std::vector<uint64_t> board::remove(std::string_view name) {
  std::vector<uint64_t> running;
  const auto found = works_.find(name);
  if (found == works_.end())
    return running;
  auto& w = *found->second;
  for (const auto& [seq, i] : w.items) {
    if (i.job != 0) {
      running.push_back(i.job);
      deadlines_.erase({i.due, i.job});
      flights_.erase(i.job);
    }
    retries_.erase({i.due, &w, seq});
  }
  for (size_t lane = 0; lane < lane_count; ++lane) {
    depth_[lane] -= w.ready[lane].size();
    for (auto& rings : rings_)
      std::erase(rings[lane], &w);
  }
  news_ -= w.rows.size();
  works_.erase(found);
  return running;
}

bool board::has(std::string_view name) const {
  return find(name) != nullptr;
}

board::work* board::find(std::string_view name) const {
  const auto found = works_.find(name);
  return found == works_.end() ? nullptr : found->second.get();
}

// -- from the log ------------------------------------------------------------

seq_t board::cursor(std::string_view name, size_t feed) const {
  const auto* w = find(name);
  return w ? w->feeds[feed].progress.cursor() : 0;
}

size_t board::room(std::string_view name, size_t feed) const {
  const auto* w = find(name);
  if (!w)
    return 0;
  const auto share =
      std::max({options_.max_unfinished / w->feeds.size(), size_t{2},
                w->async ? size_t{2} * w->concurrency / w->feeds.size() : 0});
  // By halves, so that the log is read in pieces worth reading.
  const auto open = w->feeds[feed].progress.open().size();
  return open > share / 2 ? 0 : share - open;
}

void board::take_up(std::string_view name, size_t feed, const log_range& range,
                    timestamp now) {
  auto* w = find(name);
  if (!w)
    return;
  auto& f = w->feeds[feed];
  const auto before = f.progress.cursor();
  const bool by_lane = reads_by_lane(w->what->what);
  for (const auto& ev : range.events) {
    const auto lane = lane_of(ev->priority);
    if (ev->seq <= before || (by_lane && lane != feed) ||
        ev->seq <= f.floors[lane])
      continue;
    if (f.progress.take_up(ev->seq, now))
      put(*w, feed, ev, 0, now, now);
  }
  f.progress.pass_over(range.last);
  f.changed = f.changed || f.progress.cursor() != before;
}

std::vector<seq_t> board::missing(std::string_view name) const {
  std::vector<seq_t> out;
  if (const auto* w = find(name))
    for (const auto& f : w->feeds)
      out.insert(out.end(), f.missing.begin(), f.missing.end());
  std::ranges::sort(out);
  return out;
}

void board::fetched(std::string_view name, seq_t seq, event_ptr ev,
                    timestamp now) {
  auto* w = find(name);
  if (!w)
    return;
  for (size_t n = 0; n < w->feeds.size(); ++n) {
    auto& f = w->feeds[n];
    if (f.missing.erase(seq) == 0)
      continue;
    if (!ev) {
      f.progress.finish(seq);
      f.changed = true;
      return;
    }
    const auto open = *f.progress.find(seq);
    put(*w, n, std::move(ev), open.attempts,
        open.attempts == 0 ? now : open.due, now);
    w->items.at(seq).since = open.since;
    return;
  }
}

bool board::again(std::string_view name, event_ptr ev, timestamp now) {
  auto* w = find(name);
  if (!w || w->items.contains(ev->seq))
    return false;
  const auto lane = lane_of(ev->priority);
  const auto index = w->feeds.size() == 1 ? 0 : lane;
  auto& f = w->feeds[index];
  if (f.missing.contains(ev->seq) || ev->seq > f.progress.cursor())
    return false;
  auto mark = f.progress.mark();
  const delivery::unfinished open{ev->seq, 0, now, now};
  mark.open.insert(std::ranges::lower_bound(mark.open, open.seq, {},
                                            &delivery::unfinished::seq),
                   open);
  f.progress = {std::move(mark), std::numeric_limits<size_t>::max()};
  f.changed = true;
  ++news_;
  put(*w, index, std::move(ev), 0, now, now);
  // Told at once: it is not to be forgotten.
  auto& i = w->items.at(open.seq);
  i.told = status::pending;
  w->rows.push_back(row_of(i));
  return true;
}

void board::put(work& w, size_t feed_index, event_ptr ev, uint32_t attempts,
                timestamp due, timestamp now) {
  const auto seq = ev->seq;
  const auto& p = w.what->what;
  auto& i = w.items[seq];
  i.seq = seq;
  i.feed = feed_index;
  i.lane = lane_of(p.priority.value_or(ev->priority));
  i.key = order_key(p, *ev);
  i.attempts = attempts;
  i.since = now;
  i.due = due;
  i.event = std::move(ev);
  if (!i.key.empty()) {
    auto& line = w.keys[i.key];
    line.push_back(seq);
    if (line.size() > 1)
      return;
  }
  if (attempts > 0 && due > now) {
    i.status = status::retrying;
    retries_.emplace(due, &w, seq);
    ++w.waiting;
  } else {
    make_ready(w, i, now);
  }
}

void board::make_ready(work& w, item& i, timestamp now) {
  i.ready_since = now;
  w.ready[i.lane].push_back(i.seq);
  ++depth_[i.lane];
  enroll(w);
}

void board::enroll(work& w) {
  for (size_t lane = 0; lane < lane_count; ++lane)
    if (!w.enrolled[lane] && eligible(w, lane)) {
      w.enrolled[lane] = true;
      rings_[w.async ? 1 : 0][lane].push_back(&w);
    }
}

bool board::eligible(const work& w, size_t lane) const {
  return lane >= held_ && w.running < w.concurrency && !w.ready[lane].empty();
}

// -- to the handlers ---------------------------------------------------------

size_t board::hold(size_t lanes) {
  const auto before = std::exchange(held_, lanes);
  if (lanes < before)
    for (auto& [name, w] : works_)
      enroll(*w);
  return before;
}

void board::wake_retries(timestamp now) {
  while (!retries_.empty() && std::get<0>(*retries_.begin()) <= now) {
    auto [due, w, seq] = *retries_.begin();
    retries_.erase(retries_.begin());
    --w->waiting;
    make_ready(*w, w->items.at(seq), now);
  }
}

std::optional<job> board::take(bool async, timestamp now) {
  wake_retries(now);
  auto& rings = rings_[async ? 1 : 0];
  std::array<bool, lane_count> has_work{};
  for (size_t lane = 0; lane < lane_count; ++lane) {
    auto& r = rings[lane];
    while (!r.empty() && !eligible(*r.front(), lane)) {
      r.front()->enrolled[lane] = false;
      r.pop_front();
    }
    has_work[lane] = !r.empty();
  }
  const auto lane = turns_[async ? 1 : 0].next(has_work);
  if (!lane)
    return std::nullopt;
  auto& w = *rings[*lane].front();
  rings[*lane].pop_front();
  w.enrolled[*lane] = false;
  auto& i = w.items.at(w.ready[*lane].front());
  w.ready[*lane].pop_front();
  --depth_[*lane];
  ++w.running;
  enroll(w);

  job out;
  out.id = ++last_job_;
  out.processor = w.what;
  out.event = i.event;
  out.attempt = ++i.attempts;
  out.lane = lanes_in_order[*lane];
  out.waited = now - i.ready_since;
  out.deadline = now + w.what->what.timeout + w.what->what.grace;
  i.job = out.id;
  i.due = out.deadline;
  i.attempt_began = now;
  if (i.started == timestamp{})
    i.started = now;
  i.status = status::processing;
  flights_.emplace(out.id, flight{&w, i.seq});
  deadlines_.emplace(out.deadline, out.id);
  return out;
}

decision board::finish(uint64_t job_id, const outcome& o, timestamp now) {
  const auto found = flights_.find(job_id);
  if (found == flights_.end())
    return {};
  auto& w = *found->second.owner;
  auto& i = w.items.at(found->second.seq);
  flights_.erase(found);
  deadlines_.erase({i.due, job_id});
  i.job = 0;
  --w.running;

  decision out;
  out.processor = w.what;
  out.event = i.event;
  out.attempts = i.attempts;
  out.took = now - i.attempt_began;
  i.duration = std::chrono::duration<double>(out.took).count();
  if (o.what == outcome::kind::done) {
    out.what = decision::kind::done;
    i.status = status::completed;
    settle(w, i, now);
    return out;
  }
  i.history.push_back({now, o.error});
  if (i.history.size() > dead_letter_history)
    i.history.erase(i.history.begin());
  const auto pause = o.what == outcome::kind::give_up
                         ? std::nullopt
                         : pause_after(w.what->what, i.attempts, o, random_);
  if (!pause) {
    out.what = decision::kind::give_up;
    out.history = i.history;
    i.status = status::failed;
    settle(w, i, now);
    return out;
  }
  out.what = decision::kind::retry;
  out.due = now + *pause;
  i.due = out.due;
  i.status = status::retrying;
  i.told = i.status;
  auto& f = w.feeds[i.feed];
  if (auto* open = f.progress.find(i.seq)) {
    open->attempts = i.attempts;
    open->due = out.due;
  }
  f.changed = true;
  w.rows.push_back(row_of(i));
  ++news_;
  retries_.emplace(i.due, &w, i.seq);
  ++w.waiting;
  enroll(w);
  return out;
}

// Done with it, for good or for bad.
void board::settle(work& w, item& i, timestamp now) {
  auto row = row_of(i);
  row.completed_at = now;
  w.rows.push_back(std::move(row));
  ++news_;
  auto& f = w.feeds[i.feed];
  f.progress.finish(i.seq);
  f.changed = true;
  const auto key = std::move(i.key);
  w.items.erase(i.seq);
  if (!key.empty()) {
    const auto line = w.keys.find(key);
    line->second.pop_front();
    if (line->second.empty()) {
      w.keys.erase(line);
    } else {
      auto& next = w.items.at(line->second.front());
      if (next.attempts > 0 && next.due > now) {
        next.status = status::retrying;
        retries_.emplace(next.due, &w, next.seq);
        ++w.waiting;
      } else {
        make_ready(w, next, now);
      }
    }
  }
  enroll(w);
}

std::vector<uint64_t> board::expired(timestamp now) const {
  std::vector<uint64_t> out;
  for (const auto& [deadline, id] : deadlines_) {
    if (deadline > now)
      break;
    out.push_back(id);
  }
  return out;
}

std::optional<timestamp> board::wake_at() const {
  std::optional<timestamp> out;
  if (!deadlines_.empty())
    out = deadlines_.begin()->first;
  if (!retries_.empty() && (!out || std::get<0>(*retries_.begin()) < *out))
    out = std::get<0>(*retries_.begin());
  return out;
}

// -- to the store ------------------------------------------------------------

status_row board::row_of(const item& i) const {
  status_row out;
  out.event = i.event;
  out.status = i.status;
  out.attempts = i.attempts;
  if (!i.history.empty() && i.status != status::completed)
    out.error = i.history.back().error;
  if (i.started != timestamp{})
    out.started_at = i.started;
  out.duration = i.duration;
  return out;
}

changes board::collect(std::string_view name, timestamp now) {
  changes out;
  auto* w = find(name);
  if (!w)
    return out;
  out.rows = std::exchange(w->rows, {});
  news_ -= out.rows.size();
  for (auto& [seq, i] : w->items)
    if (now - i.since >= options_.tell_after && i.told != i.status) {
      i.told = i.status;
      out.rows.push_back(row_of(i));
    }
  keep_last(out.rows);
  for (auto& f : w->feeds)
    if (std::exchange(f.changed, false))
      out.marks.push_back({f.name, f.progress.cursor(),
                           delivery::mark_json(f.progress.mark())});
  return out;
}

void board::touch(std::string_view name) {
  if (auto* w = find(name))
    for (auto& f : w->feeds)
      f.changed = true;
}

bool board::has_news(std::string_view name) const {
  const auto* w = find(name);
  return w && !w->rows.empty();
}

// -- to be told --------------------------------------------------------------

bool board::owes(std::string_view name, const event& ev) const {
  const auto* w = find(name);
  if (!w)
    return false;
  for (const auto& f : w->feeds)
    if (f.progress.open().contains(ev.seq))
      return true;
  const auto lane = lane_of(ev.priority);
  const auto& f = w->feeds[w->feeds.size() == 1 ? 0 : lane];
  return ev.seq > f.progress.cursor() && ev.seq > f.floors[lane] &&
         w->what->filter.matches(ev);
}

work_state board::state_of(std::string_view name) const {
  work_state out;
  const auto* w = find(name);
  if (!w)
    return out;
  for (const auto& r : w->ready)
    out.ready += r.size();
  out.running = w->running;
  out.waiting = w->waiting;
  out.cursor = w->feeds.front().progress.cursor();
  for (const auto& f : w->feeds)
    out.cursor = std::min(out.cursor, f.progress.cursor());
  return out;
}

} // namespace eventweft::processing
