// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/subscriptions.hpp"

#include "actors/outgoing/sender_parts.hpp"
#include "actors/outgoing/subscriptions_state.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace eventweft {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds figures_interval{1'000};
/// A test's end takes so long to come here at most.
constexpr milliseconds test_grace{2'000};

} // namespace

subscriptions_state::subscriptions_state(
    subscriptions_actor::pointer self, actor_context ctx, delivery_tools tools,
    std::shared_ptr<stream_catalogue> catalogue, subscriptions_options options)
    : self_(self),
      ctx_(std::move(ctx)),
      board_(tools.board),
      catalogue_(std::move(catalogue)),
      options_(std::move(options)),
      pauses_(options_.retry_min, options_.retry_max),
      senders_(self, ctx_, std::move(tools), catalogue_, options_) {
  // nop
}

subscriptions_actor::behavior_type subscriptions_state::make_behavior() {
  on_down(self_, [this](const caf::actor_addr& who, const caf::error& why) {
    lost(who, why);
  });
  self_->set_exit_handler([this](caf::exit_msg& msg) {
    if (msg.reason == caf::exit_reason::user_shutdown)
      senders_.stop([this] { self_->quit(caf::exit_reason::user_shutdown); });
    else
      self_->quit(msg.reason);
  });
  listen();
  read();
  note_figures();
  return {
      [this](append_atom, const stream_definition& s) { return add(s); },
      [this](put_atom, const std::string& stream, const stream_change& c) {
        return change(stream, c);
      },
      [this](drop_atom, const std::string& stream) { return drop(stream); },
      [this](find_atom, const std::string& stream) { return look_up(stream); },
      [this](list_atom, const std::string& stream) { return list(stream); },
      [this](find_atom, const std::string& stream, const uuid& id) {
        return show(stream, id);
      },
      [this](append_atom, const new_subscription& n) { return add(n); },
      [this](put_atom, const std::string& stream, const uuid& id,
             const subscription_change& c) { return change(stream, id, c); },
      [this](drop_atom, const std::string& stream, const uuid& id) {
        return drop(stream, id);
      },
      [this](test_atom, const std::string& stream, const uuid& id) {
        return delegate<delivery_test>(stream, id, longest_test + test_grace,
                                       test_atom_v);
      },
      [this](replay_atom, const std::string& stream, const uuid& id,
             const replay_request& r) {
        return delegate<replay_answer>(stream, id, options_.timeout,
                                       replay_atom_v, r);
      },
      [this](page_atom, const std::string& stream, const uuid& id,
             const uuid& before,
             uint32_t limit) { return deliveries(stream, id, before, limit); },
      [this](retry_atom, const dead_letter& x) { return retry(x); },
      [this](disabled_atom, const uuid& id, const std::string& reason) {
        senders_.disable(id, reason);
      },
      [this](poll_atom) { read(); },
  };
}

caf::error subscriptions_state::no_stream(const std::string& stream) const {
  return known_ ? to_caf(ec::not_found, "there is no stream " + stream)
                : to_caf(not_read_yet());
}

caf::error subscriptions_state::no_subscription() const {
  return known_ ? to_caf(ec::not_found, "this stream has no such subscription")
                : to_caf(not_read_yet());
}

// -- what is asked about them -------------------------------------------------

caf::result<subscription_views>
subscriptions_state::list(const std::string& stream) {
  if (!catalogue_->find(stream))
    return no_stream(stream);
  subscription_views out;
  for (const auto& [id, e] : senders_.all())
    if (e.what.stream == stream)
      out.items.push_back(view_of(e.what));
  return out;
}

caf::result<subscription_view>
subscriptions_state::show(const std::string& stream, const uuid& id) {
  const auto* e = senders_.find(stream, id);
  if (e == nullptr)
    return no_subscription();
  return view_of(e->what);
}

caf::result<delivery_list>
subscriptions_state::deliveries(const std::string& stream, const uuid& id,
                                const uuid& before, uint32_t limit) {
  if (senders_.find(stream, id) == nullptr)
    return no_subscription();
  auto promise = self_->make_response_promise<delivery_list>();
  with_worker(
      promise,
      [promise](delivery_list& x) mutable { promise.deliver(std::move(x)); },
      page_atom_v, id, before, limit);
  return promise;
}

