// SPDX-License-Identifier: Apache-2.0
#include "actors/directory.hpp"

namespace eventweft {

platform_actor directory::platform(std::string_view name) {
  std::lock_guard guard{mutex_};
  auto i = platforms_.find(name);
  return i == platforms_.end() ? platform_actor{} : i->second.next();
}

void directory::set_platform(const std::string& name, size_t index,
                             platform_actor h) {
  std::lock_guard guard{mutex_};
  platforms_[name].set(index, std::move(h));
}

letter_taker_actor directory::letter_taker(std::string_view kind) {
  std::lock_guard guard{mutex_};
  const auto i = letter_takers_.find(kind);
  return i == letter_takers_.end() ? letter_taker_actor{} : i->second;
}

void directory::set_letter_taker(const std::string& kind,
                                 letter_taker_actor h) {
  std::lock_guard guard{mutex_};
  letter_takers_[kind] = std::move(h);
}

void directory::clear() {
  writer.set({});
  reader.set({});
  hub.set({});
  dead_letters.set({});
  journal.set({});
  engine.set({});
  spool_worker.set({});
  subscription_worker.set({});
  delivery_recorder.set({});
  subscriptions.set({});
  write_worker.set({});
  sync_worker.set({});
  read_workers.clear();
  askers.clear();
  std::lock_guard guard{mutex_};
  platforms_.clear();
  letter_takers_.clear();
}

} // namespace eventweft
