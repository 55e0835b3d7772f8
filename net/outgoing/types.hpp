// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>

#include <chrono>

/// Short names for what net/outgoing/ uses of Asio and Beast. All of it runs
/// on one thread a client, so that nothing here needs a lock or a strand.
namespace eventweft::outgoing {

namespace asio = boost::asio;
namespace beast = boost::beast;

using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;
using executor = asio::io_context::executor_type;
using steady_clock = std::chrono::steady_clock;
using deadline = steady_clock::time_point;
using steady_timer =
    asio::basic_waitable_timer<steady_clock, asio::wait_traits<steady_clock>,
                               executor>;
using plain_stream = beast::basic_stream<tcp, executor>;
using tls_stream = asio::ssl::stream<plain_stream>;

template <class T>
using awaitable = asio::awaitable<T, executor>;

/// `co_await op(…, into(ec))`: errors come as a value.
inline auto into(error_code& ec) {
  return asio::redirect_error(asio::use_awaitable_t<executor>{}, ec);
}

} // namespace eventweft::outgoing
