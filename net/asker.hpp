// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/backend.hpp"
#include "net/gate.hpp"
#include "net/types.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace eventweft::net {

/// Lets a coroutine wait for a `backend` call, which answers on any thread.
/// Belongs to one session; one call at a time.
class asker {
 public:
  asker(executor ex, gate_ptr way_in)
      : woken_(ex, steady_clock::time_point::max()),
        way_in_(std::move(way_in)) {}

  /// `co_await ask.call<T>([&](reply_to<T> reply) { backend.…(…, reply); })`.
  /// `shutting_down` or `timed_out` after `give_up`.
  template <class T, class Start>
  awaitable<expected<T>> call(Start start) {
    auto shared = std::make_shared<state<T>>();
    shared->waiting = this;
    given_up_ = ec::none;
    start(reply_to<T>{[shared, way_in = way_in_](expected<T> r) {
      way_in->post([shared, r = std::move(r)]() mutable {
        shared->result = std::move(r);
        if (shared->waiting != nullptr)
          shared->waiting->woken_.cancel();
      });
    }});
    error_code ignored;
    while (!shared->result && given_up_ == ec::none)
      co_await woken_.async_wait(into(ignored));
    shared->waiting = nullptr;
    if (shared->result)
      co_return std::move(*shared->result);
    co_return fail(given_up_, "no answer from the part that was asked");
  }

  /// Makes the coroutine go on without an answer. On the I/O thread.
  void give_up(ec why) {
    given_up_ = why;
    woken_.cancel();
  }

 private:
  template <class T>
  struct state {
    std::optional<expected<T>> result;
    asker* waiting = nullptr;
  };

  steady_timer woken_;
  gate_ptr way_in_;
  ec given_up_ = ec::none;
};

} // namespace eventweft::net
