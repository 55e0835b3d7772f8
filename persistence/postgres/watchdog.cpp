// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/watchdog.hpp"

#include <sys/socket.h>

namespace eventweft::postgres {

watchdog::watchdog() : thread_([this] { run(); }) {}

watchdog::~watchdog() {
  {
    std::lock_guard lock{mutex_};
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void watchdog::run() {
  std::unique_lock lock{mutex_};
  while (!ending_) {
    if (watched_.empty() || watched_.begin()->first == never) {
      changed_.wait(lock);
      continue;
    }
    auto next = watched_.begin()->first;
    if (std::chrono::steady_clock::now() < next) {
      changed_.wait_until(lock, next);
      continue;
    }
    // The guard's owner is inside libpq, which sees the end of the stream.
    ::shutdown(watched_.begin()->second, SHUT_RDWR);
    auto entry = watched_.extract(watched_.begin());
    entry.key() = never;
    watched_.insert(std::move(entry));
  }
}

void watchdog::give_up() {
  std::lock_guard lock{mutex_};
  given_up_ = true;
  for (const auto& [deadline, socket] : watched_)
    ::shutdown(socket, SHUT_RDWR);
}

bool watchdog::given_up() const {
  std::lock_guard lock{mutex_};
  return given_up_;
}

watchdog::guard::guard(watchdog& dog, int socket, time_point deadline)
    : dog_(dog) {
  bool first = false;
  {
    std::lock_guard lock{dog_.mutex_};
    entry_ = dog_.watched_.emplace(deadline, socket);
    first = entry_ == dog_.watched_.begin();
    if (dog_.given_up_)
      ::shutdown(socket, SHUT_RDWR);
  }
  if (first)
    dog_.changed_.notify_one();
}

watchdog::guard::~guard() {
  std::lock_guard lock{dog_.mutex_};
  dog_.watched_.erase(entry_);
}

} // namespace eventweft::postgres
