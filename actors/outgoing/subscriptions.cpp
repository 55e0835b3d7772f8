// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/subscriptions.hpp"

#include "actors/backoff.hpp"
#include "actors/caf_compat.hpp"
#include "actors/outgoing/sender_parts.hpp"
#include "delivery/message.hpp"
#include "delivery/signature.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

using std::chrono::milliseconds;

constexpr size_t most_secrets = 5;
constexpr milliseconds figures_interval{1'000};
/// A test's end takes so long to come here at most.
constexpr milliseconds test_grace{2'000};

caf::error no_subscription() {
  return to_caf(ec::not_found, "this stream has no such subscription");
}

/// Coming back later would not help.
caf::error too_many(const std::string& of_what, size_t most) {
  return to_caf(ec::conflict, "there are " + std::to_string(most) + ' ' +
                                  of_what + " already, which is [webhooks] " +
                                  "max_" + of_what);
}

/// Each type has schemes of its own.
bool scheme_fits(const subscription& s) {
  const auto scheme = s.url.substr(0, s.url.find("://"));
  if (s.type == subscription_type::webhook)
    return scheme != "nats" && scheme != "kafka";
  return scheme == to_string(s.type);
}

caf::error wrong_scheme(const subscription& s) {
  return to_caf(ec::unprocessable, "url: the scheme does not fit the type " +
                                       std::string{to_string(s.type)});
}

class subscriptions_state {
 public:
  static inline constexpr const char* name = "subscriptions";

  subscriptions_state(subscriptions_actor::pointer self, actor_context ctx,
                      delivery_tools tools,
                      std::shared_ptr<stream_catalogue> catalogue,
                      subscriptions_options options)
      : self_(self),
        ctx_(std::move(ctx)),
        tools_(std::move(tools)),
        catalogue_(std::move(catalogue)),
        options_(std::move(options)),
        pauses_(options_.retry_min, options_.retry_max) {}

  // Whoever comes next has senders of its own.
  ~subscriptions_state() {
    for (auto& [id, e] : entries_)
      if (e.sender)
        end_actor(e.sender, caf::exit_reason::kill);
  }

  subscriptions_state(const subscriptions_state&) = delete;
  subscriptions_state& operator=(const subscriptions_state&) = delete;

  subscriptions_actor::behavior_type make_behavior() {
    on_down(self_, [this](const caf::actor_addr& who, const caf::error& why) {
      lost(who, why);
    });
    self_->set_exit_handler([this](caf::exit_msg& msg) {
      if (msg.reason == caf::exit_reason::user_shutdown)
        stop();
      else
        self_->quit(msg.reason);
    });
    auto me = subscriptions_actor{self_};
    auto look = [me](const control_event&) { tell_anon(me, poll_atom_v); };
    guards_.push_back(ctx_.control->subscribe(control_kind::streams, look));
    guards_.push_back(
        ctx_.control->subscribe(control_kind::subscriptions, look));
    guards_.push_back(ctx_.owner->on_change([me] {
      // Ownership of any of them may have changed.
      tell_anon(me, poll_atom_v);
    }));
    read();
    note_figures();
    return {
        [this](append_atom, const stream_definition& s) { return add(s); },
        [this](put_atom, const std::string& stream, const stream_change& c) {
          return change(stream, c);
        },
        [this](drop_atom, const std::string& stream) { return drop(stream); },
        [this](list_atom,
               const std::string& stream) -> caf::result<subscription_views> {
          if (!catalogue_->find(stream))
            return no_stream(stream);
          subscription_views out;
          for (const auto& [id, e] : entries_)
            if (e.what.stream == stream)
              out.items.push_back(view_of(e.what));
          return out;
        },
        [this](find_atom, const std::string& stream,
               const uuid& id) -> caf::result<subscription_view> {
          const auto* e = find(stream, id);
          if (e == nullptr)
            return no_subscription();
          return view_of(e->what);
        },
        [this](append_atom, const new_subscription& n) { return add(n); },
        [this](put_atom, const std::string& stream, const uuid& id,
               const subscription_change& c) { return change(stream, id, c); },
        [this](drop_atom, const std::string& stream, const uuid& id) {
          return drop(stream, id);
        },
        [this](test_atom, const std::string& stream,
               const uuid& id) -> caf::result<delivery_test> {
          return delegate<delivery_test>(stream, id, longest_test + test_grace,
                                         test_atom_v);
        },
        [this](replay_atom, const std::string& stream, const uuid& id,
               const replay_request& r) -> caf::result<replay_answer> {
          return delegate<replay_answer>(stream, id, options_.timeout,
                                         replay_atom_v, r);
        },
        [this](page_atom, const std::string& stream, const uuid& id,
               const uuid& before, uint32_t limit) {
          return deliveries(stream, id, before, limit);
        },
        [this](retry_atom, const dead_letter& x) { return retry(x); },
        [this](disabled_atom, const uuid& id, const std::string& reason) {
          if (auto i = entries_.find(id); i != entries_.end()) {
            i->second.what.active = false;
            i->second.what.disabled_reason = reason;
          }
        },
        [this](poll_atom) { read(); },
    };
  }

 private:
  struct entry {
    subscription what;
    delivery_sender_actor sender;
  };

  // -- as the store has it ---------------------------------------------------

  void read() {
    if (reading_ || stopping_) {
      again_ = reading_;
      return;
    }
    auto worker = ctx_.peers->subscription_worker.get();
    if (!worker) {
      read_later(pauses_.next(*ctx_.random));
      return;
    }
    reading_ = true;
    ask(self_, worker, options_.timeout, list_atom_v)
        .then(
            [this](subscription_list& all) {
              reading_ = false;
              pauses_.reset();
              take(std::move(all));
              if (std::exchange(again_, false))
                read();
              else
                read_later(options_.poll_interval);
            },
            [this](const caf::error& e) {
              reading_ = false;
              again_ = false;
              ctx_.log->warn("streams and subscriptions can't be read: {}",
                             to_string(from_caf(e)));
              read_later(pauses_.next(*ctx_.random));
            });
  }

  void read_later(milliseconds pause) {
    run_after(self_, pause, [this, number = ++reads_] {
      if (number == reads_)
        read();
    });
  }

  void take(subscription_list all) {
    if (stopping_)
      return;
    catalogue_->replace(std::move(all.streams));
    std::map<uuid, subscription> now;
    for (auto& s : all.subscriptions)
      now.emplace(s.id, std::move(s));
    for (auto i = entries_.begin(); i != entries_.end();) {
      if (now.contains(i->first)) {
        ++i;
        continue;
      }
      end_sender(i->second);
      tools_.board->erase(i->first);
      i = entries_.erase(i);
    }
    for (auto& [id, s] : now)
      put(std::move(s));
  }

  /// As it is to be from now on.
  void put(subscription s) {
    auto [i, is_new] = entries_.try_emplace(s.id);
    auto& e = i->second;
    e.what = std::move(s);
    if (e.sender) {
      tell(self_, e.sender, put_atom_v, order_of(e.what));
      tell(self_, e.sender, tick_atom_v);
    } else if (is_new) {
      start(e);
    }
  }

  delivery_order order_of(const subscription& s) const {
    auto stream = catalogue_->find(s.stream);
    return {s, stream ? std::move(stream->filter) : filter{}};
  }

  // -- senders ---------------------------------------------------------------

  void start(entry& e) {
    if (!options_.deliver || stopping_ || !options_.types.contains(e.what.type))
      return;
    e.sender = spawn_delivery_sender(self_->system(), ctx_, tools_,
                                     options_.sender, order_of(e.what));
    self_->monitor(e.sender);
  }

  void end_sender(entry& e) {
    if (auto old = std::exchange(e.sender, delivery_sender_actor{})) {
      self_->demonitor(old.address());
      end_actor(old, caf::exit_reason::user_shutdown);
    }
  }

  void lost(const caf::actor_addr& who, const caf::error& why) {
    auto i = std::find_if(entries_.begin(), entries_.end(), [&](const auto& x) {
      return x.second.sender && x.second.sender.address() == who;
    });
    if (i == entries_.end())
      return;
    i->second.sender = nullptr;
    if (stopping_)
      return;
    ctx_.log->error("the sender of subscription {} ended: {}",
                    to_string(i->first), caf::to_string(why));
    ctx_.figures->actor_restarted("delivery_sender");
    run_after(self_, pauses_.next(*ctx_.random), [this, id = i->first] {
      if (auto again = entries_.find(id);
          again != entries_.end() && !again->second.sender)
        start(again->second);
    });
  }

  void stop() {
    if (std::exchange(stopping_, true))
      return;
    auto left = std::make_shared<size_t>(1);
    auto one_done = [this, left] {
      if (--*left == 0)
        self_->quit(caf::exit_reason::user_shutdown);
    };
    for (auto& [id, e] : entries_) {
      if (!e.sender)
        continue;
      ++*left;
      ask(self_, e.sender, options_.stop_timeout, flush_atom_v)
          .then(
              [this, id = id, one_done] {
                end_one(id);
                one_done();
              },
              [this, id = id, one_done](const caf::error&) {
                end_one(id);
                one_done();
              });
    }
    one_done();
  }

  void end_one(const uuid& id) {
    if (auto i = entries_.find(id); i != entries_.end())
      end_sender(i->second);
  }

  subscription_figures figures_of(const uuid& id) const {
    return tools_.board->of(id, ctx_.figures->head(), ctx_.time->now());
  }

  /// What the board has, by stream, as metrics.
  void note_figures() {
    struct sums {
      size_t waiting = 0;
      size_t under_way = 0;
      int64_t lag_events = 0;
      double lag_seconds = 0;
    };
    std::map<std::string, sums> streams;
    for (const auto& stream : noted_)
      streams[stream];
    for (const auto& [id, e] : entries_) {
      const auto f = figures_of(id);
      auto& s = streams[e.what.stream];
      s.waiting +=
          static_cast<size_t>(std::max<int64_t>(f.open - f.under_way, 0));
      s.under_way += static_cast<size_t>(f.under_way);
      if (!e.what.active)
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

  // -- streams ---------------------------------------------------------------

  static caf::error no_stream(const std::string& stream) {
    return to_caf(ec::not_found, "there is no stream " + stream);
  }

  /// Asks the worker; the answer goes to `then`, an error to the promise.
  template <class R, class Then, class... Ts>
  void with_worker(caf::typed_response_promise<R> promise, Then then,
                   Ts&&... xs) {
    auto worker = ctx_.peers->subscription_worker.get();
    if (!worker) {
      promise.deliver(to_caf(ec::overloaded, "the store's part restarts"));
      return;
    }
    ask(self_, worker, options_.timeout, std::forward<Ts>(xs)...)
        .then(std::move(then),
              [promise](const caf::error& e) mutable { promise.deliver(e); });
  }

  caf::result<stream_definition> add(stream_definition s) {
    if (catalogue_->all().size() >= options_.max_streams)
      return too_many("streams", options_.max_streams);
    s.created_at = ctx_.time->now();
    s.built_in = false;
    auto promise = self_->make_response_promise<stream_definition>();
    with_worker(
        promise,
        [this, promise, s]() mutable {
          if (!catalogue_->add(s))
            catalogue_->change(s);
          announce(control_kind::streams, s.name);
          promise.deliver(std::move(s));
        },
        append_atom_v, s);
    return promise;
  }

  caf::result<stream_definition> change(const std::string& stream,
                                        const stream_change& c) {
    auto s = catalogue_->find(stream);
    if (!s)
      return no_stream(stream);
    if (c.description)
      s->description = *c.description;
    if (c.filter)
      s->filter = *c.filter;
    auto promise = self_->make_response_promise<stream_definition>();
    with_worker(
        promise,
        [this, promise, s = *s]() mutable {
          catalogue_->change(s);
          for (auto& [id, e] : entries_)
            if (e.what.stream == s.name && e.sender)
              tell(self_, e.sender, put_atom_v, order_of(e.what));
          announce(control_kind::streams, s.name);
          promise.deliver(std::move(s));
        },
        put_atom_v, *s);
    return promise;
  }

  caf::result<void> drop(const std::string& stream) {
    auto promise = self_->make_response_promise<void>();
    with_worker(
        promise,
        [this, promise, stream]() mutable {
          for (auto i = entries_.begin(); i != entries_.end();) {
            if (i->second.what.stream != stream) {
              ++i;
              continue;
            }
            end_sender(i->second);
            tools_.board->erase(i->first);
            i = entries_.erase(i);
          }
          catalogue_->remove(stream);
          announce(control_kind::streams, stream);
          promise.deliver();
        },
        drop_atom_v, stream);
    return promise;
  }

  void announce(control_kind kind, const std::string& what) {
    ctx_.control->announce({kind, what});
  }

  // -- subscriptions ---------------------------------------------------------

  entry* find(const std::string& stream, const uuid& id) {
    auto i = entries_.find(id);
    return i == entries_.end() || i->second.what.stream != stream ? nullptr
                                                                  : &i->second;
  }

  subscription_view view_of(const subscription& s) const {
    subscription_view out{s, figures_of(s.id), {}, {}};
    // Its sender may not have heard of a change yet.
    auto& state = out.figures.state;
    if (state == "delivering" || state == "paused" || state == "disabled")
      state = state_of(s);
    for (const auto& secret : s.secrets)
      if (const auto key = delivery::signing_key::parse(secret))
        if (auto text = key->public_text(); !text.empty())
          out.public_keys.push_back(std::move(text));
    if (!options_.types.contains(s.type))
      out.figures.state = "unsupported";
    else if (!options_.deliver)
      out.figures.state = "off";
    return out;
  }

  /// A secret that the client gave, or one that is made.
  expected<std::string> secret_for(const std::string& given, bool asymmetric) {
    using delivery::signing_key;
    if (given.empty())
      return asymmetric ? signing_key::make_asymmetric(*ctx_.random).text()
                        : signing_key::make_symmetric(*ctx_.random).text();
    auto key = signing_key::parse(given);
    if (!key)
      return fail(key.error());
    return given;
  }

  caf::result<subscription_view> add(const new_subscription& n) {
    auto r = std::make_shared<subscription_record>();
    r->what = n.what;
    auto& s = r->what;
    if (!catalogue_->find(s.stream))
      return no_stream(s.stream);
    if (entries_.size() >= options_.max_subscriptions)
      return too_many("subscriptions", options_.max_subscriptions);
    if (!options_.types.contains(s.type))
      return to_caf(ec::unprocessable, "type: this program was built without " +
                                           std::string{to_string(s.type)});
    if (!scheme_fits(s))
      return wrong_scheme(s);
    if (auto ok = delivery::check_custom_headers(s.headers); !ok)
      return to_caf(ok.error());
    std::string secret;
    if (s.type == subscription_type::webhook) {
      auto made = secret_for(n.secret, n.asymmetric);
      if (!made)
        return to_caf(made.error());
      secret = std::move(*made);
      s.secrets = {secret};
    }
    s.created_at = ctx_.time->now();
    s.id = uuid::v7(s.created_at, *ctx_.random);
    s.disabled_reason.clear();
    auto promise = self_->make_response_promise<subscription_view>();
    auto store = ctx_.peers->reader.get();
    if (!store) {
      promise.deliver(to_caf(ec::overloaded, "the store's part restarts"));
      return promise;
    }
    auto failed = [promise](const caf::error& e) mutable {
      promise.deliver(e);
    };
    auto go = [this, promise, r, secret](seq_t after) mutable {
      r->progress.done_until = after;
      with_worker(
          promise,
          [this, promise, r, secret]() mutable {
            put(r->what);
            announce(control_kind::subscriptions, to_string(r->what.id));
            auto view = view_of(r->what);
            view.new_secret = secret;
            promise.deliver(std::move(view));
          },
          append_atom_v, *r);
    };
    switch (n.since.from) {
    case start_point::kind::now:
      ask(self_, store, options_.timeout, head_atom_v).then(go, failed);
      break;
    case start_point::kind::after_seq:
      if (n.since.seq <= 0) {
        go(0);
        break;
      }
      ask(self_, store, options_.timeout, head_atom_v)
          .then(
              [promise, go, since = n.since.seq](seq_t head) mutable {
                if (since <= head)
                  go(since);
                else
                  promise.deliver(to_caf(
                      ec::unprocessable,
                      "since: " + std::to_string(since) +
                          " is beyond the log's end, " + std::to_string(head) +
                          "; give a seq up to there, or now"));
              },
              failed);
      break;
    case start_point::kind::at_time:
      ask(self_, store, options_.timeout, seek_atom_v, n.since.time)
          .then(go, failed);
      break;
    }
    return promise;
  }

  caf::result<subscription_view> change(const std::string& stream,
                                        const uuid& id,
                                        const subscription_change& c) {
    const auto* e = find(stream, id);
    if (e == nullptr)
      return no_subscription();
    auto s = e->what;
    std::string secret;
    if (c.headers) {
      if (auto ok = delivery::check_custom_headers(*c.headers); !ok)
        return to_caf(ok.error());
      s.headers = *c.headers;
    }
    if (c.rotate_secret) {
      if (s.type != subscription_type::webhook)
        return to_caf(ec::unprocessable, "secret: only webhooks are signed");
      const bool asymmetric =
          !s.secrets.empty() && s.secrets.front().starts_with("whsk_");
      auto made = secret_for(c.secret, asymmetric);
      if (!made)
        return to_caf(made.error());
      secret = *made;
      std::erase(s.secrets, secret);
      s.secrets.insert(s.secrets.begin(), std::move(*made));
      if (s.secrets.size() > most_secrets)
        s.secrets.resize(most_secrets);
    }
    if (c.drop_old_secrets && s.secrets.size() > 1)
      s.secrets.resize(1);
    s.subscriber_id = c.subscriber_id.value_or(s.subscriber_id);
    s.url = c.url.value_or(s.url);
    if (!scheme_fits(s))
      return wrong_scheme(s);
    s.filter = c.filter.value_or(s.filter);
    s.format = c.format.value_or(s.format);
    s.ordered = c.ordered.value_or(s.ordered);
    s.max_concurrent = c.max_concurrent.value_or(s.max_concurrent);
    s.rate_per_second = c.rate_per_second.value_or(s.rate_per_second);
    if (c.active) {
      s.active = *c.active;
      s.disabled_reason.clear();
    }
    auto promise = self_->make_response_promise<subscription_view>();
    with_worker(
        promise,
        [this, promise, s, secret]() mutable {
          // Deleted meanwhile: the sender is gone as well.
          if (entries_.contains(s.id))
            put(s);
          announce(control_kind::subscriptions, to_string(s.id));
          auto view = view_of(s);
          view.new_secret = secret;
          promise.deliver(std::move(view));
        },
        put_atom_v, s);
    return promise;
  }

  caf::result<void> drop(const std::string& stream, const uuid& id) {
    if (find(stream, id) == nullptr)
      return no_subscription();
    auto promise = self_->make_response_promise<void>();
    with_worker(
        promise,
        [this, promise, id](bool) mutable {
          if (auto i = entries_.find(id); i != entries_.end()) {
            end_sender(i->second);
            entries_.erase(i);
          }
          tools_.board->erase(id);
          announce(control_kind::subscriptions, to_string(id));
          promise.deliver();
        },
        drop_atom_v, id);
    return promise;
  }

  /// Why a subscription has no sender.
  caf::error nothing_sends() const {
    if (options_.deliver)
      return to_caf(ec::overloaded, "nothing is delivered at the moment");
    return to_caf(ec::conflict, "nothing is delivered by this server: "
                                "[webhooks] enabled is false");
  }

  template <class R, class... Ts>
  caf::result<R> delegate(const std::string& stream, const uuid& id,
                          milliseconds timeout, const Ts&... xs) {
    const auto* e = find(stream, id);
    if (e == nullptr)
      return no_subscription();
    if (!e->sender)
      return nothing_sends();
    auto promise = self_->make_response_promise<R>();
    ask(self_, e->sender, timeout, xs...)
        .then(
            [promise](R& x) mutable { promise.deliver(std::move(x)); },
            [promise](const caf::error& why) mutable { promise.deliver(why); });
    return promise;
  }

  caf::result<delivery_list> deliveries(const std::string& stream,
                                        const uuid& id, const uuid& before,
                                        uint32_t limit) {
    if (find(stream, id) == nullptr)
      return no_subscription();
    auto promise = self_->make_response_promise<delivery_list>();
    with_worker(
        promise,
        [promise](delivery_list& x) mutable { promise.deliver(std::move(x)); },
        page_atom_v, id, before, limit);
    return promise;
  }

  caf::result<void> retry(const dead_letter& x) {
    const auto id = uuid::parse(origin_name(x.origin));
    if (!id || !x.event_id)
      return to_caf(ec::unprocessable, "the dead letter names no event");
    auto i = entries_.find(*id);
    if (i == entries_.end())
      return to_caf(ec::not_found, "the subscription is not there any more");
    if (!i->second.sender)
      return nothing_sends();
    auto promise = self_->make_response_promise<void>();
    replay_request r;
    r.event_id = x.event_id;
    ask(self_, i->second.sender, options_.timeout, replay_atom_v, r)
        .then(
            [promise](const replay_answer&) mutable { promise.deliver(); },
            [promise](const caf::error& why) mutable { promise.deliver(why); });
    return promise;
  }

  subscriptions_actor::pointer self_;
  actor_context ctx_;
  delivery_tools tools_;
  std::shared_ptr<stream_catalogue> catalogue_;
  subscriptions_options options_;
  backoff pauses_;
  std::map<uuid, entry> entries_;
  std::vector<std::shared_ptr<void>> guards_;
  std::set<std::string> noted_;
  bool reading_ = false;
  bool again_ = false;
  uint64_t reads_ = 0;
  bool stopping_ = false;
};

} // namespace

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
