// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/outgoing.hpp"
#include "net/gate.hpp"
#include "net/outgoing/resolver.hpp"
#include "net/outgoing/target.hpp"
#include "net/outgoing/types.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <memory>
#include <variant>

namespace eventweft::outgoing {

/// An open connection to an address that was checked, with what was read from
/// it beyond the last answer.
struct connection {
  using stream = std::variant<plain_stream, tls_stream>;

  connection(eventweft::outgoing::origin to, stream s)
      : peer(std::move(to)), transport(std::move(s)) {}

  /// The TCP part, below TLS if there is any.
  plain_stream& tcp() noexcept;

  /// False if the peer closed it, or sent what nobody asked for.
  bool looks_alive() noexcept;

  eventweft::outgoing::origin peer;
  stream transport;
  beast::flat_buffer buffer;
  /// It has carried an exchange already.
  bool used = false;
};

using connection_ptr = std::unique_ptr<connection>;

/// What dialling needs; all of it outlives the call.
struct dialer {
  executor io;
  net::gate_ptr way_in;
  std::shared_ptr<resolver> names;
  address_policy policy;
  /// Null: no TLS.
  asio::ssl::context* tls = nullptr;
};

/// The target's addresses, each of which passed the policy: if one does not,
/// none is used, for a name server that mixes them has no good reason to.
awaitable<tl::expected<std::vector<ip_address>, failure>>
checked_addresses(const dialer& with, const target& to, deadline until);

/// Connects to one of the target's checked addresses, which are not looked up
/// a second time, and shakes hands if it is `https`.
awaitable<tl::expected<connection_ptr, failure>>
dial(const dialer& with, const target& to, deadline until);

} // namespace eventweft::outgoing
