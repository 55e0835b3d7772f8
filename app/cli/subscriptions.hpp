// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/action.hpp"

/// `eventweft subscriptions …`.
namespace eventweft::cli {

/// Adds the command; `run` is what the chosen part of it leaves to be done. The
/// options live as long as `app`.
void add_subscriptions(CLI::App& app, runner& run);

} // namespace eventweft::cli
