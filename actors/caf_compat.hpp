// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/logger.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <utility>

/// Everything that CAF 0.18 and 1.x spell differently. The rest of actors/ is
/// the same for both.
namespace eventweft {

/// Sends without waiting for an answer.
template <class Self, class Handle, class... Ts>
void tell(Self* self, const Handle& to, Ts&&... xs) {
  self->send(to, std::forward<Ts>(xs)...);
}

/// The same from outside of any actor, on any thread.
template <class Handle, class... Ts>
void tell_anon(const Handle& to, Ts&&... xs) {
  caf::anon_send(to, std::forward<Ts>(xs)...);
}

/// Asks; continue with `.then(on_answer, on_error)`, always with both.
template <class Self, class Handle, class... Ts>
auto ask(Self* self, const Handle& to, std::chrono::milliseconds timeout,
         Ts&&... xs) {
  return self->request(to, timeout, std::forward<Ts>(xs)...);
}

/// The same without a timer of its own. Only where whoever waits for the
/// outcome has a deadline: CAF's clock wakes its thread for every timer, which
/// is too much for something done thousands of times a second. The death of
/// the asked actor is an error here as well.
template <class Self, class Handle, class... Ts>
auto ask_untimed(Self* self, const Handle& to, Ts&&... xs) {
  return self->request(to, caf::infinite, std::forward<Ts>(xs)...);
}

/// Runs `f` in the actor after `delay`, unless the actor has ended by then.
template <class Self, class F>
void run_after(Self* self, std::chrono::milliseconds delay, F f) {
  self->run_delayed(delay, std::move(f));
}

/// `f(address, reason)` for each watched actor that ends.
template <class Self, class F>
void on_down(Self* self, F f) {
  self->set_down_handler([f = std::move(f)](caf::down_msg& msg) mutable {
    f(msg.source, msg.reason);
  });
}

/// For the block in which a thread that may be anybody's makes an actor or an
/// actor system. CAF leaves its logger in every such thread, and the system's
/// end waits until no thread has it any more: for ever, if a host's thread goes
/// on living. At the end of the block the thread has no logger that it did not
/// have before. CAF's own threads keep theirs.
class no_logger_left {
 public:
  no_logger_left() : before_(caf::logger::current_logger()) {}
  ~no_logger_left() {
    if (caf::logger::current_logger() == before_)
      return;
#if CAF_MAJOR_VERSION >= 1
    caf::logger::current_logger(nullptr);
#else
    caf::logger::set_current_actor_system(nullptr);
#endif
  }
  no_logger_left(const no_logger_left&) = delete;
  no_logger_left& operator=(const no_logger_left&) = delete;

 private:
  /// Only compared.
  const caf::logger* before_;
};

/// Ends an actor from anywhere.
template <class Handle>
void end_actor(const Handle& who, caf::exit_reason why) {
  caf::anon_send_exit(who, why);
}

} // namespace eventweft
