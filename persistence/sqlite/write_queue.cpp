// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/write_queue.hpp"

namespace eventweft::sqlite {

write_queue::turn write_queue::wait(const std::shared_ptr<write_queue>& queue,
                                    std::chrono::milliseconds patience) {
  std::unique_lock lock{queue->mutex_};
  if (queue->busy_) {
    auto me = queue->waiters_.emplace(queue->waiters_.end());
    const bool in_time =
        me->called.wait_for(lock, patience, [&] { return me->is_next; });
    queue->waiters_.erase(me);
    if (!in_time)
      return {};
  }
  queue->busy_ = true;
  return turn{queue};
}

size_t write_queue::waiting() const {
  std::lock_guard lock{mutex_};
  return waiters_.size();
}

void write_queue::turn::end() noexcept {
  if (!queue_)
    return;
  {
    std::lock_guard lock{queue_->mutex_};
    // Handed over: whoever comes now does not get in between.
    queue_->busy_ = !queue_->waiters_.empty();
    if (queue_->busy_) {
      auto& next = queue_->waiters_.front();
      next.is_next = true;
      next.called.notify_one();
    }
  }
  queue_.reset();
}

} // namespace eventweft::sqlite