subscription_view subscriptions_state::view_of(const subscription& s) const {
  subscription_view out{s, figures_of(s.id), public_keys_of(s), {}};
  // Its sender may not have heard of a change yet.
  auto& state = out.figures.state;
  if (state == "delivering" || state == "paused" || state == "disabled")
    state = state_of(s);
  if (!options_.types.contains(s.type))
    state = "unsupported";
  else if (!options_.deliver)
    state = "off";
  if (state == "elsewhere")
    out.figures.owner = ctx_.owner->holder(work_of(s));
  return out;
}

subscription_figures subscriptions_state::figures_of(const uuid& id) const {
  return board_->of(id, ctx_.figures->head(), ctx_.time->now());
}

void subscriptions_state::note_figures() {
  struct sums {
    size_t waiting = 0;
    size_t under_way = 0;
    int64_t lag_events = 0;
    double lag_seconds = 0;
  };
  std::map<std::string, sums> streams;
  for (const auto& stream : noted_)
    streams[stream];
  for (const auto& [id, e] : senders_.all()) {
    const auto f = figures_of(id);
    auto& s = streams[e.what.stream];
    s.waiting +=
        static_cast<size_t>(std::max<int64_t>(f.open - f.under_way, 0));
    s.under_way += static_cast<size_t>(f.under_way);
    // Who was paused is not waited for; who was switched off is to go on.
    if (!e.what.active && e.what.disabled_reason.empty())
      continue;
    s.lag_events = std::max(s.lag_events, f.lag_events);
    s.lag_seconds = std::max(s.lag_seconds, f.lag_seconds);
  }
  noted_.clear();
  for (const auto& [stream, s] : streams) {
    ctx_.figures->set_deliveries(stream, s.waiting, s.under_way, s.lag_events,
                                 s.lag_seconds);
    if (s.waiting + s.under_way != 0 || s.lag_events != 0)
      noted_.insert(stream);
  }
  run_after(self_, figures_interval, [this] { note_figures(); });
}

// -- what the senders are asked -----------------------------------------------

void subscriptions_state::lost(const caf::actor_addr& who,
                               const caf::error& why) {
  const auto id = senders_.lost(who);
  if (!id || senders_.stopping())
    return;
  ctx_.log->error("the sender of subscription {} ended: {}", to_string(*id),
                  caf::to_string(why));
  ctx_.figures->actor_restarted("delivery_sender");
  run_after(self_, pauses_.next(*ctx_.random),
            [this, id = *id] { senders_.restart(id); });
}

caf::error subscriptions_state::nothing_sends() const {
  if (options_.deliver)
    return to_caf(ec::overloaded, "nothing is delivered at the moment");
  return to_caf(ec::conflict, "nothing is delivered by this server: "
                              "[webhooks] enabled is false");
}

template <class R, class... Ts>
caf::result<R>
subscriptions_state::delegate(const std::string& stream, const uuid& id,
                              milliseconds timeout, const Ts&... xs) {
  const auto* e = senders_.find(stream, id);
  if (e == nullptr)
    return no_subscription();
  if (!e->sender)
    return nothing_sends();
  auto promise = self_->make_response_promise<R>();
  ask(self_, e->sender, timeout, xs...)
      .then([promise](R& x) mutable { promise.deliver(std::move(x)); },
            [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<void> subscriptions_state::retry(const dead_letter& x) {
  const auto id = uuid::parse(origin_name(x.origin));
  if (!id || !x.event_id)
    return to_caf(ec::unprocessable, "the dead letter names no event");
  const auto* e = senders_.find(*id);
  if (e == nullptr)
    return known_
               ? to_caf(ec::not_found, "the subscription is not there any more")
               : to_caf(not_read_yet());
  if (!e->sender)
    return nothing_sends();
  auto promise = self_->make_response_promise<void>();
  replay_request r;
  r.event_id = x.event_id;
  ask(self_, e->sender, options_.timeout, replay_atom_v, r)
      .then([promise](const replay_answer&) mutable { promise.deliver(); },
            [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

subscriptions_actor
spawn_subscriptions(caf::actor_system& sys, actor_context ctx,
                    delivery_tools tools,
                    std::shared_ptr<stream_catalogue> catalogue,
                    subscriptions_options options) {
  using impl =
      caf::stateful_actor<subscriptions_state, subscriptions_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), std::move(tools), std::move(catalogue),
                         std::move(options));
}

} // namespace eventweft
