// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/processing_engine_state.hpp"

#include <algorithm>
#include <utility>

// What was done, on its way to the store.
namespace eventweft {

namespace {

/// How often marks are written although nothing changed, so that retention
/// goes on waiting for the processor.
constexpr std::chrono::hours touch_interval{6};

} // namespace

// -- to the store ------------------------------------------------------------

void processing_engine_state::arm_writes() {
  if (std::exchange(writes_armed_, true))
    return;
  run_after(self_, options_.write_interval, [this] {
    writes_armed_ = false;
    bool more = false;
    for (auto& [n, e] : entries_)
      more = write(e) || more;
    hold_lanes(board_.news());
    const auto pool = options_.workers->state();
    ctx_.figures->set_workers(pool.idle, pool.busy, pool.lost);
    publish();
    pump();
    if (more)
      arm_writes();
  });
}

void processing_engine_state::hold_lanes(size_t unwritten) {
  const auto limit = options_.max_unwritten;
  const size_t held =
      unwritten <= limit
          ? 0
          : std::min(1 + (unwritten - limit) * processing::lane_count / limit,
                     processing::lane_count);
  if (board_.hold(held) == 0 && held != 0)
    ctx_.log->warn("processors wait: what they have done is not written yet");
}

bool processing_engine_state::write(entry& e) {
  const auto& n = e.what->what.name;
  if (!board_.has(n))
    return false;
  const auto state = board_.state_of(n);
  ctx_.figures->set_processor(n, state.ready, state.running, state.waiting);
  if (e.under_way || e.letters > 0)
    return true;
  const auto time = now();
  if (time - e.touched >= touch_interval) {
    e.touched = time;
    board_.touch(n);
  }
  if (e.writing) {
    // It failed before: others may have come to an end since.
    auto again = std::make_shared<processing::write_request>(*e.writing);
    note_settled(n, again->changes.rows);
    e.writing = std::move(again);
  }
  const bool due = board_.has_news(n) || !e.after_next.empty() ||
                   time - e.written >= options_.mark_interval;
  if (!e.writing && due) {
    auto what = board_.collect(n, time);
    note_settled(n, what.rows);
    if (!what.empty())
      e.writing = std::make_shared<processing::write_request>(
          processing::write_request{n, e.owner, std::move(what)});
    e.after_this = std::exchange(e.after_next, {});
    e.written = time;
  }
  if (e.writing)
    send(e);
  else
    written(e);
  return e.writing || !due || state.ready + state.running + state.waiting > 0;
}

void processing_engine_state::note_settled(
    const std::string& n, std::vector<processing::status_row>& rows) const {
  for (auto& row : rows) {
    row.settled = row.status == processing::status::completed ||
                  row.status == processing::status::failed;
    row.others.clear();
    if (!row.settled)
      continue;
    for (const auto& [other, e] : entries_) {
      if (other == n)
        continue;
      if (!board_.has(other)) {
        if (e.what->filter.matches(*row.event))
          row.others.push_back(other);
      } else if (board_.owes(other, *row.event)) {
        row.settled = false;
        break;
      }
    }
  }
}

void processing_engine_state::send(entry& e) {
  if (!options_.durable) {
    written(e);
    return;
  }
  auto journal = ctx_.peers->journal.get();
  if (!journal)
    return;
  e.under_way = true;
  ask(self_, journal, options_.timeout, append_atom_v, e.writing)
      .then(
          [this, n = e.what->what.name, epoch = e.epoch] {
            if (auto* x = current(n, epoch)) {
              x->under_way = false;
              x->detail.clear();
              written(*x);
              if (stopping_ || board_.has_news(n))
                arm_writes();
              pump();
            }
          },
          [this, n = e.what->what.name,
           epoch = e.epoch](const caf::error& why) {
            if (auto* x = current(n, epoch))
              not_written(*x, from_caf(why));
          });
}

void processing_engine_state::write_last(entry& e) {
  const auto& n = e.what->what.name;
  const auto journal = ctx_.peers->journal.get();
  if (!options_.durable || !journal || !board_.has(n) || e.letters > 0)
    return;
  board_.let_go(n, now());
  std::vector<processing::write_ptr> all;
  if (e.writing && !e.under_way)
    all.push_back(e.writing);
  auto last = std::make_shared<processing::write_request>(
      processing::write_request{n, e.owner, board_.collect(n, now())});
  note_settled(n, last->changes.rows);
  if (!last->changes.empty())
    all.push_back(std::move(last));
  for (const auto& what : all)
    ask(self_, journal, options_.timeout, append_atom_v, what)
        .then([] {},
              [this, n](const caf::error& why) {
                ctx_.log->warn("the last of processor {} was not written, it "
                               "will be done again: {}",
                               n, to_string(from_caf(why)));
              });
}

void processing_engine_state::written(entry& e) {
  e.writing = nullptr;
  board_.written(e.what->what.name);
  for (auto& promise : e.after_this)
    promise.deliver();
  e.after_this.clear();
  if (std::exchange(e.begun, false))
    fetch_missing(e);
  end_let_go(e);
  end_flush();
}

void processing_engine_state::not_written(entry& e, const error& why) {
  e.under_way = false;
  if (why.code == ec::not_owner) {
    drop(e);
    tell(self_, self_, poll_atom_v);
    return;
  }
  if (std::exchange(e.detail, to_string(why)).empty())
    ctx_.log->warn("what processor {} has done is not written: {}",
                   e.what->what.name, to_string(why));
  if (why.code == ec::row_refused || why.code == ec::unprocessable) {
    // It would be refused for ever; the events are done with all the same.
    ctx_.log->critical("the store refuses what processor {} has done",
                       e.what->what.name);
    board_.touch(e.what->what.name);
    written(e);
  }
  arm_writes();
}

} // namespace eventweft
