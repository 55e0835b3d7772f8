// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/subscription_worker.hpp"

#include "actors/answer.hpp"
#include "actors/caf_compat.hpp"

#include <utility>

namespace eventweft {

namespace {

class subscription_worker_state {
 public:
  static inline constexpr const char* name = "subscription_worker";

  subscription_worker_state(subscription_worker_actor::pointer,
                            std::unique_ptr<subscription_store> store)
      : store_(std::move(store)) {}

  subscription_worker_actor::behavior_type make_behavior() {
    return {
        [this](list_atom) -> caf::result<subscription_list> {
          auto streams = store_->streams();
          if (!streams)
            return to_caf(streams.error());
          return answer(store_->subscriptions().map(
              [&](std::vector<subscription>&& subscriptions) {
                return subscription_list{std::move(*streams),
                                         std::move(subscriptions)};
              }));
        },
        [this](append_atom, const stream_definition& s) -> caf::result<void> {
          return answer(store_->add_stream(s));
        },
        [this](put_atom, const stream_definition& s) -> caf::result<void> {
          return answer(store_->change_stream(s));
        },
        [this](drop_atom, const std::string& stream) -> caf::result<void> {
          return answer(store_->drop_stream(stream));
        },
        [this](append_atom, const subscription_record& r) -> caf::result<void> {
          return answer(store_->add_subscription(r));
        },
        [this](put_atom, const subscription& s) -> caf::result<void> {
          return answer(store_->change_subscription(s));
        },
        [this](drop_atom, const uuid& id) -> caf::result<bool> {
          return answer(store_->drop_subscription(id));
        },
        [this](find_atom, const uuid& id) -> caf::result<subscription_record> {
          auto found = store_->find_subscription(id);
          if (!found)
            return to_caf(found.error());
          if (!*found)
            return to_caf(ec::not_found, "there is no such subscription");
          return std::move(**found);
        },
        [this](save_atom,
               const report_batch& b) -> caf::result<report_results> {
          return answer(store_->save(b.reports).map(
              [](std::vector<std::optional<error>>&& x) {
                return report_results{std::move(x)};
              }));
        },
        [this](page_atom, const uuid& id, const uuid& before,
               uint32_t limit) -> caf::result<delivery_list> {
          return answer(store_->deliveries(id, before, limit)
                            .map([](std::vector<delivery_attempt>&& x) {
                              return delivery_list{std::move(x)};
                            }));
        },
    };
  }

 private:
  std::unique_ptr<subscription_store> store_;
};

} // namespace

subscription_worker_actor
spawn_subscription_worker(caf::actor_system& sys,
                          std::unique_ptr<subscription_store> store,
                          worker_thread where) {
  using impl = caf::stateful_actor<subscription_worker_state,
                                   subscription_worker_actor::impl>;
  if (where == worker_thread::own)
    return sys.spawn<impl, caf::detached>(std::move(store));
  return sys.spawn<impl>(std::move(store));
}

} // namespace eventweft
