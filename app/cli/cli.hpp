// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <functional>
#include <vector>

namespace eventweft::cli {

/// What the command line starts but does not hold itself.
struct programs {
  /// Runs the server until it is told to stop; the exit code.
  std::function<int(const config::settings&)> serve;
  /// What it would refuse the configuration for, each fault with section and
  /// key in front.
  std::function<std::vector<error>(const config::settings&)> faults = {};
  /// Whether it would listen where it is told to; `guarded`: with
  /// authentication.
  std::function<expected<void>(const config::settings&, bool guarded)>
      may_listen = {};
};

/// Reads the command line and does what it says. Returns the exit code: 0, 1
/// for a failure, 2 for usage or configuration. Throws nothing.
int run(int argc, const char* const* argv, const programs& start);

} // namespace eventweft::cli
