// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace eventweft::net {

/// Where a request's web page is from.
enum class origin_kind {
  /// No page at all: programs send no `Origin`.
  none,
  /// A page from this very server.
  own,
  /// A page of `server.allowed_origins`: it may read the answer.
  listed,
  /// Any other page: it is refused but for what anybody may do.
  foreign,
};

/// `allowed` are the configured origins; `origin` and `host` are the values of
/// those header fields, empty if they are missing. Schemes and hosts have no
/// case. A page's scheme is not compared with ours: a proxy may speak TLS for
/// us. `null`, which sandboxed pages and files send, is listed by name only.
origin_kind judge_origin(std::span<const std::string> allowed,
                         std::string_view origin, std::string_view host);

/// Whether the value of `Host` is a name that no web page can have lent to us:
/// an IP address, localhost, the host in `listen` (HOST:PORT), or that of one
/// of the `allowed` origins. Of any other name's owner the pages count as our
/// own once its DNS leads to us ("DNS rebinding").
bool is_known_host(std::span<const std::string> allowed,
                   std::string_view listen, std::string_view host);

} // namespace eventweft::net
