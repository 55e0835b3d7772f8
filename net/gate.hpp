// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace eventweft::net {

/// The way from other threads into an I/O thread, safe to hold for longer than
/// that thread lives. Calls keep their order. Thread-safe.
class gate {
 public:
  explicit gate(boost::asio::io_context& context) : context_(&context) {}

  /// Runs `f` on the I/O thread. False, and `f` is dropped, once closed.
  template <class F>
  bool post(F&& f) {
    const std::lock_guard lock{mutex_};
    if (context_ == nullptr)
      return false;
    boost::asio::post(*context_, std::forward<F>(f));
    return true;
  }

  /// From now on nothing gets in.
  void close() {
    const std::lock_guard lock{mutex_};
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  boost::asio::io_context* context_;
};

using gate_ptr = std::shared_ptr<gate>;

} // namespace eventweft::net
