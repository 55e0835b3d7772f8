// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/ascii.hpp"
#include "messages/errors.hpp"
#include "net/outgoing/address.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::outgoing {

/// What a connection can be used for again.
struct origin {
  bool tls = false;
  /// Lower case; a name without a final dot, or an address without brackets.
  std::string host;
  uint16_t port = 0;

  auto operator<=>(const origin&) const = default;
};

/// A URL taken apart and found fit for a webhook.
struct target {
  eventweft::outgoing::origin origin;
  /// Set if the host is an address.
  std::optional<ip_address> address;
  /// Path and query; never empty.
  std::string path;
  /// For `Host:`, with the port unless it is the scheme's own.
  std::string host_header;
};

/// `unprocessable` unless `url` is an absolute `http` or `https` URL without
/// user information, whose host is a DNS name, an IPv4 address as four decimal
/// numbers, or an IPv6 address without a zone. Other spellings of IPv4
/// addresses (decimal, hexadecimal, octal, shortened) are refused: libraries
/// disagree about what they mean. At most 2,048 bytes.
expected<target> parse_target(std::string_view url);

} // namespace eventweft::outgoing
