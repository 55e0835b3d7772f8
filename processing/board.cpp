// SPDX-License-Identifier: Apache-2.0
#include "processing/board_state.hpp"
#include "processing/retry.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace eventweft::processing {

namespace {

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

// Not from 1 on: what an earlier board started may still end.
board::board(board_options options, random_source& random)
    : options_(options), random_(random), last_job_(random.next() >> 1) {}

board::~board() = default;

// -- processors --------------------------------------------------------------

expected<void> board::add(registered_ptr p,
                          const std::vector<stored_mark>& from, seq_t start,
                          timestamp now) {
  auto feeds = resume_feeds(p->what, from, start);
  if (!feeds)
    return fail(feeds.error());
  for (auto& f : *feeds)
    f.progress.bring_near(now, longest_pause(p->what));
  auto w = std::make_unique<work>();
  w->feeds = std::move(*feeds);
  w->async = p->what.is_async();
  w->risky = p->what.may_end_process;
  w->concurrency = p->what.concurrency != 0 ? p->what.concurrency
                   : w->async               ? options_.async_at_once
                                            : options_.workers;
  if (!from.empty() && p->what.may_end_process) {
    w->began = now;
    for (auto& f : w->feeds)
      f.suspects = share_of(*w);
  }
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
    if (i.in_group)
      --in_group_;
    if (i.job != 0) {
      running.push_back(i.job);
      risky_ -= w.risky ? 1 : 0;
      deadlines_.erase({i.due, i.job});
      flights_.erase(i.job);
    }
    retries_.erase({i.due, &w, seq});
  }
  forget_cut_off(w);
  dispatcher_.remove(w);
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
  const auto share = share_of(*w);
  // By halves, so that the log is read in pieces worth reading.
  const auto open = w->feeds[feed].progress.open().size();
  return open > share / 2 ? 0 : share - open;
}

size_t board::share_of(const work& w) const {
  return std::max({options_.max_unfinished / w.feeds.size(), size_t{2},
                   w.async ? size_t{2} * w.concurrency / w.feeds.size() : 0});
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
    if (!f.progress.take_up(ev->seq, now))
      continue;
    auto& i = put(*w, feed, ev, 0, now, now);
    if (f.suspects > 0 && ev->created_at <= w->began) {
      --f.suspects;
      i.suspect = true;
    }
    enter(*w, i, now);
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

bool board::fetched(std::string_view name, seq_t seq, event_ptr ev,
                    timestamp now) {
  auto* w = find(name);
  if (!w)
    return false;
  for (size_t n = 0; n < w->feeds.size(); ++n) {
    auto& f = w->feeds[n];
    if (f.missing.erase(seq) == 0)
      continue;
    if (!ev) {
      f.progress.finish(seq);
      f.changed = true;
      return false;
    }
    const auto open = *f.progress.find(seq);
    // What is only to be given up waits for no retry.
    const bool at_once = open.attempts == 0 || w->what->what.kind == gone_kind;
    auto& i =
        put(*w, n, std::move(ev), open.attempts, at_once ? now : open.due, now);
    i.since = open.since;
    i.history = open.history;
    i.company = open.company;
    i.suspect = w->began != timestamp{};
    const bool cut_off =
        i.suspect && open.attempts > 0 && open.due == timestamp{};
    if (cut_off)
      note_cut_off(*w, i, now);
    enter(*w, i, now);
    return cut_off;
  }
  return false;
}

expected<bool> board::again(std::string_view name, event_ptr ev,
                            timestamp now) {
  auto* w = find(name);
  if (!w || owes(name, *ev))
    return false;
  const auto index = feed_for(w->feeds, lane_of(ev->priority));
  auto& f = w->feeds[index];
  // Other feeds were done with it, or the filter was another one then.
  if (ev->seq > f.progress.cursor())
    return fail(ec::overloaded, "processor " + w->what->what.name +
                                    " has not read the log that far yet");
  const auto seq = ev->seq;
  f.reopen(seq, now);
  ++news_;
  auto& i = put(*w, index, std::move(ev), 0, now, now);
  enter(*w, i, now);
  // Told at once: it is not to be forgotten.
  i.told = status::pending;
  w->rows.push_back(row_of(i));
  return true;
}

board::item& board::put(work& w, size_t feed_index, event_ptr ev,
                        uint32_t attempts, timestamp due, timestamp now) {
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
  return i;
}

void board::enter(work& w, item& i, timestamp now) {
  if (i.key.empty() || w.lines.enter(i.key, i.seq))
    come_forward(w, i, now);
}

// Nothing is before it any more: it runs, or waits until it is tried again.
void board::come_forward(work& w, item& i, timestamp now) {
  if (i.attempts > 0 && i.due > now) {
    i.status = status::retrying;
    retry_later(w, i);
  } else {
    make_ready(w, i, now);
  }
}

void board::retry_later(work& w, const item& i) {
  retries_.emplace(i.due, &w, i.seq);
  ++w.waiting;
}

void board::make_ready(work& w, item& i, timestamp now) {
  i.ready_since = now;
  if (i.spent)
    spent_.emplace_back(&w, i.seq);
  else if (i.cut_off)
    suspects_.emplace_back(&w, i.seq);
  else
    dispatcher_.add(w, i.lane, i.seq);
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
      out.marks.push_back(
          {f.name, f.progress.cursor(), delivery::mark_json(f.mark())});
  std::ranges::move(w->announcing, std::back_inserter(w->being_written));
  w->announcing.clear();
  w->marks_due = false;
  return out;
}

void board::touch(std::string_view name) {
  if (auto* w = find(name))
    for (auto& f : w->feeds)
      f.changed = true;
}

bool board::has_news(std::string_view name) const {
  const auto* w = find(name);
  return w && (!w->rows.empty() || !w->announcing.empty() || w->marks_due);
}

// -- to be told --------------------------------------------------------------

bool board::owes(std::string_view name, const event& ev) const {
  const auto* w = find(name);
  if (!w)
    return false;
  for (const auto& f : w->feeds)
    if (f.progress.open().contains(ev.seq))
      return true;
  const auto& f = w->feeds[feed_for(w->feeds, lane_of(ev.priority))];
  return f.has_yet_to_read(ev) && w->what->filter.matches(ev);
}

work_state board::state_of(std::string_view name) const {
  work_state out;
  const auto* w = find(name);
  if (!w)
    return out;
  for (const auto& r : w->ready)
    out.ready += r.size();
  out.ready +=
      static_cast<size_t>(std::ranges::count_if(suspects_, [w](const auto& x) {
        return x.first == w && !w->items.at(x.second).in_group;
      }));
  out.running = w->running;
  out.waiting = w->waiting;
  out.cursor = w->feeds.front().progress.cursor();
  for (const auto& f : w->feeds)
    out.cursor = std::min(out.cursor, f.progress.cursor());
  return out;
}

} // namespace eventweft::processing
