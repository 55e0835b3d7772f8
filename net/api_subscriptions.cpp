// SPDX-License-Identifier: Apache-2.0
#include "net/api_subscriptions.hpp"

#include "codec/subscription_json.hpp"
#include "codec/subscription_requests.hpp"
#include "net/answers.hpp"
#include "net/ports/subscriptions.hpp"

#include <optional>
#include <utility>

namespace eventweft::net {

namespace {

/// No stream or subscription needs more to be said about it.
constexpr size_t max_request_bytes = 256u << 10;

error no_streams() {
  return {ec::not_found, "this server has no streams"};
}

/// What a handler works with.
struct place {
  subscriptions_port& port;
  std::string stream;
  uuid id;
};

template <class T, class Show>
awaitable<response> answered(const api_call& call, int status, auto start,
                             Show show) {
  auto result = co_await call.ask.call<T>(start);
  if (!result)
    co_return problem_answer(result.error());
  co_return json_answer(status, show(*result));
}

awaitable<response> emptied(const api_call& call, auto start) {
  const auto result = co_await call.ask.call<bool>(start);
  if (!result)
    co_return problem_answer(result.error());
  co_return text_answer(204, {}, {});
}

awaitable<response> get_stream(const api_call& call, const place& at) {
  const auto found = co_await find_stream(call, at.stream);
  if (!found)
    co_return problem_answer(found.error());
  // They are of everything that is in the stream.
  if (call.who.forced)
    co_return json_answer(200, codec::stream_json(*found, nullptr));
  const auto figures = at.port.figures_of(at.stream);
  co_return json_answer(200, codec::stream_json(*found, &figures));
}

awaitable<response> create_stream(const api_call& call, const place& at) {
  auto s = codec::parse_stream_request(call.req.body());
  if (!s)
    co_return problem_answer(s.error());
  const auto name = s->name;
  call.target = name;
  auto answer = co_await answered<stream_definition>(
      call, 201,
      [&](reply_to<stream_definition> reply) {
        at.port.create_stream(std::move(*s), std::move(reply));
      },
      [](const auto& x) { return codec::stream_json(x, nullptr); });
  if (answer.result_int() == 201)
    answer.set(http::field::location, "/api/v1/streams/" + name);
  co_return answer;
}

awaitable<response> change_stream(const api_call& call, const place& at) {
  auto c = codec::parse_stream_change(call.req.body());
  if (!c)
    co_return problem_answer(c.error());
  co_return co_await answered<stream_definition>(
      call, 200,
      [&](reply_to<stream_definition> reply) {
        at.port.change_stream(at.stream, std::move(*c), std::move(reply));
      },
      [](const auto& x) { return codec::stream_json(x, nullptr); });
}

awaitable<response> create_subscription(const api_call& call, const place& at) {
  auto s = codec::parse_subscription_request(call.req.body());
  if (!s)
    co_return problem_answer(s.error());
  s->what.stream = at.stream;
  std::string id;
  auto answer = co_await answered<subscription_view>(
      call, 201,
      [&](reply_to<subscription_view> reply) {
        at.port.create_subscription(std::move(*s), std::move(reply));
      },
      [&id](const auto& x) {
        id = to_string(x.what.id);
        return codec::subscription_json(x);
      });
  if (!id.empty()) {
    call.target = at.stream + '/' + id;
    answer.set(http::field::location,
               "/api/v1/streams/" + at.stream + "/subscriptions/" + id);
  }
  co_return answer;
}

awaitable<response> change_subscription(const api_call& call, const place& at) {
  auto c = codec::parse_subscription_change(call.req.body());
  if (!c)
    co_return problem_answer(c.error());
  co_return co_await answered<subscription_view>(
      call, 200,
      [&](reply_to<subscription_view> reply) {
        at.port.change_subscription(at.stream, at.id, std::move(*c),
                                    std::move(reply));
      },
      [](const auto& x) { return codec::subscription_json(x); });
}

awaitable<response> replay(const api_call& call, const place& at) {
  auto r = codec::parse_replay_request(call.req.body());
  if (!r)
    co_return problem_answer(r.error());
  const int status = r->dry_run ? 200 : 202;
  co_return co_await answered<replay_answer>(
      call, status,
      [&](reply_to<replay_answer> reply) {
        at.port.replay_subscription(at.stream, at.id, std::move(*r),
                                    std::move(reply));
      },
      [](const auto& x) { return codec::replay_answer_json(x); });
}

response list_streams(const place& at, const query_params& params) {
  const auto page = read_name_page(params);
  if (!page)
    return problem_answer(page.error());
  auto all = at.port.all_streams();
  if (!all)
    return problem_answer(all.error());
  const bool more = cut_page(*all, *page, [](const auto& s) { return s.name; });
  return json_answer(200, codec::streams_json(*all, more));
}

awaitable<response> list_subscriptions(const api_call& call, const place& at,
                                       const query_params& params) {
  const auto page = read_name_page(params);
  if (!page)
    co_return problem_answer(page.error());
  co_return co_await answered<subscription_views>(
      call, 200,
      [&](reply_to<subscription_views> reply) {
        at.port.list_subscriptions(at.stream, std::move(reply));
      },
      [&page](auto& x) {
        const bool more = cut_page(
            x.items, *page, [](const auto& v) { return to_string(v.what.id); });
        return codec::subscriptions_json(x.items, more);
      });
}

awaitable<response> list_deliveries(const api_call& call, const place& at,
                                    const query_params& params) {
  const auto page = read_id_page(params);
  if (!page)
    co_return problem_answer(page.error());
  co_return co_await answered<delivery_list>(
      call, 200,
      [&](reply_to<delivery_list> reply) {
        // One more than asked for tells whether there is a next page.
        at.port.deliveries(at.stream, at.id, page->cursor, page->limit + 1,
                           std::move(reply));
      },
      [&page](auto& x) {
        const bool more = cut_page(x.attempts, page->limit);
        return codec::deliveries_json(x.attempts, more);
      });
}

awaitable<response> list_readers(const api_call& call,
                                 const query_params& params) {
  const auto& stream = call.match.arguments.front();
  if (const auto known = co_await find_stream(call, stream); !known)
    co_return problem_answer(known.error());
  const auto page = read_reader_page(params);
  if (!page)
    co_return problem_answer(page.error());
  using views = std::vector<reader_view>;
  auto found = co_await call.ask.call<views>([&](reply_to<views> reply) {
    // One more than asked for tells whether there is a next page.
    call.shared.readers->list(stream, page->cursor, page->limit + 1,
                              std::move(reply));
  });
  if (!found)
    co_return problem_answer(found.error());
  const bool more = cut_page(*found, page->limit);
  co_return json_answer(200, readers_json(*found, more));
}

awaitable<response> dispatch(const api_call& call, const place& at,
                             const query_params& params) {
  const auto target = call.match.found->target;
  if (target == endpoint::list_deliveries)
    co_return co_await list_deliveries(call, at, params);
  if (target == endpoint::list_streams)
    co_return list_streams(at, params);
  if (target == endpoint::list_subscriptions)
    co_return co_await list_subscriptions(call, at, params);
  if (const auto nothing = read_nothing(params); !nothing)
    co_return problem_answer(nothing.error());
  switch (target) {
  case endpoint::get_stream:
    co_return co_await get_stream(call, at);
  case endpoint::create_stream:
    co_return co_await create_stream(call, at);
  case endpoint::change_stream:
    co_return co_await change_stream(call, at);
  case endpoint::delete_stream:
    co_return co_await emptied(call, [&](reply_to<bool> reply) {
      at.port.delete_stream(at.stream, std::move(reply));
    });
  case endpoint::create_subscription:
    co_return co_await create_subscription(call, at);
  case endpoint::get_subscription:
    co_return co_await answered<subscription_view>(
        call, 200,
        [&](reply_to<subscription_view> reply) {
          at.port.find_subscription(at.stream, at.id, std::move(reply));
        },
        [](const auto& x) { return codec::subscription_json(x); });
  case endpoint::change_subscription:
    co_return co_await change_subscription(call, at);
  case endpoint::delete_subscription:
    co_return co_await emptied(call, [&](reply_to<bool> reply) {
      at.port.delete_subscription(at.stream, at.id, std::move(reply));
    });
  case endpoint::test_subscription:
    co_return co_await answered<delivery_test>(
        call, 200,
        [&](reply_to<delivery_test> reply) {
          at.port.test_subscription(at.stream, at.id, std::move(reply));
        },
        [](const auto& x) { return codec::delivery_test_json(x); });
  case endpoint::replay_subscription:
    co_return co_await replay(call, at);
  default:
    co_return problem_answer({ec::internal, "a route without a handler"});
  }
}

} // namespace

awaitable<expected<stream_definition>> find_stream(const api_call& call,
                                                   const std::string& name) {
  auto* port = call.shared.behind.subscriptions();
  if (port == nullptr)
    co_return fail(no_streams());
  const auto start = [&](reply_to<stream_definition> reply) {
    port->find_stream(name, std::move(reply));
  };
  co_return co_await call.ask.call<stream_definition>(start);
}

bool is_subscriptions_call(endpoint target) noexcept {
  return target >= endpoint::list_streams &&
         target <= endpoint::list_deliveries;
}

awaitable<response> answer_subscriptions_call(const api_call& call,
                                              const query_params& params) {
  if (call.match.found->target == endpoint::list_readers)
    co_return co_await list_readers(call, params);
  auto* port = call.shared.behind.subscriptions();
  if (port == nullptr)
    co_return problem_answer(no_streams());
  if (call.req.body().size() > max_request_bytes)
    co_return problem_answer({ec::too_large, "the body is too large"});
  const auto& arguments = call.match.arguments;
  place at{*port, arguments.empty() ? std::string{} : arguments[0], {}};
  if (arguments.size() > 1) {
    const auto id = uuid::parse(arguments[1]);
    if (!id)
      co_return problem_answer(
          {ec::malformed, "a subscription's id is a UUID"});
    at.id = *id;
  }
  co_return co_await dispatch(call, at, params);
}

} // namespace eventweft::net
