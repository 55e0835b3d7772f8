// SPDX-License-Identifier: Apache-2.0
#include "net/api.hpp"

#include "codec/event_json.hpp"
#include "codec/filter.hpp"
#include "messages/ascii.hpp"
#include "net/admission.hpp"
#include "net/answers.hpp"
#include "net/api_access.hpp"
#include "net/api_actors.hpp"
#include "net/api_cluster.hpp"
#include "net/api_explain.hpp"
#include "net/api_processing.hpp"
#include "net/api_rules.hpp"
#include "net/api_subscriptions.hpp"
#include "net/api_threads.hpp"
#include "net/event_query.hpp"
#include "net/ports/access.hpp"
#include "net/ports/threads.hpp"

#include <utility>

namespace eventweft::net {

namespace {

constexpr std::string_view prometheus_type =
    "text/plain; version=0.0.4; charset=utf-8";

/// How much of the log is looked through for a page that passes through a
/// forced filter.
constexpr size_t pages_of_others = 1'000;
constexpr size_t rounds_for_a_page = 10;

/// Of a `Content-Type`'s value.
bool is_json(std::string_view type) {
  const auto bare = lower_case(trim(type.substr(0, type.find(';'))));
  return bare == "application/json" || bare.ends_with("+json");
}

/// The answer to a webhook whose platform does not take it for genuine.
response unproven(const api_call& call, std::string_view platform,
                  const error& why) {
  auto res = problem_answer(why);
  if (auto* access = call.shared.behind.access()) {
    const auto no = access->door().unproven(call.remote_address, why);
    call.shared.figures.access_refused(no.reason);
    res = turned_away(no, false);
  }
  if (const auto challenge = call.shared.behind.challenge(platform);
      !challenge.empty() && res.result_int() == 401)
    res.set(http::field::www_authenticate, challenge);
  return res;
}

awaitable<response> accept_webhook(const api_call& call) {
  webhook w;
  const std::string platform =
      call.match.found->target == endpoint::custom_events ? "events"
                                                          : call.match.argument;
  w.platform = platform;
  w.method = view(call.req.method_string());
  w.query = call.query;
  w.headers = headers_of(call.req);
  w.body = shared_text{std::move(call.req.body())};
  w.remote_address = call.remote_address;
  w.received_at = call.shared.time.now();
  // Whoever has scopes has shown credentials; others prove it to the platform.
  w.proven = call.match.found->needs == auth::needs::ingest &&
             call.who.how != auth::principal::kind::anonymous;
  if (w.proven)
    w.query.clear();
  const auto start = [&](reply_to<webhook_answer> reply) {
    call.shared.behind.accept(std::move(w), std::move(reply));
  };
  auto answer = co_await call.ask.call<webhook_answer>(start);
  if (!answer) {
    // A time-out of ours is not the client's fault.
    if (answer.error().code == ec::timed_out)
      co_return problem_answer(503, answer.error());
    if (answer.error().code == ec::unauthorized)
      co_return unproven(call, platform, answer.error());
    co_return problem_answer(answer.error());
  }
  co_return webhook_response(std::move(*answer));
}

awaitable<expected<event_page>> ask_page(const api_call& call, event_query q) {
  const auto start = [&](reply_to<event_page> reply) {
    call.shared.behind.query(std::move(q), std::move(reply));
  };
  co_return co_await call.ask.call<event_page>(start);
}

/// What of the caller's forced filter the store can look up by itself.
void narrow(event_query& q, const filter& forced) {
  const auto fill = [](auto& list, const auto& from) {
    if (list.empty())
      list = from;
  };
  fill(q.platforms, forced.platforms);
  fill(q.event_types, forced.event_types);
  fill(q.source_ids, forced.source_ids);
  fill(q.source_names, forced.source_names);
  fill(q.actor_ids, forced.actor_ids);
  if (!q.correlation_id && forced.correlation_ids.size() == 1)
    q.correlation_id = uuid::parse(forced.correlation_ids.front());
}

/// A page of what the caller may see. With a forced filter it may hold less
/// than was asked for, or nothing, and still have a next one: the log is looked
/// through a bounded piece at a time.
awaitable<expected<event_page>> visible_page(const api_call& call,
                                             event_query q) {
  if (!call.who.forced)
    co_return co_await ask_page(call, std::move(q));
  if (q.correlation_id) {
    std::vector<std::string> which{to_string(*q.correlation_id)};
    const auto found = co_await resolve_visible(call, std::move(which));
    if (!found)
      co_return fail(found.error());
    const auto thread = found->front();
    if (thread && thread->is_nil())
      co_return event_page{};
    if (thread)
      q.correlation_id = thread;
  }
  const auto forced = co_await with_present_threads(call, *call.who.forced);
  if (!forced)
    co_return fail(forced.error());
  const codec::compiled_filter sees{*forced};
  narrow(q, *forced);
  const size_t wanted = std::exchange(q.limit, pages_of_others);
  event_page out;
  for (size_t round = 0; round != rounds_for_a_page; ++round) {
    auto page = co_await ask_page(call, q);
    if (!page)
      co_return page;
    for (auto& ev : page->events) {
      q.cursor = ev->seq;
      if (!sees.matches(*ev))
        continue;
      out.events.push_back(std::move(ev));
      if (out.events.size() == wanted) {
        out.next_cursor = q.cursor;
        co_return out;
      }
    }
    out.next_cursor = page->next_cursor;
    if (!page->next_cursor)
      break;
    q.cursor = *page->next_cursor;
  }
  co_return out;
}

awaitable<response> list_events(const api_call& call,
                                const query_params& params) {
  auto query = read_event_query(params);
  if (!query)
    co_return problem_answer(query.error());
  const auto page = co_await visible_page(call, std::move(*query));
  if (!page)
    co_return problem_answer(page.error());
  co_return json_answer(200, codec::page_json(*page));
}

awaitable<response> get_event(const api_call& call) {
  const auto id = uuid::parse(call.match.argument);
  if (!id)
    co_return problem_answer({ec::malformed, "an event's id is a UUID"});
  const auto found = co_await find_visible(call, *id);
  if (!found)
    co_return problem_answer(found.error());
  co_return json_answer(
      200, std::string{codec::wire_text(*found, wire_format::native)});
}

response ready(const api_call& call) {
  const auto state = call.shared.behind.ready();
  return json_answer(state.state == "down" ? 503 : 200, readiness_json(state));
}

} // namespace

awaitable<expected<filter>> with_present_threads(const api_call& call,
                                                 filter kept) {
  std::vector<uuid> ids;
  for (const auto& text : kept.correlation_ids)
    if (const auto id = uuid::parse(text))
      ids.push_back(*id);
  if (ids.empty())
    co_return kept;
  const auto start = [&](reply_to<std::vector<uuid>> reply) {
    call.shared.behind.present_threads(std::move(ids), std::move(reply));
  };
  const auto present = co_await call.ask.call<std::vector<uuid>>(start);
  if (!present)
    co_return fail(present.error());
  auto next = present->begin();
  for (auto& text : kept.correlation_ids)
    if (uuid::parse(text) && next != present->end())
      text = to_string(*next++);
  co_return kept;
}

awaitable<expected<std::vector<std::optional<uuid>>>>
resolve_visible(const api_call& call, std::vector<std::string> which) {
  using threads = std::vector<std::optional<uuid>>;
  auto* port = call.shared.behind.threads();
  if (port == nullptr)
    co_return threads(which.size());
  co_return co_await call.ask.call<threads>([&](reply_to<threads> reply) {
    port->resolve(std::move(which), auth::visible_to(call.who),
                  std::move(reply));
  });
}

awaitable<expected<event_ptr>> find_visible(const api_call& call, uuid id) {
  const auto start = [&](reply_to<std::optional<event_ptr>> reply) {
    call.shared.behind.find(id, std::move(reply));
  };
  auto found = co_await call.ask.call<std::optional<event_ptr>>(start);
  if (!found)
    co_return fail(std::move(found.error()));
  const auto none = [] { return fail(ec::not_found, "no event has this id"); };
  if (!*found || !**found)
    co_return none();
  if (call.who.forced) {
    const auto forced = co_await with_present_threads(call, *call.who.forced);
    if (!forced)
      co_return fail(forced.error());
    if (!codec::compiled_filter{*forced}.matches(***found))
      co_return none();
  }
  co_return std::move(**found);
}

header_list headers_of(const http::fields& fields) {
  header_list headers;
  for (const auto& field : fields) {
    headers.emplace_back(lower_case(view(field.name_string())),
                         view(field.value()));
  }
  return headers;
}

awaitable<response> answer_call(const api_call& call) {
  const auto target = call.match.found->target;
  // What senders put into the query of a webhook is the platform's business.
  if (target == endpoint::webhook || target == endpoint::custom_events)
    co_return co_await accept_webhook(call);
  // Any page may send other types from its visitor's browser without being
  // asked about it first (CORS' "simple requests").
  if (!call.req.body().empty() &&
      !is_json(view(call.req[http::field::content_type])))
    co_return problem_answer({ec::unsupported_media_type,
                              "a body needs Content-Type: application/json"});
  // Probes may add what they like to get past caches.
  if (target == endpoint::liveness)
    co_return json_answer(200, R"({"status":"ok"})");
  if (target == endpoint::readiness)
    co_return ready(call);
  const auto params = parse_query(call.query);
  if (!params)
    co_return problem_answer(params.error());
  if (is_subscriptions_call(target))
    co_return co_await answer_subscriptions_call(call, *params);
  if (target == endpoint::list_events)
    co_return co_await list_events(call, *params);
  if (target == endpoint::list_threads)
    co_return co_await list_threads(call, *params);
  if (target == endpoint::get_thread)
    co_return co_await get_thread(call, *params);
  if (target == endpoint::explain_event)
    co_return co_await explain_event(call, *params);
  if (is_rules_call(target))
    co_return co_await answer_rules_call(call, *params);
  if (is_processing_call(target))
    co_return co_await answer_processing_call(call, *params);
  if (target == endpoint::list_audit)
    co_return co_await list_audit(call, *params);
  if (target == endpoint::list_keys)
    co_return co_await list_keys(call, *params);
  if (const auto nothing = read_nothing(*params); !nothing)
    co_return problem_answer(nothing.error());
  switch (target) {
  case endpoint::make_ticket:
    co_return co_await make_ticket(call);
  case endpoint::create_key:
    co_return co_await create_key(call);
  case endpoint::revoke_key:
    co_return co_await revoke_key(call);
  case endpoint::get_event:
    co_return co_await get_event(call);
  case endpoint::get_cluster:
  case endpoint::drain_cluster:
  case endpoint::cluster_log_level:
    co_return co_await answer_cluster(call);
  case endpoint::actors:
    co_return show_actors(call);
  case endpoint::get_log_level:
    co_return show_log_levels(call);
  case endpoint::put_log_level:
    co_return put_log_level(call);
  case endpoint::metrics_json:
    co_return json_answer(200, call.shared.behind.metrics_json());
  case endpoint::metrics_text:
    co_return text_answer(200, prometheus_type,
                          call.shared.behind.metrics_text());
  default:
    co_return problem_answer({ec::internal, "a route without a handler"});
  }
}

} // namespace eventweft::net
