// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/exchange.hpp"

#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace eventweft::outgoing {

namespace {

namespace http = beast::http;

constexpr uint32_t max_header_bytes = 16u << 10;
// 100 Continue and 103 Early Hints; more of them are a joke.
constexpr int max_interim_answers = 8;

using out_message = http::request<http::span_body<const char>>;
using in_parser = http::response_parser<http::buffer_body>;

constexpr std::string_view not_for_callers[] = {
    "host",    "content-length",      "transfer-encoding",
    "te",      "connection",          "keep-alive",
    "trailer", "proxy-authorization", "proxy-authenticate",
    "upgrade", "proxy-connection",    "expect"};

out_message build(const request& what, const target& to,
                  const std::string& user_agent) {
  const auto body = what.body.view();
  out_message out{http::verb::post, to.path, 11};
  out.set(http::field::host, to.host_header);
  bool names_agent = false;
  for (const auto& [name, value] : what.headers) {
    out.insert(name, value);
    names_agent =
        names_agent ||
        std::ranges::equal(name, std::string_view{"user-agent"}, {}, lower);
  }
  if (!names_agent)
    out.set(http::field::user_agent, user_agent);
  out.body() = beast::span<const char>{body.data(), body.size()};
  out.content_length(body.size());
  return out;
}

bool peer_was_gone(const error_code& ec) noexcept {
  return ec == http::error::end_of_stream || ec == asio::error::eof ||
         ec == asio::error::connection_reset ||
         ec == asio::error::broken_pipe ||
         ec == asio::ssl::error::stream_truncated;
}

failure broken(const error_code& ec, const char* doing, int status) {
  std::string message = doing;
  if (status != 0)
    message += " (its status was " + std::to_string(status) + ")";
  const bool late = ec == beast::error::timeout;
  message += late ? " took too long" : " failed: " + ec.message();
  return {late ? failure_kind::timed_out : failure_kind::protocol,
          std::move(message),
          {}};
}

template <class Stream>
awaitable<exchanged> run(Stream& stream, connection& over, const request& what,
                         const target& to, const std::string& user_agent) {
  const auto give_up = [](const error_code& ec, const char* doing, int status,
                          bool never_taken) {
    return exchanged{tl::unexpected<failure>{broken(ec, doing, status)}, false,
                     never_taken};
  };
  error_code ec;
  auto message = build(what, to, user_agent);
  co_await http::async_write(stream, message, into(ec));
  // A peer may refuse a body that it has not read to its end: see what it
  // says before calling that a failure.
  const auto written = ec;
  if (written && !peer_was_gone(written))
    co_return give_up(written, "sending the request", 0, false);

  response answer;
  std::optional<in_parser> parser;
  for (int interim = 0;; ++interim) {
    parser.emplace();
    parser->header_limit(max_header_bytes);
    parser->body_limit(boost::none);
    co_await http::async_read_header(stream, over.buffer, *parser, into(ec));
    if (ec)
      co_return give_up(written ? written : ec, "waiting for an answer", 0,
                        !parser->got_some() && interim == 0 &&
                            (written ? true : peer_was_gone(ec)));
    answer.status = static_cast<int>(parser->get().result_int());
    if (answer.status >= 200)
      break;
    if (answer.status == 101 || interim == max_interim_answers)
      co_return exchanged{tl::unexpected<failure>{failure{
          failure_kind::protocol, "the peer never gave a final answer", {}}}};
  }

  for (const auto& field : parser->get())
    answer.headers.emplace_back(field.name_string(), field.value());
  size_t read = 0;
  std::array<char, 4096> chunk;
  while (!parser->is_done() && read < what.max_body_bytes) {
    auto& body = parser->get().body();
    body.data = chunk.data();
    body.size = chunk.size();
    co_await http::async_read(stream, over.buffer, *parser, into(ec));
    if (ec && ec != http::error::need_buffer)
      co_return give_up(ec, "reading the answer", answer.status, false);
    const auto got = chunk.size() - parser->get().body().size;
    const auto room = what.keep_body_bytes - answer.body.size();
    answer.body.append(chunk.data(), std::min(got, room));
    answer.body_cut = answer.body_cut || got > room;
    read += got;
  }
  const bool whole = parser->is_done();
  answer.body_cut = answer.body_cut || !whole;
  const bool reusable = whole && !written && parser->get().keep_alive() &&
                        over.buffer.size() == 0;
  co_return exchanged{std::move(answer), reusable, false};
}

} // namespace

std::optional<std::string> bad_header(const header_list& headers) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name))
      return "a header's name is no HTTP token";
    if (std::ranges::any_of(not_for_callers, [&name](std::string_view own) {
          return std::ranges::equal(name, own, {}, lower);
        }))
      return "the header \"" + name + "\" can't be set";
    if (std::ranges::any_of(value, [](char c) {
          return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f';
        }))
      return "the value of the header \"" + name +
             "\" holds a control character";
  }
  return std::nullopt;
}

awaitable<exchanged> exchange(connection& over, const request& what,
                              const target& to, const std::string& user_agent,
                              deadline until) {
  over.tcp().expires_at(until);
  std::optional<exchanged> done;
  if (auto* const secured = std::get_if<tls_stream>(&over.transport))
    done = co_await run(*secured, over, what, to, user_agent);
  else
    done = co_await run(over.tcp(), over, what, to, user_agent);
  over.tcp().expires_never();
  over.used = true;
  co_return std::move(*done);
}

} // namespace eventweft::outgoing
