// SPDX-License-Identifier: Apache-2.0
#include "processing/board_state.hpp"

#include <algorithm>
#include <utility>

// Attempts that the end of a process cut off, and those that may come to it.
namespace eventweft::processing {

void board::note_cut_off(const work& w, item& i, timestamp now) const {
  // Of attempts that were cut off together only one had to do with it.
  i.spent = i.company == 1 && i.attempts > w.what->what.max_retries;
  i.cut_off = !i.spent;
  if (i.cut_off)
    i.history.push_back({now, std::string{cut_off_text}});
}

void board::announce(work& w, item& i, uint32_t company) {
  auto& f = w.feeds[i.feed];
  auto* open = f.progress.find(i.seq);
  open->attempts = ++i.attempts;
  open->due = {};
  open->company = company;
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

void board::call_group(timestamp now) {
  const bool due = !suspects_.empty() && !others_turn(now);
  if (dispatcher_.hold_risky(due) && !due)
    for (auto& [name, w] : works_)
      dispatcher_.enroll(*w);
  if (!due || in_group_ > 0 || risky_ > 0 || announcing_ > 0)
    return;
  const auto group = next_group();
  for (auto [w, seq] : group) {
    auto& i = w->items.at(seq);
    i.in_group = true;
    announce(*w, i, static_cast<uint32_t>(group.size()));
  }
  in_group_ = group.size();
  group_began_ = now;
  // Whatever is left of it: beside a group nothing runs.
  if (in_group_ > 0)
    others_until_ = {};
}

bool board::others_turn(timestamp now) {
  if (now >= others_until_) {
    others_until_ = {};
    return false;
  }
  // Not if they have nothing to do with it.
  return risky_ > 0 || announcing_ > 0 ||
         std::ranges::any_of(works_, [](const auto& x) {
           return x.second->risky &&
                  !std::ranges::all_of(x.second->ready,
                                       &std::deque<seq_t>::empty);
         });
}

// Those first that are closest to being found out, in the order in which they
// came. They are running from here on, as if the dispatcher had picked them.
std::vector<std::pair<board::work*, seq_t>> board::next_group() {
  const auto company_of = [](const auto& x) {
    return x.first->items.at(x.second).company;
  };
  size_t first_ones = 0;
  uint32_t least = 0;
  for (const auto& x : suspects_) {
    const auto company = company_of(x);
    if (company == 0)
      ++first_ones;
    else
      least = least == 0 ? company : std::min(least, company);
  }
  most_suspects_ = std::max(most_suspects_, first_ones);
  const size_t divided = least == 0 ? most_suspects_ : least;
  const auto size = (divided + options_.groups - 1) / options_.groups;
  std::vector<std::pair<work*, seq_t>> out;
  for (const auto& x : suspects_) {
    if (out.size() == size)
      break;
    if (company_of(x) != least || x.first->running >= x.first->concurrency)
      continue;
    ++x.first->running;
    out.push_back(x);
  }
  return out;
}

void board::leave_group(item& i, timestamp now) {
  if (std::exchange(i.in_group, false) && --in_group_ == 0)
    others_until_ = now + (now - group_began_);
  if (suspects_.empty())
    most_suspects_ = 0;
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
  std::erase_if(suspects_, of_w);
  std::erase_if(spent_, of_w);
  if (suspects_.empty())
    most_suspects_ = 0;
}

} // namespace eventweft::processing
