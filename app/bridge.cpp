// SPDX-License-Identifier: Apache-2.0
#include "app/bridge.hpp"

#include "actors/platforms/base_platform.hpp"
#include "app/ingress.hpp"
#include "app/processing_bridge.hpp"
#include "app/question.hpp"
#include "app/subscription_registry.hpp"
#include "app/subscriptions_bridge.hpp"

#include <string>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

/// `backend::present_filter`. What is on its way needs no bridge.
void present_keys(const std::shared_ptr<net::threads_port>& threads, filter f,
                  const filter& forced, net::reply_to<filter> reply) {
  if (f.correlation_ids.empty() || !threads) {
    reply(std::move(f));
    return;
  }
  auto which = f.correlation_ids;
  threads->resolve(
      std::move(which), forced,
      [f = std::move(f), silent = !forced.empty(), reply = std::move(reply)](
          expected<std::vector<std::optional<uuid>>> found) mutable {
        if (!found) {
          reply(fail(found.error()));
          return;
        }
        auto& ids = f.correlation_ids;
        for (size_t i = 0; i < ids.size(); ++i) {
          if ((*found)[i]) {
            ids[i] = to_string(*(*found)[i]);
          } else if (!silent && !uuid::parse(ids[i])) {
            reply(fail(ec::unprocessable,
                       "filter: correlation_ids: no thread has the key \"" +
                           ids[i] + "\" yet"));
            return;
          }
        }
        reply(std::move(f));
      });
}

} // namespace

bridge::bridge(caf::actor_system& sys, actor_context ctx,
               bridge_options options,
               std::shared_ptr<stream_catalogue> catalogue)
    : ctx_(std::move(ctx)),
      options_(std::move(options)),
      catalogue_(std::move(catalogue)),
      ingress_(std::make_shared<ingress>(
          ctx_, ingress_options{options_.queue_maxsize, options_.queue_maxsize,
                                options_.queue_wait, options_.accept_timeout,
                                options_.answer_within})),
      subscriptions_(std::make_shared<subscription_registry>(
          sys, ctx_, options_.subscriptions, catalogue_)),
      processing_(std::make_unique<processing_bridge>(ctx_, options_.timeout)),
      streams_(std::make_unique<subscriptions_bridge>(
          ctx_, options_.timeout, catalogue_, options_.keeps_streams,
          options_.poster)) {
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

std::string bridge::challenge(std::string_view platform) const {
  const auto found = options_.challenges.find(platform);
  return found == options_.challenges.end() ? std::string{} : found->second;
}

void bridge::accept(webhook w, net::reply_to<webhook_answer> reply) {
  ingress_->accept(std::make_shared<const webhook>(std::move(w)),
                   std::move(reply));
}

void bridge::query(event_query q, net::reply_to<event_page> reply) {
  platforms::as_stored(q);
  const auto ask_store = [peers = ctx_.peers, timeout = options_.timeout](
                             event_query what, net::reply_to<event_page> to) {
    put_question(
        *peers, timeout, std::move(to), [peers] { return peers->reader.get(); },
        query_atom_v, std::move(what));
  };
  if (!q.correlation_id || !options_.threads) {
    ask_store(std::move(q), std::move(reply));
    return;
  }
  // A thread that was merged into another one has its events there.
  auto id = to_string(*q.correlation_id);
  options_.threads->resolve(
      {std::move(id)}, filter{},
      [ask_store, q = std::move(q), reply = std::move(reply)](
          expected<std::vector<std::optional<uuid>>> found) mutable {
        if (!found) {
          reply(fail(found.error()));
          return;
        }
        if (found->front())
          q.correlation_id = found->front();
        ask_store(std::move(q), std::move(reply));
      });
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

void bridge::present_threads(std::vector<uuid> ids,
                             net::reply_to<std::vector<uuid>> reply) {
  put_question(
      *ctx_.peers, options_.timeout, std::move(reply),
      [peers = ctx_.peers] { return peers->reader.get(); }, find_atom_v,
      std::move(ids));
}

void bridge::present_filter(filter f, const filter& forced,
                            net::reply_to<filter> reply) {
  present_keys(options_.threads, std::move(f), forced, std::move(reply));
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
  auto name = request.stream;
  streams_->find_stream(
      std::move(name), [all = subscriptions_, threads = options_.threads,
                        request = std::move(request), reply = std::move(reply)](
                           expected<stream_definition> stream) mutable {
        if (!stream) {
          reply(fail(stream.error()));
          return;
        }
        auto own = std::move(request.filter);
        const auto forced = request.forced;
        present_keys(threads, std::move(own), forced,
                     [all, request = std::move(request),
                      shown = std::move(stream->filter),
                      reply = std::move(reply)](expected<filter> f) mutable {
                       if (!f) {
                         reply(fail(f.error()));
                         return;
                       }
                       request.filter = std::move(*f);
                       all->open(std::move(request), std::move(shown),
                                 std::move(reply));
                     });
      });
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
  std::vector<std::string> names;
  for (auto& stream : catalogue_->all())
    names.push_back(std::move(stream.name));
  auto text = ctx_.figures->json(names);
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
