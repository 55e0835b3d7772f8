// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/action.hpp"

/// `eventweft rules …`.
namespace eventweft::cli {

/// Adds the command; `run` is what the chosen part of it leaves to be done. The
/// options live as long as `app`.
void add_rules(CLI::App& app, runner& run);

} // namespace eventweft::cli
