// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream_fwd.hpp>

#include <chrono>
#include <string_view>

/// Short names for what net/ uses of Asio and Beast. The executor's concrete
/// type spares a virtual call for each operation.
namespace eventweft::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using steady_clock = std::chrono::steady_clock;
using steady_timer =
    asio::basic_waitable_timer<steady_clock, asio::wait_traits<steady_clock>,
                               executor>;

template <class T>
using awaitable = asio::awaitable<T, executor>;

/// `co_await op(…, into(ec))`: errors come as a value.
inline auto into(error_code& ec) {
  return asio::redirect_error(asio::use_awaitable_t<executor>{}, ec);
}

inline std::string_view view(beast::string_view text) noexcept {
  return {text.data(), text.size()};
}
inline beast::string_view beast_view(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

} // namespace eventweft::net
