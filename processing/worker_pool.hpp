// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

namespace eventweft::processing {

/// Runs handlers, which may block. Thread-safe.
class runner {
 public:
  /// Must not throw.
  using task = std::function<void(std::stop_token)>;

  virtual ~runner() = default;

  /// Runs the task at once on a thread of its own. False, and nothing
  /// happens, if there is no free one.
  virtual bool run(uint64_t id, task what) = 0;

  /// Asks the task to stop and no longer waits for it: another thread takes
  /// its thread's place, as long as there are not too many lost ones.
  virtual void abandon(uint64_t id) = 0;

  struct counts {
    size_t idle = 0;
    size_t busy = 0;
    /// Abandoned and not back yet.
    size_t lost = 0;
  };
  virtual counts state() const = 0;
};

/// Threads for handlers: `workers` of them, and as many again at most for
/// those that never came back from a handler. A handler that hangs can't be
/// ended from outside without harm to the process: its thread is left alone,
/// and leaves by itself should the handler return.
class worker_pool final : public runner {
 public:
  /// `freed` is called, on any thread, whenever there may be a free worker
  /// again; it must not block.
  worker_pool(size_t workers, size_t max_lost, std::function<void()> freed);

  /// Asks everything to stop and waits for `grace` at most; what hangs longer
  /// is left behind and touches nothing of this object.
  ~worker_pool() override;
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  bool run(uint64_t id, task what) override;
  void abandon(uint64_t id) override;
  counts state() const override;

  static constexpr std::chrono::milliseconds grace{2'000};

 private:
  struct core;
  std::shared_ptr<core> core_;
};

} // namespace eventweft::processing
