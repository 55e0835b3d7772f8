// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::auth {

/// What a request needs.
enum class permission : uint8_t {
  /// Hand in events.
  ingest = 0,
  /// Ask the log: events, threads, figures.
  read = 1,
  /// Follow one stream.
  stream = 2,
  /// Make, change and delete streams, subscriptions, dead letters.
  manage = 3,
  /// Keys, nodes, everything.
  admin = 4,
};

/// "ingest", "read", …
std::string_view to_string(permission p) noexcept;

/// What a key or token grants.
struct scope {
  permission grants = permission::read;
  /// For `stream`: a name, or a pattern with `*`.
  std::string stream;

  bool operator==(const scope&) const = default;

  /// `admin` covers everything; `read` covers every stream, too; all others
  /// cover just themselves. `name` is looked at for `permission::stream` only.
  bool covers(permission p, std::string_view name) const noexcept;
};

/// `ingest`, `read`, `stream:NAME`, `manage` or `admin`; a NAME has letters,
/// digits, `_`, `-`, `.` and `*`. `unprocessable` for anything else.
expected<scope> parse_scope(std::string_view text);
std::string to_string(const scope& s);

/// Several, with spaces between (RFC 6749).
expected<std::vector<scope>> parse_scopes(std::string_view text);
std::string to_string(const std::vector<scope>& scopes);

} // namespace eventweft::auth
