// SPDX-License-Identifier: Apache-2.0
#include "app/bridge.hpp"

#include "actors/asker.hpp"
#include "actors/caf_compat.hpp"
#include "app/ingress.hpp"
#include "codec/event_json.hpp"
#include "codec/payload.hpp"
#include "correlation/engine.hpp"

#include <functional>
#include <mutex>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

constexpr std::chrono::milliseconds restart_pause{100};

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

} // namespace

/// The subscriptions there are, and the only handles to them.
class bridge::subscription_registry {
 public:
  using slot = handle_slot<subscription_actor>;

  subscription_id reserve(std::shared_ptr<slot> s) {
    std::lock_guard guard{mutex_};
    slots_.emplace(++last_, std::move(s));
    return last_;
  }

  void erase(subscription_id id) {
    std::shared_ptr<slot> gone;
    std::lock_guard guard{mutex_};
    if (auto i = slots_.find(id); i != slots_.end()) {
      gone = std::move(i->second);
      slots_.erase(i);
    }
  }

  void end_all() {
    for (auto& s : all())
      if (auto h = s->get())
        end_actor(h, caf::exit_reason::user_shutdown);
  }

  /// Their readers are told to come back, here or elsewhere.
  void move_all() {
    for (auto& s : all())
      if (auto h = s->get())
        tell_anon(caf::actor_cast<caf::actor>(h),
                  caf::exit_msg{{}, to_caf(ec::shutting_down, "drained")});
  }

  void forget_all() {
    for (auto& s : all())
      s->set({});
  }

 private:
  std::vector<std::shared_ptr<slot>> all() {
    std::lock_guard guard{mutex_};
    std::vector<std::shared_ptr<slot>> out;
    out.reserve(slots_.size());
    for (auto& [id, s] : slots_)
      out.push_back(s);
    return out;
  }

  std::mutex mutex_;
  subscription_id last_ = 0;
  std::unordered_map<subscription_id, std::shared_ptr<slot>> slots_;
};

class bridge::control final : public reader_control {
 public:
  explicit control(std::shared_ptr<subscription_registry::slot> to)
      : to_(std::move(to)) {}

  ~control() override {
    if (auto h = to_->get())
      end_actor(h, caf::exit_reason::user_shutdown);
  }

  void next(uint32_t epoch, seq_t cursor) override {
    if (auto h = to_->get())
      tell_anon(h, next_atom_v, epoch, cursor);
  }

  void change_filter(filter f) override {
    if (auto h = to_->get())
      tell_anon(h, filter_atom_v, std::move(f));
  }

  void acknowledge(seq_t seq) override {
    if (auto h = to_->get())
      tell_anon(h, ack_atom_v, seq);
  }

 private:
  std::shared_ptr<subscription_registry::slot> to_;
};

bridge::bridge(caf::actor_system& sys, actor_context ctx,
               bridge_options options,
               std::shared_ptr<stream_catalogue> catalogue)
    : sys_(sys),
      ctx_(std::move(ctx)),
      options_(std::move(options)),
      catalogue_(std::move(catalogue)),
      ingress_(std::make_shared<ingress>(
          ctx_, ingress_options{options_.queue_maxsize, options_.queue_maxsize,
                                options_.queue_wait, options_.accept_timeout,
                                options_.answer_within})),
      subscriptions_(std::make_shared<subscription_registry>()) {}

bridge::~bridge() = default;

bool bridge::knows_platform(std::string_view name) const {
  return options_.platforms.contains(name);
}

void bridge::accept(webhook w, net::reply_to<webhook_answer> reply) {
  ingress_->accept(std::make_shared<const webhook>(std::move(w)),
                   std::move(reply));
}

void bridge::query(event_query q, net::reply_to<event_page> reply) {
  put_question(
      *ctx_.peers, options_.timeout, std::move(reply),
      [peers = ctx_.peers] { return peers->reader.get(); }, query_atom_v,
      std::move(q));
}

void bridge::find(uuid id, net::reply_to<std::optional<event_ptr>> reply) {
  put_question(
      *ctx_.peers, options_.timeout,
      net::reply_to<event_ptr>{
          [reply = std::move(reply)](expected<event_ptr> x) {
            reply(std::move(x).map([](event_ptr&& found) {
              return found ? std::optional{std::move(found)} : std::nullopt;
            }));
          }},
      [peers = ctx_.peers] { return peers->reader.get(); }, find_atom_v, id);
}

std::vector<net::stream_info> bridge::streams() const {
  std::vector<net::stream_info> out;
  for (auto& s : catalogue_->all())
    out.push_back(
        {std::move(s.name), std::move(s.description), std::move(s.filter)});
  return out;
}

