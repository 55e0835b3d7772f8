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

void directory::clear() {
  writer.set({});
  reader.set({});
  hub.set({});
  dead_letters.set({});
  spool_worker.set({});
  write_worker.set({});
  read_workers.clear();
  askers.clear();
  std::lock_guard guard{mutex_};
  platforms_.clear();
}

} // namespace eventweft
