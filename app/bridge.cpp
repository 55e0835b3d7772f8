// SPDX-License-Identifier: Apache-2.0
#include "app/bridge.hpp"

#include "actors/caf_compat.hpp"
#include "app/ingress.hpp"
#include "app/processing_bridge.hpp"
#include "app/question.hpp"
#include "app/subscriptions_bridge.hpp"
#include "codec/event_json.hpp"
#include "codec/payload.hpp"
#include "correlation/engine.hpp"

#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventweft {

/// The subscriptions there are, and the only handles to them.
class bridge::subscription_registry {
 public:
  using slot = handle_slot<subscription_actor>;

  subscription_id reserve(std::shared_ptr<slot> s,
                          const reader_request& request) {
    std::lock_guard guard{mutex_};
    slots_.emplace(++last_, open_reader{std::move(s), request.stream,
                                        request.lane, request.id});
    return last_;
  }

  /// Readers of a stream that is gone end; those of one whose filter is
  /// another one begin again where they are.
  void stream_changed(const stream_event& e) {
    for (auto& r : of_stream(e.name)) {
      auto h = r.to->get();
      if (!h)
        continue;
      if (e.now) {
        tell_anon(h, put_atom_v, e.now->filter);
        continue;
      }
      r.lane->end(r.reader, reader_end::stream_deleted,
                  "the stream " + e.name + " was deleted");
      end_actor(h, caf::exit_reason::user_shutdown);
    }
  }

  void erase(subscription_id id) {
    std::shared_ptr<slot> gone;
    std::lock_guard guard{mutex_};
    if (auto i = slots_.find(id); i != slots_.end()) {
      gone = std::move(i->second.to);
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
  struct open_reader {
    std::shared_ptr<slot> to;
    std::string stream;
    live_lane_ptr lane;
    reader_id reader = 0;
  };

  std::vector<open_reader> of_stream(const std::string& stream) {
    std::lock_guard guard{mutex_};
    std::vector<open_reader> out;
    for (auto& [id, r] : slots_)
      if (r.stream == stream)
        out.push_back(r);
    return out;
  }

  std::vector<std::shared_ptr<slot>> all() {
    std::lock_guard guard{mutex_};
    std::vector<std::shared_ptr<slot>> out;
    out.reserve(slots_.size());
    for (auto& [id, s] : slots_)
      out.push_back(s.to);
    return out;
  }

  std::mutex mutex_;
  subscription_id last_ = 0;
  std::unordered_map<subscription_id, open_reader> slots_;
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
      subscriptions_(std::make_shared<subscription_registry>()),
      processing_(std::make_unique<processing_bridge>(ctx_, options_.timeout)),
      streams_(std::make_unique<subscriptions_bridge>(
          ctx_, options_.timeout, catalogue_, options_.poster)) {
  catalogue_->watch(
      [all = std::weak_ptr{subscriptions_}](const stream_event& e) {
        if (auto registry = all.lock())
          registry->stream_changed(e);
      });
}

bridge::~bridge() = default;

net::subscriptions_port* bridge::subscriptions() {
  return streams_.get();
}

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
  spec.id = subscriptions_->reserve(slot, request);
  spec.request = std::move(request);
  spec.stream_filter = std::move(stream_filter);
  spec.on_end = [all = std::weak_ptr{subscriptions_}, slot, id = spec.id] {
    slot->set({});
    if (auto registry = all.lock())
      registry->erase(id);
  };
  const auto name = spec.request.stream;
  const auto shown = spec.stream_filter;
  slot->set(
      spawn_subscription(sys_, ctx_, options_.subscriptions, std::move(spec)));
  // It may have changed before the reader could be told.
  const auto now = catalogue_->find(name);
  auto made = std::make_shared<control>(slot);
  if (!now) {
    reply(fail(ec::not_found, "there is no stream " + name));
    return;
  }
  if (const auto h = slot->get(); h && now->filter != shown)
    tell_anon(h, put_atom_v, now->filter);
  reply(std::move(made));
}

net::processing_port* bridge::processing() {
  return processing_.get();
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
  auto text = ctx_.figures->json();
  text.pop_back();
  text += ",\"stored\":";
  text += options_.stored ? options_.stored->report() : "null";
  text += '}';
  return text;
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
