// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <eventweft/reply.hpp>

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace eventweft {

template <class T>
class BasicTask;

namespace embed {

/// What both kinds of tasks share. A task starts when the engine says so, and
/// its frame goes with its end.
struct TaskPromiseBase {
  std::suspend_always initial_suspend() const noexcept { return {}; }
  std::suspend_never final_suspend() const noexcept { return {}; }

  /// Holds the handler and the event: a coroutine refers to them.
  std::shared_ptr<void> kept;
};

} // namespace embed

/// What a handler returns that is a coroutine: it may `co_await` whatever it
/// likes and holds no worker while it waits. It goes on where its awaitable
/// resumes it. `Task` has no reply, `ReplyTask` ends with `co_return Reply`.
template <>
class [[nodiscard]] BasicTask<void> {
 public:
  struct promise_type : embed::TaskPromiseBase {
    BasicTask get_return_object() {
      return BasicTask{
          std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    void return_void() { ended(nullptr); }
    void unhandled_exception() { ended(std::current_exception()); }
    std::function<void(std::exception_ptr)> ended;
  };

  BasicTask(BasicTask&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  BasicTask& operator=(BasicTask&&) = delete;
  ~BasicTask() {
    if (handle_)
      handle_.destroy();
  }

  /// Runs up to the first suspension. Called by the library.
  void start(std::shared_ptr<void> kept,
             std::function<void(std::exception_ptr)> ended) && {
    const auto handle = std::exchange(handle_, nullptr);
    handle.promise().kept = std::move(kept);
    handle.promise().ended = std::move(ended);
    handle.resume();
  }

 private:
  explicit BasicTask(std::coroutine_handle<promise_type> handle) noexcept
      : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

template <>
class [[nodiscard]] BasicTask<Reply> {
 public:
  struct promise_type : embed::TaskPromiseBase {
    BasicTask get_return_object() {
      return BasicTask{
          std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    void return_value(Reply reply) { ended(nullptr, std::move(reply)); }
    void unhandled_exception() { ended(std::current_exception(), Reply{}); }
    std::function<void(std::exception_ptr, Reply)> ended;
  };

  BasicTask(BasicTask&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  BasicTask& operator=(BasicTask&&) = delete;
  ~BasicTask() {
    if (handle_)
      handle_.destroy();
  }

  /// Runs up to the first suspension. Called by the library.
  void start(std::shared_ptr<void> kept,
             std::function<void(std::exception_ptr, Reply)> ended) && {
    const auto handle = std::exchange(handle_, nullptr);
    handle.promise().kept = std::move(kept);
    handle.promise().ended = std::move(ended);
    handle.resume();
  }

 private:
  explicit BasicTask(std::coroutine_handle<promise_type> handle) noexcept
      : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

using Task = BasicTask<void>;
using ReplyTask = BasicTask<Reply>;

} // namespace eventweft
