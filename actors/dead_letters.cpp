// SPDX-License-Identifier: Apache-2.0
#include "actors/dead_letters.hpp"

#include "actors/backoff.hpp"
#include "actors/caf_compat.hpp"

#include <deque>
#include <utility>

namespace eventweft {

namespace {

class dead_letters_state {
 public:
  static inline constexpr const char* name = "dead_letters";

  dead_letters_state(dead_letters_actor::pointer self, actor_context ctx,
                     dead_letters_options options)
      : self_(self),
        ctx_(std::move(ctx)),
        options_(options),
        pauses_(options.retry_min, options.retry_max) {}

  dead_letters_actor::behavior_type make_behavior() {
    return {
        [this](dead_letter_atom, const dead_letter& x) { return take(x); },
    };
  }

 private:
  struct waiting {
    dead_letter letter;
    caf::typed_response_promise<void> promise;
  };

  caf::result<void> take(const dead_letter& x) {
    ctx_.figures->dead_letter_added(x.origin);
    ctx_.log->error("dead letter {} from {} after {} attempts: {}",
                    to_string(x.id), x.origin, x.attempts, x.reason);
    if (queue_.size() >= options_.queue_max)
      return to_caf(ec::overloaded, "too many dead letters wait");
    auto promise = self_->make_response_promise<void>();
    queue_.push_back({x, promise});
    pump();
    return promise;
  }

  void pump() {
    if (busy_ || queue_.empty())
      return;
    busy_ = true;
    auto store = ctx_.peers->reader.get();
    if (!store) {
      later();
      return;
    }
    ask(self_, store, options_.timeout, dead_letter_atom_v,
        queue_.front().letter)
        .then(
            [this] {
              pauses_.reset();
              auto done = std::move(queue_.front());
              queue_.pop_front();
              busy_ = false;
              done.promise.deliver();
              pump();
            },
            [this](const caf::error& e) {
              auto why = from_caf(e);
              if (why.code != ec::row_refused) {
                later();
                return;
              }
              ctx_.log->critical("the store refuses dead letter {}: {}",
                                 to_string(queue_.front().letter.id),
                                 to_string(why));
              auto lost = std::move(queue_.front());
              queue_.pop_front();
              busy_ = false;
              lost.promise.deliver(to_caf(why));
              pump();
            });
  }

  void later() {
    run_after(self_, pauses_.next(*ctx_.random), [this] {
      busy_ = false;
      pump();
    });
  }

  dead_letters_actor::pointer self_;
  actor_context ctx_;
  dead_letters_options options_;
  backoff pauses_;
  std::deque<waiting> queue_;
  bool busy_ = false;
};

} // namespace

dead_letters_actor spawn_dead_letters(caf::actor_system& sys, actor_context ctx,
                                      dead_letters_options options) {
  using impl =
      caf::stateful_actor<dead_letters_state, dead_letters_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), options);
}

} // namespace eventweft
