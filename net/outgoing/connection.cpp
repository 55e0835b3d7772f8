// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/connection.hpp"

#include "net/outgoing/tls.hpp"

#include <boost/beast/core/error.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

namespace eventweft::outgoing {

namespace {

// More addresses than that are not worth the wait.
constexpr size_t max_addresses_tried = 4;

tl::unexpected<failure> not_connected(failure_kind kind, std::string message) {
  return tl::unexpected<failure>{failure{kind, std::move(message), {}}};
}

// What a coroutine waits for. Touched on the I/O thread only.
struct pending_answer {
  explicit pending_answer(const executor& io) : timer(io) {}
  std::optional<resolver::answer> found;
  steady_timer timer;
};

awaitable<std::optional<resolver::answer>>
look_up(const dialer& with, std::string name, deadline until) {
  auto pending = std::make_shared<pending_answer>(with.io);
  pending->timer.expires_at(until);
  // The resolver may answer late: it must neither find the coroutine gone nor
  // be the last to hold a timer whose context is gone.
  with.names->resolve(
      std::move(name), [way_in = with.way_in, weak = std::weak_ptr{pending}](
                           resolver::answer found) mutable {
        way_in->post([weak = std::move(weak), found = std::move(found)] {
          if (const auto p = weak.lock()) {
            p->found = found;
            p->timer.cancel();
          }
        });
      });
  error_code ec;
  co_await pending->timer.async_wait(into(ec));
  co_return std::move(pending->found);
}

std::optional<failure> check_address(const address_policy& policy,
                                     const target& to,
                                     const ip_address& address) {
  if (policy.permits(address))
    return std::nullopt;
  auto message =
      to.address ? std::string{} : "\"" + to.origin.host + "\" leads to ";
  message.append(address.to_string())
      .append(", which is not allowed: ")
      .append(to_string(classify(address)));
  auto with_private = policy;
  with_private.allow_private_networks = true;
  message += with_private.permits(address)
                 ? "; [webhooks] allow_private_networks or allowed_networks "
                   "lets it in"
                 : "; only [webhooks] allowed_networks lets it in";
  return failure{failure_kind::address_refused, std::move(message), {}};
}

failure_kind kind_of(const error_code& ec, failure_kind otherwise) noexcept {
  return ec == beast::error::timeout ? failure_kind::timed_out : otherwise;
}

} // namespace

plain_stream& connection::tcp() noexcept {
  if (auto* const secured = std::get_if<tls_stream>(&transport))
    return secured->next_layer();
  return *std::get_if<plain_stream>(&transport);
}

bool connection::looks_alive() noexcept {
  char byte = 0;
  const auto got =
      ::recv(tcp().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK;
  // With TLS it may be a session ticket; an answer that nobody asked for
  // fails its decoding or the next exchange.
  return got > 0 && std::holds_alternative<tls_stream>(transport);
}

awaitable<tl::expected<std::vector<ip_address>, failure>>
checked_addresses(const dialer& with, const target& to, deadline until) {
  std::vector<ip_address> addresses;
  if (to.address) {
    addresses.push_back(*to.address);
  } else {
    auto found = co_await look_up(with, to.origin.host, until);
    if (!found)
      co_return not_connected(failure_kind::timed_out, "looking up \"" +
                                                           to.origin.host +
                                                           "\" took too long");
    if (!*found) {
      const auto& why = found->error();
      co_return not_connected(why.code == ec::overloaded
                                  ? failure_kind::overloaded
                                  : failure_kind::resolve,
                              why.message);
    }
    addresses = std::move(**found);
    if (addresses.empty())
      co_return not_connected(failure_kind::resolve, "the name \"" +
                                                         to.origin.host +
                                                         "\" has no address");
  }
  for (const auto& address : addresses)
    if (auto refused = check_address(with.policy, to, address))
      co_return tl::unexpected<failure>{std::move(*refused)};
  co_return addresses;
}

awaitable<tl::expected<connection_ptr, failure>>
dial(const dialer& with, const target& to, deadline until) {
  auto addresses = co_await checked_addresses(with, to, until);
  if (!addresses)
    co_return tl::unexpected<failure>{std::move(addresses.error())};
  if (addresses->size() > max_addresses_tried)
    addresses->resize(max_addresses_tried);

  std::optional<plain_stream> open;
  error_code ec;
  for (size_t i = 0; i < addresses->size(); ++i) {
    // Each gets its share, so that one that swallows packets leaves time for
    // the others.
    const auto now = steady_clock::now();
    const auto left =
        static_cast<steady_clock::duration::rep>(addresses->size() - i);
    open.emplace(with.io);
    open->expires_at(now + (until - now) / left);
    co_await open->async_connect(tcp::endpoint{(*addresses)[i], to.origin.port},
                                 into(ec));
    if (!ec)
      break;
  }
  if (ec)
    co_return not_connected(kind_of(ec, failure_kind::connect),
                            "connecting to " + addresses->back().to_string() +
                                " port " + std::to_string(to.origin.port) +
                                " failed: " + ec.message());
  error_code ignored;
  open->socket().set_option(tcp::no_delay{true}, ignored);
  if (!to.origin.tls)
    co_return std::make_unique<connection>(to.origin, std::move(*open));

  if (with.tls == nullptr)
    co_return not_connected(failure_kind::tls, "TLS is not set up");
  auto secured = std::make_unique<connection>(
      to.origin, tls_stream{std::move(*open), *with.tls});
  auto& stream = std::get<tls_stream>(secured->transport);
  if (!expect_peer(stream, to.origin, to.address.has_value()))
    co_return not_connected(failure_kind::tls,
                            "OpenSSL refuses the host's name");
  secured->tcp().expires_at(until);
  co_await stream.async_handshake(asio::ssl::stream_base::client, into(ec));
  if (ec)
    co_return not_connected(kind_of(ec, failure_kind::tls),
                            "the TLS handshake failed: " +
                                handshake_error(stream, ec));
  co_return secured;
}

} // namespace eventweft::outgoing
