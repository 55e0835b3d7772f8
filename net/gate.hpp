// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <deque>
#include <iterator>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace eventweft::net {

/// The way into an I/O thread, safe to hold for longer than that thread lives.
/// Calls keep their order, whichever threads they come from: Asio alone lets
/// calls from the I/O thread itself wait until its handler has ended, while
/// later ones from elsewhere pass them. Thread-safe. Made by `make_shared`.
class gate : public std::enable_shared_from_this<gate> {
 public:
  explicit gate(boost::asio::io_context& context) : context_(&context) {}

  /// Runs `f` on the I/O thread. False, and `f` is dropped, once closed.
  template <class F>
  bool post(F&& f) {
    task_ptr one =
        std::make_unique<task_of<std::decay_t<F>>>(std::forward<F>(f));
    const std::lock_guard lock{mutex_};
    if (context_ == nullptr)
      return false;
    tasks_.push_back(std::move(one));
    schedule();
    return true;
  }

  /// From now on nothing gets in.
  void close() {
    const std::lock_guard lock{mutex_};
    context_ = nullptr;
  }

  /// Drops what was let in and never ran. For when the thread has ended, before
  /// the context goes: what waits may hold sockets of it.
  void drop() {
    std::deque<task_ptr> dropped;
    const std::lock_guard lock{mutex_};
    dropped.swap(tasks_);
  }

 private:
  struct task {
    virtual ~task() = default;
    virtual void run() = 0;
  };
  using task_ptr = std::unique_ptr<task>;

  template <class F>
  struct task_of final : task {
    template <class G>
    explicit task_of(G&& g) : f(std::forward<G>(g)) {}
    void run() override { f(); }
    F f;
  };

  void schedule() {
    if (!std::exchange(scheduled_, true))
      boost::asio::post(*context_,
                        [self = shared_from_this()] { self->run(); });
  }

  void run() {
    std::deque<task_ptr> now;
    {
      const std::lock_guard lock{mutex_};
      now.swap(tasks_);
      scheduled_ = false;
    }
    try {
      while (!now.empty()) {
        const auto one = std::move(now.front());
        now.pop_front();
        one->run();
      }
    } catch (...) {
      // Memory may run out for one; the others are none the worse for it.
      const std::lock_guard lock{mutex_};
      tasks_.insert(tasks_.begin(), std::make_move_iterator(now.begin()),
                    std::make_move_iterator(now.end()));
      if (context_ != nullptr && !tasks_.empty())
        schedule();
      throw;
    }
  }

  std::mutex mutex_;
  boost::asio::io_context* context_;
  std::deque<task_ptr> tasks_;
  bool scheduled_ = false;
};

using gate_ptr = std::shared_ptr<gate>;

} // namespace eventweft::net
