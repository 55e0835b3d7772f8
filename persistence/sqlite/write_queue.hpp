// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

namespace eventweft::sqlite {

/// Who writes next, among the writers of one store in this process: in the
/// order in which they came. SQLite itself lets a writer ask again and again,
/// up to 100 ms apart, and whoever asks at the right moment wins: beside a busy
/// log others could wait until their time-out. Its own lock still stands
/// between processes. Any thread.
class write_queue {
 public:
  /// The right to write, until it is destroyed. Empty if it did not come in
  /// time.
  class turn {
   public:
    turn() = default;
    explicit turn(std::shared_ptr<write_queue> queue) noexcept
        : queue_(std::move(queue)) {}
    ~turn() { end(); }
    turn(turn&& other) noexcept = default;
    turn& operator=(turn&&) = delete;

    explicit operator bool() const noexcept { return queue_ != nullptr; }

    void end() noexcept;

   private:
    std::shared_ptr<write_queue> queue_;
  };

  /// Waits for `queue`'s next turn for at most `patience`. A thread that has
  /// one must not wait for another.
  static turn wait(const std::shared_ptr<write_queue>& queue,
                   std::chrono::milliseconds patience);

  /// How many wait.
  size_t waiting() const;

 private:
  struct waiter {
    std::condition_variable called;
    bool is_next = false;
  };

  mutable std::mutex mutex_;
  bool busy_ = false;
  std::list<waiter> waiters_;
};

} // namespace eventweft::sqlite
