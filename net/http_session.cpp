// SPDX-License-Identifier: Apache-2.0
#include "net/http_session.hpp"

#include "net/admission.hpp"
#include "net/answers.hpp"
#include "net/api.hpp"
#include "net/io_thread.hpp"
#include "net/stream_opening.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace eventweft::net {

namespace {

using std::chrono::milliseconds;

/// A body that nobody wants is still read up to this size, so that the
/// connection can go on.
constexpr uint64_t unwanted_body_bytes = 64u << 10;

/// How long and how much a client may go on sending after our last answer.
constexpr milliseconds linger_time{2'000};
constexpr size_t linger_bytes = 64u << 20;

/// How long the rest of the program may take for one answer.
constexpr milliseconds answer_timeout{60'000};

/// What a read has room for: Beast reads into what a buffer has, and 512 bytes
/// at a time if that is nothing. Empty buffers that are larger are given back
/// while waiting.
constexpr size_t kept_buffer_bytes = 16u << 10;

/// What is read at once. With a header block, the most that is ever held of
/// what is not a body: a chunk's extension has no end of its own.
constexpr size_t read_ahead_bytes = 64u << 10;

/// The part of the target before and after `?`; absolute targets lose scheme
/// and authority.
std::pair<std::string_view, std::string_view>
split_target(std::string_view target) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const auto path = target.find('/', target.find("//") + 2);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  const auto mark = target.find('?');
  if (mark == std::string_view::npos)
    return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

bool expects_continue(const http::fields& fields) {
  return beast::iequals(fields[http::field::expect], "100-continue");
}

} // namespace

http_session::http_session(io_thread& home, transport socket,
                           connection_slot slot)
    : home_(home),
      socket_(std::move(socket)),
      slot_(std::move(slot)),
      ask_(home.get_executor(), home.way_in()) {
  home_.add(*this);
  buffer_.max_size(home_.shared().settings.max_header_bytes + read_ahead_bytes);
  error_code ec;
  auto& tcp_only = socket_.socket();
  tcp_only.set_option(tcp::no_delay{true}, ec);
  tcp_only.non_blocking(true, ec);
  const auto peer = tcp_only.remote_endpoint(ec);
  if (!ec)
    remote_ = peer.address().to_string();
}

http_session::~http_session() {
  home_.remove(*this);
}

// -- time and end -------------------------------------------------------------

void http_session::enter(phase p, milliseconds limit) {
  phase_ = p;
  timed_out_ = false;
  deadline_ = steady_clock::now() + limit;
}

void http_session::tick(steady_clock::time_point now) {
  if (timed_out_ || now < deadline_)
    return;
  if (phase_ == phase::answer) {
    ask_.give_up(ec::timed_out);
    return;
  }
  timed_out_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void http_session::drain() {
  const bool nothing_came = phase_ == phase::header && buffer_.size() == 0;
  if (phase_ == phase::idle || nothing_came) {
    aborted_ = true;
    error_code ignored;
    socket_.cancel(ignored);
  }
}

void http_session::abort() {
  aborted_ = true;
  ask_.give_up(ec::shutting_down);
  error_code ignored;
  socket_.close(ignored);
}

// -- the connection -----------------------------------------------------------

awaitable<void> http_session::run() {
  const auto self = shared_from_this();
  if (!co_await agree_on_tls())
    co_return;
  while (co_await wait_for_request())
    if (co_await serve() == next::end)
      break;
}

awaitable<bool> http_session::agree_on_tls() {
  if (!socket_.is_secure())
    co_return true;
  enter(phase::header, home_.shared().settings.header_timeout);
  const auto failure = co_await socket_.handshake();
  home_.shared().figures.tls_handshake(!failure);
  if (!failure)
    co_return !aborted_;
  if (!aborted_ && socket_.fall_back_to_plain()) {
    request none;
    none.version(11);
    auto res = problem_answer(
        {ec::malformed, "this port speaks HTTPS; use https:// in the URL"});
    if (co_await send(std::move(res), none, false))
      co_await linger();
  }
  co_return false;
}

awaitable<void> http_session::refuse() {
  const auto self = shared_from_this();
  if (!co_await agree_on_tls())
    co_return;
  const auto res = problem_answer(
      {ec::overloaded,
       "too many connections; the limit is server.max_connections"});
  request none;
  none.version(11);
  if (co_await send(res, none, false))
    co_await linger();
}

awaitable<bool> http_session::wait_for_request() {
  const auto& limits = home_.shared().settings;
  if (buffer_.size() != 0)
    co_return true;
  if (home_.draining() && !first_)
    co_return false;
  if (buffer_.capacity() > kept_buffer_bytes)
    buffer_.shrink_to_fit();
  if (first_) {
    enter(phase::header, limits.header_timeout);
    co_return true;
  }
  enter(phase::idle, limits.idle_timeout);
  error_code ec;
  co_await socket_.async_wait_readable(into(ec));
  co_return !ec && !timed_out_ && !aborted_;
}

std::optional<response> http_session::read_failed(const error_code& ec) const {
  const auto& limits = home_.shared().settings;
  if (aborted_)
    return std::nullopt;
  if (timed_out_)
    return problem_answer(
        {ec::timed_out, phase_ == phase::body
                            ? "the body took too long"
                            : "the header block took too long"});
  if (ec == http::error::buffer_overflow && phase_ == phase::body)
    return problem_answer({ec::malformed, "a chunk's head is far too long"});
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return problem_answer(
        431, {ec::too_large, "the header block is larger than " +
                                 std::to_string(limits.max_header_bytes) +
                                 " bytes"});
  if (ec == http::error::body_limit)
    return problem_answer(
        {ec::too_large, "the body is larger than " +
                            std::to_string(limits.max_body_bytes) + " bytes"});
  if (ec == http::error::end_of_stream || ec == http::error::partial_message)
    return std::nullopt;
  if (ec.category() ==
      http::make_error_code(http::error::bad_target).category())
    return problem_answer(
        {ec::malformed, "not an HTTP/1.1 request: " + ec.message()});
  return std::nullopt;
}

std::optional<response>
http_session::judge_header(const parser& p, route_match& match,
                           std::string_view path) const {
  const auto& req = p.get();
  if (req.version() >= 11 && req.count(http::field::host) != 1)
    return problem_answer(
        {ec::malformed, "an HTTP/1.1 request has one Host header field"});
  if (const auto it = req.find(http::field::expect);
      it != req.end() && !expects_continue(req))
    return problem_answer(
        417, {ec::malformed, "the only expectation known is 100-continue"});
  const auto& behind = home_.shared().behind;
  match = match_route(req.method(), path, [&](std::string_view name) {
    return behind.knows_platform(name);
  });
  if (auto preflight = answer_preflight(home_.shared(), req, match))
    return preflight;
  if (match.found != nullptr)
    return std::nullopt;
  if (!match.path_known)
    return problem_answer({ec::not_found, "there is nothing at this path"});
  auto res = problem_answer(
      {ec::method_not_allowed, "this path takes " + match.allowed});
  res.set(http::field::allow, match.allowed);
  return res;
}

awaitable<http_session::next> http_session::serve() {
  const auto& shared = home_.shared();
  const auto& limits = shared.settings;
  // The first header's time runs from the accept.
  if (!std::exchange(first_, false))
    enter(phase::header, limits.header_timeout);
  buffer_.reserve(kept_buffer_bytes);
  parser p;
  p.header_limit(limits.max_header_bytes);
  p.body_limit(limits.max_body_bytes);
  error_code ec;
  co_await http::async_read_header(socket_, buffer_, p, into(ec));
  if (ec) {
    auto res = read_failed(ec);
    if (res && co_await send(std::move(*res), p.get(), false))
      co_await linger();
    co_return next::end;
  }
  const std::string target{view(p.get().target())};
  const auto [path, query] = split_target(target);
  const bool expecting =
      !p.is_done() && p.get().version() >= 11 && expects_continue(p.get());
  route_match match;
  auto early = judge_header(p, match, path);
  caller calling;
  if (!early) {
    if (shows_shared_ticket(shared, match, query)) {
      enter(phase::answer, answer_timeout);
      calling = co_await admit_by_ticket(shared, ask_, match, p.get(), query,
                                         remote_);
    } else {
      calling = admit(shared, match, p.get(), query, remote_);
    }
    early = std::move(calling.refused);
  }
  if (early && !p.is_done() &&
      (expecting ||
       p.content_length_remaining().value_or(~0ull) > unwanted_body_bytes)) {
    if (co_await send(std::move(*early), p.get(), false) && !expecting)
      co_await linger();
    co_return next::end;
  }
  if (!p.is_done()) {
    ec = co_await read_body(p, expecting);
    if (ec) {
      auto res = read_failed(ec);
      if (res && co_await send(std::move(*res), p.get(), false))
        co_await linger();
      co_return next::end;
    }
  }
  auto req = p.release();
  const bool keep_alive = req.keep_alive();
  std::optional<response> res = std::move(early);
  if (!res && (match.found->target == endpoint::websocket ||
               match.found->target == endpoint::sse)) {
    enter(phase::answer, answer_timeout);
    const stream_call call{home_,   ask_, match,       query,
                           remote_, req,  calling.who, buffer_.size() != 0,
                           socket_, slot_};
    res = co_await open_stream(call);
    if (!res)
      co_return next::end;
  }
  if (!res) {
    enter(phase::answer, answer_timeout);
    auto done_to = match.argument;
    const api_call call{shared,  ask_, match,       query,
                        remote_, req,  calling.who, done_to};
    res = co_await answer_call(call);
    write_down(shared, *match.found, calling.who, std::move(done_to), remote_,
               static_cast<int>(res->result_int()));
  }
  const bool go_on = keep_alive && !home_.draining() && !aborted_;
  if (!co_await send(std::move(*res), req, go_on) || !go_on)
    co_return next::end;
  co_return next::turn;
}

awaitable<error_code> http_session::read_body(parser& p, bool send_continue) {
  enter(phase::body, home_.shared().settings.body_timeout);
  error_code ec;
  if (send_continue) {
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(
        socket_, asio::buffer(go_on.data(), go_on.size()), into(ec));
    if (ec)
      co_return ec;
  }
  buffer_.reserve(std::min<uint64_t>(p.content_length_remaining().value_or(0),
                                     read_ahead_bytes));
  co_await http::async_read(socket_, buffer_, p, into(ec));
  co_return ec;
}

awaitable<bool> http_session::send(response res, const request& req,
                                   bool keep_alive) {
  enter(phase::write, home_.shared().settings.write_timeout);
  res.version(req.version() == 10 ? 10 : 11);
  res.keep_alive(keep_alive);
  res.set(http::field::date, home_.date());
  if (const auto page = readable_by(home_.shared(), req); !page.empty()) {
    res.set(http::field::access_control_allow_origin, page);
    res.set(http::field::access_control_expose_headers,
            "Location, Retry-After, WWW-Authenticate");
    res.set(http::field::vary, "Origin");
  }
  if (res.result() != http::status::no_content)
    res.content_length(res.body().size());
  if (req.method() == http::verb::head)
    res.body().clear();
  home_.shared().figures.http_answered(static_cast<int>(res.result_int()));
  error_code ec;
  http::response_serializer<http::string_body> serializer{res};
  co_await http::async_write(socket_, serializer, into(ec));
  co_return !ec;
}

awaitable<void> http_session::linger() {
  // A close with unread input would reset the connection, and the client might
  // never see our answer.
  enter(phase::linger, linger_time);
  error_code ec;
  socket_.shutdown_send(ec);
  buffer_.clear();
  buffer_.shrink_to_fit();
  std::array<char, 16 << 10> waste;
  size_t total = 0;
  while (!ec && total < linger_bytes)
    total += co_await socket_.socket().async_read_some(asio::buffer(waste),
                                                       into(ec));
}

} // namespace eventweft::net
