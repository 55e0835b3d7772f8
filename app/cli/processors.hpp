// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/action.hpp"

#include <string>

/// `eventweft processors`.
namespace eventweft::cli {

struct processors_options {
  connection server;
  bool json = false;
  std::string drop;
};

/// Shows the handlers and how they are doing, or has what one that is gone has
/// left given up.
int list_processors(const processors_options& options, console& io);

/// Adds the command; `run` is what it leaves to be done. The options live as
/// long as `app`.
void add_processors(CLI::App& app, runner& run);

} // namespace eventweft::cli
