// SPDX-License-Identifier: Apache-2.0
#include "net/stream_opening.hpp"

#include "codec/filter.hpp"
#include "net/admission.hpp"
#include "net/answers.hpp"
#include "net/io_thread.hpp"
#include "net/ports/access.hpp"
#include "net/sse_reader.hpp"
#include "net/stream_query.hpp"
#include "net/websocket_reader.hpp"

#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <utility>

namespace eventweft::net {

namespace {

/// On the clock that ticks steadily; far enough away is never.
steady_clock::time_point moment_of(const std::optional<timestamp>& time,
                                   timestamp now) {
  constexpr auto far_away = std::chrono::years{10};
  if (!time || *time - now > far_away)
    return steady_clock::time_point::max();
  return steady_clock::now() + (*time - now);
}

bool offers_subprotocol(const http::fields& fields, beast::string_view name) {
  return http::token_list{fields[http::field::sec_websocket_protocol]}.exists(
      name);
}

/// Several fields of that name mean the same as one.
std::string offered_extensions(const http::fields& fields) {
  std::string all;
  const auto [begin, end] =
      fields.equal_range(http::field::sec_websocket_extensions);
  for (auto it = begin; it != end; ++it) {
    if (!all.empty())
      all += ", ";
    all += view(it->value());
  }
  return all;
}

/// An upgrade that can't be confirmed.
std::optional<response> refuse_upgrade(const stream_call& call) {
  const auto& req = call.req;
  if (!beast::websocket::is_upgrade(req)) {
    auto res =
        problem_answer(426, {ec::malformed, "this path speaks WebSocket only"});
    res.set(http::field::upgrade, "websocket");
    return res;
  }
  if (req["Sec-WebSocket-Version"] != "13") {
    auto res = problem_answer(
        426, {ec::malformed, "Sec-WebSocket-Version must be 13"});
    res.set(http::field::upgrade, "websocket");
    res.set("Sec-WebSocket-Version", "13");
    return res;
  }
  // 16 bytes in base64.
  if (const auto key = view(req[http::field::sec_websocket_key]);
      key.size() != 24 || !key.ends_with("=="))
    return problem_answer(
        {ec::malformed, "Sec-WebSocket-Key must be 16 bytes in base64"});
  if (call.more_came)
    return problem_answer(
        {ec::malformed, "bytes were sent before the upgrade was confirmed"});
  return std::nullopt;
}

/// What the handshake agrees on; the subprotocol says which format is wanted.
websocket_reader::options agree_on(const http::fields& fields, bool compression,
                                   stream_query& asked) {
  websocket_reader::options out;
  out.progress = asked.progress;
  if (compression)
    out.deflate = choose_deflate(offered_extensions(fields));
  if (offers_subprotocol(fields, "cloudevents.json")) {
    out.subprotocol = "cloudevents.json";
    asked.format = wire_format::cloudevents;
  }
  return out;
}

/// What a browser says in header fields, as it can't change the URL.
expected<void> read_sse_fields(const http::fields& fields,
                               stream_query& asked) {
  if (fields[http::field::accept].find("application/cloudevents+json") !=
      beast::string_view::npos)
    asked.format = wire_format::cloudevents;
  if (const auto last = view(fields["Last-Event-ID"]); !last.empty()) {
    auto start = codec::parse_since(last);
    if (!start || start->from != start_point::kind::after_seq)
      return fail(ec::malformed, "Last-Event-ID must be a seq");
    asked.start = *start;
  }
  return {};
}

} // namespace

awaitable<std::optional<response>> open_stream(const stream_call& call) {
  auto& home = call.home;
  const auto& shared = home.shared();
  const auto& req = call.req;
  const bool over_websocket = call.match.found->target == endpoint::websocket;
  const auto params = parse_query(call.query);
  if (!params)
    co_return problem_answer(params.error());
  auto asked =
      over_websocket ? read_websocket_query(*params) : read_sse_query(*params);
  if (!asked)
    co_return problem_answer(asked.error());
  websocket_reader::options options;
  if (over_websocket) {
    if (auto refused = refuse_upgrade(call))
      co_return refused;
    options = agree_on(req, shared.streaming.compression, *asked);
    options.present_filter = [&behind = shared.behind, way_in = home.way_in(),
                              forced = auth::visible_to(call.who)](
                                 filter f, reply_to<filter> reply) {
      behind.present_filter(
          std::move(f), forced,
          [way_in, reply = std::move(reply)](expected<filter> found) {
            way_in->post([reply, found = std::move(found)]() mutable {
              reply(std::move(found));
            });
          });
    };
  } else if (const auto read = read_sse_fields(req, *asked); !read) {
    co_return problem_answer(read.error());
  }
  reader_setup setup;
  setup.credit = asked->credit;
  setup.id = shared.random.next();
  setup.stream = call.match.argument;
  setup.format = asked->format;
  setup.in = auth::standing_of(call.who);
  setup.address = call.remote_address;
  setup.opened_at = shared.time.now();
  setup.filter = codec::filter_json(asked->filter);
  setup.ends_at = moment_of(call.who.expires, shared.time.now());
  const auto start = [&](reply_to<std::shared_ptr<reader_control>> reply) {
    shared.behind.open_reader({setup.id, home.readers(), setup.stream,
                               std::move(asked->filter), asked->start,
                               auth::visible_to(call.who)},
                              std::move(reply));
  };
  auto control = co_await call.ask.call<std::shared_ptr<reader_control>>(start);
  // A browser that comes back to a stream which is no longer there is told to
  // stop; whoever asks for the first time is told why.
  const bool comes_back = !over_websocket && req.count("Last-Event-ID") != 0;
  if (!control && control.error().code == ec::not_found && comes_back)
    co_return text_answer(204, {}, {});
  if (!control)
    co_return problem_answer(control.error());
  if (home.draining())
    co_return problem_answer({ec::shutting_down, "the server is stopping"});
  // They may be nobody by now; from here on `recheck` finds us.
  if (auto* access = shared.behind.access())
    if (const auto in = access->door().alive(setup.in); !in)
      co_return turned_away({in.error(), "invalid", {}, {}}, true);
  if (!over_websocket && req.method() == http::verb::head)
    co_return text_answer(200, "text/event-stream", {});
  setup.control = std::move(*control);
  setup.slot = std::move(call.slot);
  auto& lane = *home.readers();
  if (over_websocket) {
    const auto reader = std::make_shared<websocket_reader>(
        lane, std::move(setup), std::move(call.socket), std::move(options));
    lane.add(reader);
    reader->start(req);
  } else {
    const auto reader = std::make_shared<sse_reader>(
        lane, std::move(setup), std::move(call.socket), asked->progress);
    lane.add(reader);
    reader->start(readable_by(shared, req));
  }
  shared.figures.http_answered(over_websocket ? 101 : 200);
  co_return std::nullopt;
}

} // namespace eventweft::net
