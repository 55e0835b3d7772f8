// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/asker.hpp"
#include "actors/caf_compat.hpp"
#include "actors/directory.hpp"
#include "net/backend.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>

/// How threads that are no actors ask one.
namespace eventweft {

inline constexpr std::chrono::milliseconds restart_pause{100};

/// Asks whoever `find` names and hands the answer on, exactly once. If the
/// asked actor dies, its successor is asked, once: all of these only read, or
/// do the same when done twice.
template <class R, class Find, class... Ts>
class question final : public ask_job {
 public:
  question(std::chrono::milliseconds timeout, net::reply_to<R> reply, Find find,
           Ts... xs)
      : timeout_(timeout),
        reply_(std::move(reply)),
        find_(std::move(find)),
        args_(std::move(xs)...) {}

  ~question() override {
    finish(fail(ec::overloaded, "an inner part is restarting"));
  }

  void run(asker_actor::pointer self) override {
    auto me = std::static_pointer_cast<question>(shared_from_this());
    auto whom = find_();
    if (!whom) {
      again(self);
      return;
    }
    std::apply(
        [&](const auto&... xs) {
          ask(self, whom, timeout_, xs...)
              .then([me](R& x) { me->finish(std::move(x)); },
                    [me, self](const caf::error& e) {
                      if (is_actor_gone(e))
                        me->again(self);
                      else
                        me->finish(tl::unexpected{from_caf(e)});
                    });
        },
        args_);
  }

 private:
  void again(asker_actor::pointer self) {
    if (std::exchange(tried_, true)) {
      finish(fail(ec::overloaded, "an inner part is restarting"));
      return;
    }
    run_after(self, restart_pause,
              [me = shared_from_this(), self] { me->run(self); });
  }

  void finish(expected<R> x) {
    if (auto reply = std::exchange(reply_, nullptr))
      reply(std::move(x));
  }

  std::chrono::milliseconds timeout_;
  net::reply_to<R> reply_;
  Find find_;
  std::tuple<Ts...> args_;
  bool tried_ = false;
};

template <class R, class Find, class... Ts>
void put_question(directory& peers, std::chrono::milliseconds timeout,
                  net::reply_to<R> reply, Find find, Ts... xs) {
  auto asker = peers.askers.next();
  if (!asker) {
    reply(fail(ec::shutting_down, "the server starts or stops"));
    return;
  }
  tell_anon(asker,
            ask_job_ptr{std::make_shared<question<R, Find, Ts...>>(
                timeout, std::move(reply), std::move(find), std::move(xs)...)});
}

/// Asks for nothing but that something is done, once.
template <class Find, class... Ts>
class errand final : public ask_job {
 public:
  errand(std::chrono::milliseconds timeout, net::reply_to<bool> reply,
         Find find, Ts... xs)
      : timeout_(timeout),
        reply_(std::move(reply)),
        find_(std::move(find)),
        args_(std::move(xs)...) {}

  ~errand() override {
    finish(fail(ec::overloaded, "an inner part is restarting"));
  }

  void run(asker_actor::pointer self) override {
    auto me = std::static_pointer_cast<errand>(shared_from_this());
    auto whom = find_();
    if (!whom)
      return;
    std::apply(
        [&](const auto&... xs) {
          ask(self, whom, timeout_, xs...)
              .then([me] { me->finish(true); },
                    [me](const caf::error& e) {
                      me->finish(tl::unexpected{from_caf(e)});
                    });
        },
        args_);
  }

 private:
  void finish(expected<bool> x) {
    if (auto reply = std::exchange(reply_, nullptr))
      reply(std::move(x));
  }

  std::chrono::milliseconds timeout_;
  net::reply_to<bool> reply_;
  Find find_;
  std::tuple<Ts...> args_;
};

template <class Find, class... Ts>
void put_errand(directory& peers, std::chrono::milliseconds timeout,
                net::reply_to<bool> reply, Find find, Ts... xs) {
  auto asker = peers.askers.next();
  if (!asker) {
    reply(fail(ec::shutting_down, "the server starts or stops"));
    return;
  }
  tell_anon(asker,
            ask_job_ptr{std::make_shared<errand<Find, Ts...>>(
                timeout, std::move(reply), std::move(find), std::move(xs)...)});
}

} // namespace eventweft
