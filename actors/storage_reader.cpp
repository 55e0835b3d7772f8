// SPDX-License-Identifier: Apache-2.0
#include "actors/storage_reader.hpp"

#include "actors/caf_compat.hpp"
#include "actors/worker_restart.hpp"

#include <deque>
#include <functional>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

constexpr unsigned attempts = 20;

class storage_reader_state {
 public:
  static inline constexpr const char* name = "storage_reader";

  storage_reader_state(storage_reader_actor::pointer self, actor_context ctx,
                       storage_reader_options options)
      : self_(self),
        ctx_(std::move(ctx)),
        options_(options),
        busy_(std::max(options.workers, 1u), false) {}

  storage_reader_actor::behavior_type make_behavior() {
    return {
        [this](head_atom a) { return enqueue<seq_t>(quick_, a); },
        [this](page_atom a, const page_request& p) {
          return enqueue<log_range>(pages_, a, p);
        },
        [this](query_atom a, const event_query& q) {
          return enqueue<event_page>(quick_, a, q);
        },
        [this](find_atom a, const uuid& id) {
          return enqueue<event_ptr>(quick_, a, id);
        },
        [this](seek_atom a, timestamp t) {
          return enqueue<seq_t>(quick_, a, t);
        },
        [this](find_atom a, const std::vector<uuid>& threads) {
          return enqueue<std::vector<uuid>>(quick_, a, threads);
        },
        [this](find_atom a, const places_request& r) {
          return enqueue<places_page>(quick_, a, r);
        },
        [this](dead_letter_atom a, const dead_letter& d) {
          return enqueue<void>(quick_, a, d);
        },
        [this](list_atom a, const dead_letter_query& q) {
          return enqueue<std::vector<dead_letter>>(quick_, a, q);
        },
        [this](drop_atom a, const uuid& id) {
          return enqueue<bool>(quick_, a, id);
        },
    };
  }

 private:
  struct job {
    unsigned attempt = 1;
    /// Asks the worker at the slot.
    std::function<void(size_t, const store_worker_actor&, job&&)> run;
    std::function<void(const caf::error&)> fail;
  };

  using job_queue = std::deque<job>;

  template <class R, class... Ts>
  caf::result<R> enqueue(job_queue& queue, Ts... args) {
    if (quick_.size() + pages_.size() >= options_.queue_max)
      return to_caf(ec::overloaded, "too many readers wait for the store");
    auto promise = self_->template make_response_promise<R>();
    job x;
    x.fail = [promise](const caf::error& e) mutable { promise.deliver(e); };
    x.run = [this, &queue, promise,
             args...](size_t slot, const store_worker_actor& worker, job&& me) {
      // Kept until the answer, in case the worker dies under it.
      auto again = std::make_shared<job>(std::move(me));
      auto failed = [this, &queue, slot, again](const caf::error& e) {
        retry_or_fail(queue, again, slot, e);
      };
      auto pending = ask(self_, worker, options_.timeout, args...);
      if constexpr (std::is_void_v<R>)
        pending.then(
            [this, slot, promise]() mutable {
              promise.deliver();
              release(slot);
            },
            failed);
      else
        pending.then(
            [this, slot, promise](R& result) mutable {
              promise.deliver(std::move(result));
              release(slot);
            },
            failed);
    };
    queue.push_back(std::move(x));
    pump();
    return promise;
  }

  /// The slot stays taken until there may be another worker in it.
  void retry_or_fail(job_queue& queue, std::shared_ptr<job> x, size_t slot,
                     const caf::error& e) {
    if (is_actor_gone(e) && x->attempt < attempts) {
      ++x->attempt;
      run_after(self_, worker_pause, [this, &queue, x, slot] {
        queue.push_front(std::move(*x));
        release(slot);
      });
      return;
    }
    auto why = from_caf(e);
    if (why.code == ec::store_unavailable)
      ctx_.figures->store_failed();
    x->fail(to_caf(why));
    release(slot);
  }

  void release(size_t slot) {
    busy_[slot] = false;
    pump();
  }

  /// The queue whose turn it is: mostly short questions, but every fourth
  /// time a page if both wait.
  job_queue& whose_turn() {
    if (quick_.empty())
      return pages_;
    if (pages_.empty())
      return quick_;
    return ++turn_ % 4 == 0 ? pages_ : quick_;
  }

  void pump() {
    bool lost = false;
    for (size_t slot = 0; slot < busy_.size(); ++slot) {
      if (quick_.empty() && pages_.empty())
        break;
      if (busy_[slot])
        continue;
      auto worker = ctx_.peers->read_workers.at(slot);
      if (!worker) {
        lost = true;
        continue;
      }
      auto& queue = whose_turn();
      auto next = std::move(queue.front());
      queue.pop_front();
      busy_[slot] = true;
      auto run = next.run;
      run(slot, worker, std::move(next));
    }
    ctx_.figures->set_reader_queue(quick_.size() + pages_.size());
    if (lost && !(quick_.empty() && pages_.empty()) &&
        !std::exchange(waiting_, true))
      run_after(self_, worker_pause, [this] {
        waiting_ = false;
        pump();
      });
  }

  storage_reader_actor::pointer self_;
  actor_context ctx_;
  storage_reader_options options_;
  job_queue quick_;
  job_queue pages_;
  std::vector<bool> busy_;
  unsigned turn_ = 0;
  bool waiting_ = false;
};

} // namespace

storage_reader_actor spawn_storage_reader(caf::actor_system& sys,
                                          actor_context ctx,
                                          storage_reader_options options) {
  using impl =
      caf::stateful_actor<storage_reader_state, storage_reader_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), options);
}

} // namespace eventweft
