// SPDX-License-Identifier: Apache-2.0
#include "processing/board_state.hpp"

#include <algorithm>
#include <utility>

// Attempts that the end of a process cut off, and those that may come to it.
namespace eventweft::processing {

namespace {

// Of attempts that were cut off together only one had to do with it: the next
// one, which is made alone, tells.
constexpr uint32_t fewest_attempts = 2;

} // namespace

void board::note_cut_off(const work& w, item& i, timestamp now) const {
  i.spent =
      i.attempts >= std::max(w.what->what.max_retries + 1, fewest_attempts);
  i.cut_off = !i.spent;
  if (i.cut_off)
    i.history.push_back({now, std::string{cut_off_text}});
}

void board::announce(work& w, item& i) {
  auto& f = w.feeds[i.feed];
  auto* open = f.progress.find(i.seq);
  open->attempts = ++i.attempts;
  open->due = {};
  open->history = i.history;
  f.changed = true;
  i.announced = true;
  w.announcing.push_back(i.seq);
  ++announcing_;
}

std::optional<job> board::take_spent(timestamp now) {
  if (spent_.empty())
    return std::nullopt;
  auto [w, seq] = spent_.front();
  spent_.pop_front();
  // As if the dispatcher had picked it.
  ++w->running;
  return begin(*w, w->items.at(seq), now);
}

std::optional<job> board::take_announced(bool async, timestamp now) {
  const auto found = std::ranges::find(announced_, async,
                                       [](auto& x) { return x.first->async; });
  if (found == announced_.end())
    return std::nullopt;
  auto& w = *found->first;
  auto& i = w.items.at(found->second);
  announced_.erase(found);
  --announcing_;
  return begin(w, i, now);
}

void board::take_alone(bool async) {
  auto& [w, seq] = alone_.front();
  auto& i = w->items.at(seq);
  if (w->async != async || i.announced || announcing_ > 0 || !flights_.empty())
    return;
  ++w->running;
  announce(*w, i);
}

bool board::is_announcing(std::string_view name) const {
  const auto* w = find(name);
  return w && !w->announcing.empty();
}

void board::written(std::string_view name) {
  auto* w = find(name);
  if (!w)
    return;
  for (const auto seq : std::exchange(w->being_written, {}))
    announced_.emplace_back(w, seq);
}

void board::let_go(std::string_view name, timestamp now) {
  auto* w = find(name);
  if (!w)
    return;
  for (const auto& [seq, i] : w->items) {
    auto& f = w->feeds[i.feed];
    auto* open = f.progress.find(seq);
    const bool told = open->attempts > 0 && open->due == timestamp{};
    if (!told || (i.job == 0 && !i.announced))
      continue;
    --open->attempts;
    open->due = now;
    f.changed = true;
    w->marks_due = true;
  }
}

void board::forget_cut_off(const work& w) {
  const auto of_w = [&](const auto& x) { return x.first == &w; };
  announcing_ -= w.announcing.size() + w.being_written.size() +
                 std::erase_if(announced_, of_w);
  std::erase_if(alone_, of_w);
  std::erase_if(spent_, of_w);
}

} // namespace eventweft::processing
