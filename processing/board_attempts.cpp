// SPDX-License-Identifier: Apache-2.0
#include "processing/board_state.hpp"
#include "processing/retry.hpp"

#include <utility>

// Attempts: what runs next, how it ends, and what is tried again.
namespace eventweft::processing {

size_t board::hold(size_t lanes) {
  const auto before = dispatcher_.hold(lanes);
  if (lanes < before)
    for (auto& [name, w] : works_)
      dispatcher_.enroll(*w);
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
  if (auto spent = take_spent(now))
    return spent;
  if (auto announced = take_announced(async, now))
    return announced;
  call_group(now);
  while (const auto picked = dispatcher_.next(async)) {
    auto& w = static_cast<work&>(*picked->whose);
    auto& i = w.items.at(picked->seq);
    if (!i.suspect)
      return begin(w, i, now);
    announce(w, i, 0);
  }
  return std::nullopt;
}

job board::begin(work& w, item& i, timestamp now) {
  job out;
  out.id = ++last_job_;
  out.processor = w.what;
  out.event = i.event;
  out.spent = i.spent;
  if (!std::exchange(i.announced, false) && !i.spent)
    ++i.attempts;
  out.attempt = i.attempts;
  out.lane = lanes_in_order[i.lane];
  out.waited = now - i.ready_since;
  out.deadline = now + w.what->what.timeout + w.what->what.grace;
  i.job = out.id;
  i.due = out.deadline;
  i.attempt_began = now;
  if (i.started == timestamp{})
    i.started = now;
  i.status = status::processing;
  flights_.emplace(out.id, flight{&w, i.seq});
  risky_ += w.risky ? 1 : 0;
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
  risky_ -= w.risky ? 1 : 0;
  if (std::exchange(i.cut_off, false))
    std::erase(suspects_, std::pair{&w, i.seq});
  leave_group(i, now);
  dispatcher_.ended(w);

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
    open->company = 0;
    open->history = i.history;
  }
  f.changed = true;
  w.rows.push_back(row_of(i));
  ++news_;
  retry_later(w, i);
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
  if (!key.empty())
    if (const auto next = w.lines.leave(key))
      come_forward(w, w.items.at(*next), now);
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
  if (!suspects_.empty() && others_until_ != timestamp{} &&
      (!out || others_until_ < *out))
    out = others_until_;
  return out;
}

} // namespace eventweft::processing