void bridge::open_reader(reader_request request,
                         net::reply_to<std::shared_ptr<reader_control>> reply) {
  if (!options_.streaming) {
    reply(fail(ec::not_found, "streaming is switched off"));
    return;
  }
  if (elsewhere_) {
    reply(fail(ec::shutting_down,
               "this node is being drained: connect to another one"));
    return;
  }
  auto stream = catalogue_->find(request.stream);
  if (!stream) {
    reply(fail(ec::not_found, "there is no stream " + request.stream));
    return;
  }
  if (!ctx_.peers->askers.next()) {
    reply(fail(ec::shutting_down, "the server starts or stops"));
    return;
  }
  auto& wanted = request.filter.correlation_ids;
  if (wanted.empty() || !options_.threads) {
    open_resolved(std::move(request), std::move(stream->filter), reply);
    return;
  }
  // Former ids and keys become the threads that they lead to now.
  auto which = wanted;
  options_.threads->resolve(
      std::move(which),
      [this, request = std::move(request), filter = std::move(stream->filter),
       reply = std::move(reply)](
          expected<std::vector<std::optional<uuid>>> found) mutable {
        if (!found) {
          reply(fail(found.error()));
          return;
        }
        auto& ids = request.filter.correlation_ids;
        for (size_t i = 0; i < ids.size(); ++i) {
          if ((*found)[i]) {
            ids[i] = to_string(*(*found)[i]);
          } else if (!uuid::parse(ids[i])) {
            reply(fail(ec::unprocessable,
                       "filter: correlation_ids: no thread has the key \"" +
                           ids[i] + "\" yet"));
            return;
          }
        }
        open_resolved(std::move(request), std::move(filter), reply);
      });
}

void bridge::open_resolved(
    reader_request request, filter stream_filter,
    const net::reply_to<std::shared_ptr<reader_control>>& reply) {
  auto slot = std::make_shared<subscription_registry::slot>();
  subscription_spec spec;
  spec.id = subscriptions_->reserve(slot);
  spec.request = std::move(request);
  spec.stream_filter = std::move(stream_filter);
  spec.on_end = [all = std::weak_ptr{subscriptions_}, slot, id = spec.id] {
    slot->set({});
    if (auto registry = all.lock())
      registry->erase(id);
  };
  slot->set(
      spawn_subscription(sys_, ctx_, options_.subscriptions, std::move(spec)));
  reply(std::make_shared<control>(std::move(slot)));
}

void bridge::dead_letters(uuid before, size_t limit,
                          net::reply_to<std::vector<dead_letter>> reply) {
  dead_letter_query question;
  question.before = before;
  question.limit = limit;
  put_question(
      *ctx_.peers, options_.timeout, std::move(reply),
      [peers = ctx_.peers] { return peers->reader.get(); }, list_atom_v,
      std::move(question));
}

void bridge::drop_dead_letter(uuid id, net::reply_to<bool> reply) {
  put_question(
      *ctx_.peers, options_.timeout, std::move(reply),
      [peers = ctx_.peers] { return peers->reader.get(); }, drop_atom_v, id);
}

// Finds the letter, stores its event, forgets the letter. If it stops half
// way, the letter is still there, and the event is not stored twice.
void bridge::retry_dead_letter(uuid id, net::reply_to<append_outcome> reply) {
  auto peers = ctx_.peers;
  auto timeout = options_.timeout;
  auto reader = [peers] { return peers->reader.get(); };
  auto forget = [peers, timeout, reader, id,
                 reply](expected<append_outcome> stored) {
    if (!stored) {
      reply(std::move(stored));
      return;
    }
    put_question(*peers, timeout,
                 net::reply_to<bool>{[reply, outcome = *stored](
                                         expected<bool>) { reply(outcome); }},
                 reader, drop_atom_v, id);
  };
  auto store = [peers, timeout, id, reply, forget,
                rules = ctx_.rules](expected<std::vector<dead_letter>> found) {
    if (!found) {
      reply(fail(found.error()));
      return;
    }
    if (found->empty() || found->front().id != id) {
      reply(fail(ec::not_found, "there is no such dead letter"));
      return;
    }
    auto ev = codec::parse_native(found->front().body);
    if (!ev) {
      reply(fail(ec::unprocessable,
                 "the dead letter holds no event: " + ev.error().message));
      return;
    }
    ev->seq = 0;
    if (rules) {
      codec::payload_reader payload;
      ev->keys = rules->keys(*ev, payload);
    }
    put_question(
        *peers, timeout, net::reply_to<append_outcome>{forget},
        [peers] { return peers->writer.get(); }, append_atom_v,
        event_ptr{std::move(*ev)});
  };
  dead_letter_query question;
  question.id = id;
  put_question(*peers, timeout, net::reply_to<std::vector<dead_letter>>{store},
               reader, list_atom_v, std::move(question));
}

net::readiness bridge::ready() const {
  net::readiness out;
  out.state = to_string(ctx_.status->overall());
  for (auto& p : ctx_.status->parts())
    out.parts.push_back({std::move(p.name), std::string{to_string(p.state)},
                         std::move(p.detail)});
  return out;
}

std::string bridge::metrics_json() const {
  return ctx_.figures->json();
}

std::string bridge::metrics_text() const {
  return ctx_.figures->text();
}

void bridge::refuse() {
  ingress_->refuse();
}

void bridge::send_elsewhere() {
  elsewhere_ = true;
  ingress_->refuse();
  subscriptions_->move_all();
}

size_t bridge::in_flight() const {
  return ingress_->size();
}

void bridge::end_subscriptions() {
  subscriptions_->end_all();
}

void bridge::stop() {
  ingress_->refuse();
  subscriptions_->end_all();
  subscriptions_->forget_all();
  ctx_.peers->clear();
}

} // namespace eventweft
