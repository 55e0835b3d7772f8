// SPDX-License-Identifier: Apache-2.0
#include "persistence/memory/log.hpp"

#include <algorithm>

// What processors remember of the log.
namespace eventweft::memory {

namespace {

using processing::status;

/// The one feed of a processor that keeps an order.
constexpr std::string_view whole_feed = "all";

bool is_over_with(status s) {
  return s == status::completed || s == status::failed;
}

} // namespace

bool shared_log::feed::has_read(const event& ev) const {
  const auto lane = static_cast<size_t>(ev.priority);
  return ev.seq <= mark.cursor ||
         (lane < mark.floors.size() && ev.seq <= mark.floors[lane]);
}

bool shared_log::feed::has_in_hand(seq_t seq) const {
  const auto i =
      std::ranges::lower_bound(mark.open, seq, {}, &delivery::unfinished::seq);
  return i != mark.open.end() && i->seq == seq;
}

bool shared_log::processor::has_in_hand(seq_t seq) const {
  return std::ranges::any_of(
      feeds, [seq](const auto& one) { return one.second.has_in_hand(seq); });
}

bool shared_log::processor::has_read(const event& ev) const {
  return std::ranges::all_of(feeds, [&ev](const auto& one) {
    const bool brings =
        one.first == whole_feed || one.first == to_string(ev.priority);
    return !brings || one.second.has_read(ev);
  });
}

std::vector<processing::stored_mark>
shared_log::marks(std::string_view name) const {
  std::lock_guard guard{mutex_};
  std::vector<processing::stored_mark> out;
  if (const auto found = processors_.find(name); found != processors_.end())
    for (const auto& one : found->second.feeds)
      out.push_back(one.second.stored);
  return out;
}

processing::named_marks shared_log::all_marks() const {
  std::lock_guard guard{mutex_};
  processing::named_marks out;
  for (const auto& [name, who] : processors_)
    for (const auto& one : who.feeds)
      out.emplace_back(name, one.second.stored);
  return out;
}

expected<void> shared_log::record(std::string_view name,
                                  const processing::changes& what) {
  std::vector<feed> feeds;
  for (const auto& stored : what.marks) {
    auto mark = delivery::parse_mark(stored.mark);
    if (!mark)
      return fail(mark.error());
    feeds.push_back({stored, std::move(*mark)});
  }
  std::lock_guard guard{mutex_};
  auto& [who, mine] = *processors_.try_emplace(std::string{name}).first;
  for (const auto& row : what.rows)
    write_work(who, row);
  if (!feeds.empty()) {
    // Those by which it read before it was made to keep an order, or the other
    // way round.
    const bool whole = feeds.front().stored.feed == whole_feed;
    std::erase_if(mine.feeds, [whole](const auto& one) {
      return (one.first == whole_feed) != whole;
    });
  }
  for (auto& one : feeds)
    mine.feeds.insert_or_assign(one.stored.feed, std::move(one));
  for (const auto& row : what.rows)
    settle(row);
  marks_changed_ = true;
  return {};
}

void shared_log::write_work(const std::string& who,
                            const processing::status_row& row) {
  auto* const e = place_of(row.event->seq);
  if (e == nullptr)
    return;
  auto mine = std::ranges::find(e->work, &who, &work_done::who);
  if (mine == e->work.end())
    mine = e->work.insert(mine, {&who, {}, {}, 0});
  mine->status = row.status;
  mine->completed_at = row.completed_at;
  mine->seconds = row.duration.value_or(0);
}

void shared_log::settle(const processing::status_row& row) {
  auto* const e = place_of(row.event->seq);
  if (e == nullptr)
    return;
  std::optional<timestamp> at;
  std::optional<double> seconds;
  if (is_over_with(row.status)) {
    if (!is_settled(*e, row))
      return;
    seconds = 0;
    for (const auto& one : e->work) {
      at = std::max(at, one.completed_at);
      *seconds += one.seconds;
    }
  } else if (!e->event->processed_at) {
    return;
  }
  // Who has the event by now has it as it was.
  auto changed = *e->event;
  changed.processed_at = at;
  changed.processing_duration = seconds;
  const auto before = e->event->footprint();
  e->event = event_ptr{std::move(changed)};
  const auto after = e->event->footprint();
  bytes_ += after - before;
  if (held_.contains(e->event->seq))
    held_sizes_.bytes += after - before;
}

bool shared_log::is_settled(const entry& e,
                            const processing::status_row& row) const {
  const auto& ev = *e.event;
  return row.settled &&
         std::ranges::all_of(
             e.work,
             [](const work_done& one) { return is_over_with(one.status); }) &&
         std::ranges::all_of(row.others, [&](const std::string& other) {
           const auto found = processors_.find(other);
           return found == processors_.end() ||
                  (found->second.has_read(ev) &&
                   !found->second.has_in_hand(ev.seq));
         });
}

} // namespace eventweft::memory
