// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/caf_compat.hpp"
#include "actors/outgoing/delivery_senders.hpp"
#include "actors/outgoing/subscription_rules.hpp"
#include "actors/outgoing/subscriptions.hpp"
#include "messages/backoff.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace eventweft {

/// The inside of who knows all streams and subscriptions; only its own sources
/// include this.
class subscriptions_state {
 public:
  static inline constexpr const char* name = "subscriptions";

  subscriptions_state(subscriptions_actor::pointer self, actor_context ctx,
                      delivery_tools tools,
                      std::shared_ptr<stream_catalogue> catalogue,
                      subscriptions_options options);

  subscriptions_actor::behavior_type make_behavior();

 private:
  using milliseconds = std::chrono::milliseconds;

  /// Unless they have not been read yet: then nobody knows.
  caf::error no_stream(const std::string& stream) const;
  caf::error no_subscription() const;

  // -- as the store has it (subscriptions_reading.cpp) -----------------------

  /// Hears of what others change, and of what is to be this node's.
  void listen();
  void read();
  void read_later(milliseconds pause);
  void take(subscription_list all);
  /// How far those are that no sender serves here, one after the other.
  void read_marks();
  void read_marks(std::vector<uuid> left);

  struct lookup {
    std::string stream;
    caf::typed_response_promise<stream_definition> promise;
  };

  /// Here, or else in the store: another node may have made it just now.
  caf::result<stream_definition> look_up(const std::string& stream);
  /// Reads for those who wait, but not all the time.
  void look();
  void answer_served();
  /// The store can't be read.
  void answer_lookups();
  caf::error unsure() const;
  /// Asks the worker; the answer goes to `then`, an error to `failed`.
  template <class Failed, class Then, class... Ts>
  void ask_worker(Failed failed, Then then, Ts&&... xs) {
    auto worker = ctx_.peers->subscription_worker.get();
    if (!worker) {
      failed(to_caf(ec::overloaded, "the store's part restarts"));
      return;
    }
    ask(self_, worker, options_.timeout, std::forward<Ts>(xs)...)
        .then(std::move(then), std::move(failed));
  }
  /// The same with an error for the promise.
  template <class R, class Then, class... Ts>
  void with_worker(caf::typed_response_promise<R> promise, Then then,
                   Ts&&... xs) {
    ask_worker([promise](const caf::error& e) mutable { promise.deliver(e); },
               std::move(then), std::forward<Ts>(xs)...);
  }

  // -- what is asked about them ----------------------------------------------

  caf::result<subscription_views> list(const std::string& stream);
  caf::result<subscription_view> show(const std::string& stream,
                                      const uuid& id);
  caf::result<delivery_list> deliveries(const std::string& stream,
                                        const uuid& id, const uuid& before,
                                        uint32_t limit);
  subscription_view view_of(const subscription& s) const;
  subscription_figures figures_of(const uuid& id) const;
  /// What the board has, by stream, as metrics.
  void note_figures();

  // -- what the senders are asked --------------------------------------------

  void lost(const caf::actor_addr& who, const caf::error& why);
  /// Why a subscription has no sender.
  caf::error nothing_sends() const;
  template <class R, class... Ts>
  caf::result<R> delegate(const std::string& stream, const uuid& id,
                          milliseconds timeout, const Ts&... xs);
  caf::result<void> retry(const dead_letter& x);

  // -- changes (subscriptions_changes.cpp) -----------------------------------

  caf::result<stream_definition> add(stream_definition s);
  caf::result<stream_definition> change(const std::string& stream,
                                        const stream_change& c);
  caf::result<void> drop(const std::string& stream);
  caf::result<subscription_view> add(const new_subscription& n);
  caf::result<subscription_view> change(const std::string& stream,
                                        const uuid& id,
                                        const subscription_change& c);
  caf::result<void> drop(const std::string& stream, const uuid& id);
  /// One change after the other, each of what the store has by then: two at a
  /// time, or one on top of what another node wrote, would undo each other.
  /// Each says `change_done` at its end. `step` is called again if another
  /// node's change comes between its reading and its writing.
  void in_turn(std::function<void()> step);
  void change_done();
  /// What the step whose turn it is failed with: for whoever asked, or nothing
  /// if it is being tried again.
  std::optional<caf::error> change_failed(const caf::error& why);
  bool too_many_changes() const noexcept;
  /// As `with_worker`, for the change whose turn it is: an error ends it.
  template <class R, class Then, class... Ts>
  void change_with_worker(caf::typed_response_promise<R> promise, Then then,
                          Ts&&... xs) {
    ask_worker(
        [this, promise](const caf::error& e) mutable {
          if (auto why = change_failed(e)) {
            promise.deliver(std::move(*why));
            change_done();
          }
        },
        std::move(then), std::forward<Ts>(xs)...);
  }
  void announce(control_kind kind, const std::string& what);

  subscriptions_actor::pointer self_;
  actor_context ctx_;
  std::shared_ptr<delivery_board> board_;
  std::shared_ptr<stream_catalogue> catalogue_;
  subscriptions_options options_;
  /// Of reading and of starting senders again.
  backoff pauses_;
  delivery_senders senders_;
  std::vector<std::shared_ptr<void>> guards_;
  /// The first one is under way.
  std::deque<std::function<void()>> changes_;
  /// How often others were faster than that one.
  int overtaken_ = 0;
  /// Streams whose metrics are not all zero.
  std::set<std::string> noted_;
  bool reading_marks_ = false;
  bool reading_ = false;
  /// It has been told that they can't be read.
  bool unreadable_ = false;
  bool again_ = false;
  /// They have been read.
  bool known_ = false;
  uint64_t reads_ = 0;
  /// Those that the reading under way answers, and those for the next one.
  std::vector<lookup> served_;
  std::vector<lookup> lookups_;
  bool look_rests_ = false;
};

} // namespace eventweft
