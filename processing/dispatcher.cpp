// SPDX-License-Identifier: Apache-2.0
#include "processing/dispatcher.hpp"

#include <utility>

namespace eventweft::processing {

size_t dispatcher::hold(size_t lanes) noexcept {
  return std::exchange(held_, lanes);
}

bool dispatcher::hold_risky(bool held) noexcept {
  return std::exchange(risky_held_, held);
}

void dispatcher::add(workload& w, size_t lane, seq_t seq) {
  w.ready[lane].push_back(seq);
  ++depth_[side(w.async)][lane];
  enroll(w);
}

void dispatcher::enroll(workload& w) {
  for (size_t lane = 0; lane < lane_count; ++lane)
    if (!w.enrolled[lane] && eligible(w, lane)) {
      w.enrolled[lane] = true;
      rings_[side(w.async)][lane].push_back(&w);
    }
}

bool dispatcher::eligible(const workload& w, size_t lane) const {
  return lane >= held_ && !(risky_held_ && w.risky) &&
         w.running < w.concurrency && !w.ready[lane].empty();
}

std::optional<dispatcher::pick> dispatcher::next(bool async) {
  auto& rings = rings_[side(async)];
  auto& depth = depth_[side(async)];
  std::array<lane_work, lane_count> work{};
  for (size_t lane = 0; lane < lane_count; ++lane) {
    auto& r = rings[lane];
    while (!r.empty() && !eligible(*r.front(), lane)) {
      r.front()->enrolled[lane] = false;
      r.pop_front();
    }
    work[lane] = !r.empty()         ? lane_work::ready
                 : depth[lane] != 0 ? lane_work::blocked
                                    : lane_work::none;
  }
  const auto lane = turns_[side(async)].next(work);
  if (!lane)
    return std::nullopt;
  auto& w = *rings[*lane].front();
  rings[*lane].pop_front();
  w.enrolled[*lane] = false;
  const pick out{&w, *lane, w.ready[*lane].front()};
  w.ready[*lane].pop_front();
  --depth[*lane];
  ++w.running;
  enroll(w);
  return out;
}

void dispatcher::ended(workload& w) {
  --w.running;
  enroll(w);
}

void dispatcher::remove(workload& w) {
  for (size_t lane = 0; lane < lane_count; ++lane) {
    depth_[side(w.async)][lane] -= w.ready[lane].size();
    std::erase(rings_[side(w.async)][lane], &w);
  }
}

std::array<size_t, lane_count> dispatcher::depth() const noexcept {
  std::array<size_t, lane_count> all{};
  for (const auto& lanes : depth_)
    for (size_t lane = 0; lane < lane_count; ++lane)
      all[lane] += lanes[lane];
  return all;
}

} // namespace eventweft::processing
