// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/stream_hub_state.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

void stream_hub_state::pump_all() {
  for (auto& [number, lane] : book_->lanes)
    pump(lane);
  count_tried();
}

void stream_hub_state::pump(lane_record& lane) {
  readers_.serve_waiting(lane);
  while (started_ && !lane.reading && lane.sent < ring_.head() &&
         lane.outstanding->load() < lane_window) {
    if (lane.sent < ring_.floor()) {
      read_for(lane);
      return;
    }
    auto last =
        ring_.reach(lane.sent, options_.batch_events, options_.batch_bytes);
    publish(lane,
            {lane.sent + 1, last,
             matches_.slices(lane.sent + 1, last, lane.group_ids)},
            latest_);
  }
}

void stream_hub_state::publish(lane_record& lane, lane_batch batch,
                               timestamp since) {
  lane.sent = batch.last;
  lane.outstanding->fetch_add(1);
  lane.since.push_back(since);
  lane.port->publish(
      std::move(batch),
      [peers = ctx_.peers, number = lane.number, count = lane.outstanding] {
        count->fetch_sub(1);
        if (auto hub = peers->hub.get())
          tell_anon(hub, ready_atom_v, number);
      });
  readers_.serve_waiting(lane);
}

void stream_hub_state::read_for(lane_record& lane) {
  lane.reading = true;
  auto number = lane.number;
  auto after = lane.sent;
  const std::function<void()> later = [this, number] {
    run_after(self_, lane_pauses_.next(*ctx_.random), [this, number] {
      if (auto* l = book_->find(number)) {
        l->reading = false;
        pump(*l);
      }
    });
  };
  auto store = ctx_.peers->reader.get();
  if (!store) {
    later();
    return;
  }
  const auto known = names_.news();
  page_request page{after, options_.batch_events, options_.batch_bytes};
  ask(self_, store, options_.store_timeout, page_atom_v, page)
      .then(
          [this, store, number, after, known, later](log_range& range) {
            with_names(
                store,
                [this, number, after, known, later, range = std::move(range)] {
                  if (names_.news() == known)
                    read_lane(number, after, range, later);
                  else if (auto* l = book_->find(number)) {
                    l->reading = false;
                    pump(*l);
                  }
                },
                later);
          },
          [later](const caf::error&) { later(); });
}

void stream_hub_state::read_lane(lane_number number, seq_t after,
                                 const log_range& range,
                                 const std::function<void()>& later) {
  auto* l = book_->find(number);
  if (!l || l->sent != after)
    return;
  auto last = std::min(range.last, ring_.head());
  if (last <= after) {
    later();
    return;
  }
  l->reading = false;
  lane_pauses_.reset();
  // Of those before a restart nobody else would tell.
  learn_merges(range.events);
  publish(*l,
          {after + 1, last,
           matches_.slices_of(range.events, after + 1, last, l->group_ids)},
          ctx_.time->now());
  pump(*l);
}

void stream_hub_state::ready(lane_number number) {
  auto* lane = book_->find(number);
  if (!lane)
    return;
  auto left = static_cast<size_t>(std::max(lane->outstanding->load(), 0));
  auto now = ctx_.time->now();
  while (lane->since.size() > left) {
    ctx_.figures->stage_took(stage::publish, now - lane->since.front());
    lane->since.pop_front();
  }
  pump(*lane);
}

} // namespace eventweft
