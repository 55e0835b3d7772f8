// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/action.hpp"

/// `eventweft processors`.
namespace eventweft::cli {

struct processors_options {
  connection server;
  bool json = false;
};

/// Shows the handlers and how they are doing.
int list_processors(const processors_options& options, console& io);

/// Adds the command; `run` is what it leaves to be done. The options live as
/// long as `app`.
void add_processors(CLI::App& app, runner& run);

} // namespace eventweft::cli
