// SPDX-License-Identifier: Apache-2.0
#include "correlation/thread_forest.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::correlation {

thread_forest::node thread_forest::of_thread(const uuid& thread,
                                             uint64_t events) {
  const auto [at, fresh] = by_thread_.try_emplace(thread, trees_.size());
  if (fresh)
    add(thread, events, events, {});
  return at->second;
}

thread_forest::node thread_forest::add_event(const uuid& event) {
  return add({}, 0, 1, event);
}

thread_forest::node thread_forest::add(const uuid& thread, uint64_t stored,
                                       uint64_t total, const uuid& event) {
  const node n = trees_.size();
  trees_.push_back({n, thread, stored, total, n, event, {}, {}, {}});
  return n;
}

thread_forest::node thread_forest::root(node n) {
  while (trees_[n].parent != n) {
    trees_[n].parent = trees_[trees_[n].parent].parent;
    n = trees_[n].parent;
  }
  return n;
}

bool thread_forest::unite(node a, node b, const uuid& event,
                          const std::string& key) {
  // Whether `x`'s id stays when both become one: that of the larger thread, so
  // that the smaller one's rows are rewritten; of two alike, the older.
  const auto outlives = [](const tree& x, const tree& y) {
    if (x.thread.is_nil() || y.thread.is_nil())
      return !x.thread.is_nil();
    return x.stored != y.stored ? x.stored > y.stored : x.thread < y.thread;
  };
  a = root(a);
  b = root(b);
  if (a == b)
    return true;
  auto& x = trees_[a];
  auto& y = trees_[b];
  if (x.total > 1 && y.total > 1 && x.total + y.total > max_joined_events_)
    return false;
  y.parent = a;
  x.total += y.total;
  x.oldest = std::min(x.oldest, y.oldest);
  wish(a, y.wish);
  const auto lost = outlives(trees_[y.best], trees_[x.best])
                        ? std::exchange(x.best, y.best)
                        : y.best;
  // Each thread loses once: to the one that took its place.
  trees_[lost].lost_by_event = event;
  trees_[lost].lost_by_key = key;
  return true;
}

void thread_forest::wish(node n, const uuid& id) {
  auto& w = trees_[root(n)].wish;
  if (!id.is_nil() && (w.is_nil() || id < w))
    w = id;
}

bool thread_forest::is_fresh(node n) {
  return trees_[trees_[root(n)].best].thread.is_nil();
}

uuid thread_forest::thread_of(node n) {
  const auto& r = trees_[root(n)];
  const auto& thread = trees_[r.best].thread;
  if (!thread.is_nil())
    return thread;
  return r.wish.is_nil() ? r.oldest : r.wish;
}

std::vector<thread_merge> thread_forest::merges() {
  std::vector<thread_merge> out;
  for (const auto& [thread, n] : by_thread_)
    if (trees_[root(n)].best != n)
      out.push_back({thread, thread_of(n), trees_[n].lost_by_event,
                     trees_[n].lost_by_key});
  return out;
}

} // namespace eventweft::correlation
