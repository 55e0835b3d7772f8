// SPDX-License-Identifier: Apache-2.0
#include "app/subscriptions_bridge.hpp"

#include "app/question.hpp"

#include <utility>

namespace eventweft {

subscriptions_bridge::subscriptions_bridge(
    actor_context ctx, std::chrono::milliseconds timeout,
    std::shared_ptr<stream_catalogue> catalogue, bool keeps,
    std::shared_ptr<outgoing::poster> poster)
    : ctx_(std::move(ctx)),
      timeout_(timeout),
      catalogue_(std::move(catalogue)),
      keeps_(keeps),
      poster_(std::move(poster)) {}

template <class R>
bool subscriptions_bridge::kept(const reply_to<R>& reply) const {
  if (!keeps_)
    reply(fail(ec::not_found,
               "this store keeps no streams and no subscriptions"));
  return keeps_;
}

template <class R, class... Ts>
void subscriptions_bridge::ask_actor(reply_to<R> reply, Ts... xs) const {
  if (!kept(reply))
    return;
  put_question(
      *ctx_.peers, timeout_, std::move(reply),
      [peers = ctx_.peers] { return peers->subscriptions.get(); },
      std::move(xs)...);
}

template <class... Ts>
void subscriptions_bridge::ask_done(reply_to<bool> reply, Ts... xs) const {
  if (!kept(reply))
    return;
  put_errand(
      *ctx_.peers, timeout_, std::move(reply),
      [peers = ctx_.peers] { return peers->subscriptions.get(); },
      std::move(xs)...);
}

template <class R>
void subscriptions_bridge::checked(const std::string& url, reply_to<R> reply,
                                   std::function<void()> go) const {
  if (!kept(reply))
    return;
  if (!poster_) {
    reply(fail(ec::unprocessable, "url: this server delivers nothing"));
    return;
  }
  poster_->check(url, [reply, go](expected<void> ok) {
    if (ok) {
      go();
      return;
    }
    auto why = ok.error();
    // A name without an address is the request's fault, not a missing page.
    if (why.code == ec::not_found)
      why.code = ec::unprocessable;
    reply(fail(std::move(why)));
  });
}

expected<std::vector<stream_definition>>
subscriptions_bridge::all_streams() const {
  return catalogue_->complete().map([this] { return catalogue_->all(); });
}

void subscriptions_bridge::find_stream(std::string name,
                                       reply_to<stream_definition> reply) {
  if (auto known = catalogue_->get(name); known || !keeps_)
    reply(std::move(known));
  else
    ask_actor(std::move(reply), find_atom_v, std::move(name));
}

codec::stream_figures
subscriptions_bridge::figures_of(const std::string& stream) const {
  const auto f = ctx_.figures->of_stream(stream);
  codec::stream_figures out;
  out.readers = f.active - f.webhooks;
  out.subscriptions = f.webhooks;
  out.matched = f.matched;
  out.sent = f.sent;
  out.errors = f.errors;
  out.lag_events = f.lag_events;
  out.lag_seconds = f.lag_seconds;
  out.last_seq = f.last_seq;
  return out;
}

void subscriptions_bridge::create_stream(stream_definition stream,
                                         reply_to<stream_definition> reply) {
  ask_actor(std::move(reply), append_atom_v, std::move(stream));
}

void subscriptions_bridge::change_stream(std::string name, stream_change change,
                                         reply_to<stream_definition> reply) {
  ask_actor(std::move(reply), put_atom_v, std::move(name), std::move(change));
}

void subscriptions_bridge::delete_stream(std::string name,
                                         reply_to<bool> reply) {
  ask_done(std::move(reply), drop_atom_v, std::move(name));
}

void subscriptions_bridge::list_subscriptions(
    std::string stream, reply_to<subscription_views> reply) {
  ask_actor(std::move(reply), list_atom_v, std::move(stream));
}

void subscriptions_bridge::find_subscription(
    std::string stream, uuid id, reply_to<subscription_view> reply) {
  ask_actor(std::move(reply), find_atom_v, std::move(stream), id);
}

void subscriptions_bridge::create_subscription(
    new_subscription what, reply_to<subscription_view> reply) {
  const auto url = what.what.url;
  checked(url, reply, [this, reply, what = std::move(what)] {
    ask_actor(reply, append_atom_v, what);
  });
}

void subscriptions_bridge::change_subscription(
    std::string stream, uuid id, subscription_change change,
    reply_to<subscription_view> reply) {
  auto go = [this, reply, stream = std::move(stream), id, change] {
    ask_actor(reply, put_atom_v, stream, id, change);
  };
  if (change.url)
    checked(*change.url, reply, go);
  else
    go();
}

void subscriptions_bridge::delete_subscription(std::string stream, uuid id,
                                               reply_to<bool> reply) {
  ask_done(std::move(reply), drop_atom_v, std::move(stream), id);
}

void subscriptions_bridge::test_subscription(std::string stream, uuid id,
                                             reply_to<delivery_test> reply) {
  ask_actor(std::move(reply), test_atom_v, std::move(stream), id);
}

void subscriptions_bridge::replay_subscription(std::string stream, uuid id,
                                               replay_request what,
                                               reply_to<replay_answer> reply) {
  ask_actor(std::move(reply), replay_atom_v, std::move(stream), id,
            std::move(what));
}

void subscriptions_bridge::deliveries(std::string stream, uuid id, uuid before,
                                      size_t limit,
                                      reply_to<delivery_list> reply) {
  ask_actor(std::move(reply), page_atom_v, std::move(stream), id, before,
            static_cast<uint32_t>(limit));
}

} // namespace eventweft
