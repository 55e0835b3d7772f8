// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <string>
#include <string_view>

namespace eventweft::net {

/// How the parts of the program are, and what they log. Thread-safe; every
/// call returns at once.
class actors_port {
 public:
  virtual ~actors_port() = default;

  /// The body of `GET /api/v1/actors`.
  virtual std::string actors_json() const = 0;

  /// The body of `GET /api/v1/log-level`.
  virtual std::string log_levels_json() const = 0;

  /// `*` is every component. `not_found` without such a component,
  /// `unprocessable` without such a level.
  virtual expected<void> set_log_level(std::string_view component,
                                       std::string_view level) = 0;
};

} // namespace eventweft::net
