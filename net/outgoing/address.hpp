// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

/// Which addresses a webhook may be sent to. A URL is given by a user, the
/// connection is made from inside the operator's network: without this, a
/// subscription would be a way to talk to everything that trusts that network.
namespace eventweft::outgoing {

using ip_address = boost::asio::ip::address;

/// What an address is for, by IANA's registries of special-purpose addresses.
enum class address_class : uint8_t {
  global,      ///< the Internet
  loopback,    ///< 127.0.0.0/8, ::1
  private_use, ///< 10/8, 172.16/12, 192.168/16, fc00::/7, fec0::/10
  cgnat,       ///< 100.64/10
  link_local,  ///< 169.254/16, fe80::/10
  metadata,    ///< where clouds hand out credentials
  multicast,
  unspecified, ///< 0.0.0.0/8, ::
  reserved,    ///< documentation, benchmarks, broadcast, not yet given out
  translated,  ///< an IPv4 address within an IPv6 one
};

/// "loopback", "private", …, for messages.
std::string_view to_string(address_class c) noexcept;

address_class classify(const ip_address& address) noexcept;

/// A block of addresses: `10.1.0.0/16`, `fd00::/8`, or one address.
struct cidr {
  /// IPv4 blocks are kept as such; they never match an IPv6 address.
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};
  unsigned bits = 0;

  bool contains(const ip_address& address) const noexcept;
};

/// `bad_configuration` if `text` is no block, or has bits set beyond its mask.
expected<cidr> parse_cidr(std::string_view text);

/// What the operator allows beyond the Internet.
struct address_policy {
  /// Loopback, private, CGNAT and link-local addresses. Metadata services,
  /// multicast, unspecified and reserved addresses stay refused.
  bool allow_private_networks = false;
  /// These are allowed whatever they are.
  std::vector<cidr> allowed;

  /// An address that embeds an IPv4 one (mapped, NAT64, 6to4, Teredo) passes
  /// only if private networks or its block are allowed and the embedded
  /// address passes by itself. Within NAT64's prefixes it may stand in any of
  /// four places: what stands there must pass in each of them.
  bool permits(const ip_address& address) const noexcept;
};

} // namespace eventweft::outgoing
