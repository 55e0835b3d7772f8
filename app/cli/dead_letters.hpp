// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// `eventweft dead-letters …`.
namespace eventweft::cli {

struct dead_letter_options {
  connection server;
  uint64_t limit = 50;
  bool json = false;
  std::vector<std::string> ids;
  // Which ones.
  std::string origin;
  std::string platform;
  std::string type;
  std::string event;
  std::string since;
  std::string until;
  bool all = false;
  /// For a retry: a second at most.
  std::string rate;
  /// Of a retry of many: tell that it has begun, and return.
  bool background = false;
};

int list_dead_letters(const dead_letter_options& options, console& io);
int show_dead_letters(const dead_letter_options& options, console& io);
/// Everything that is asked for, one JSON object a line.
int export_dead_letters(const dead_letter_options& options, console& io);
/// Those with the ids, or all that are asked for.
int retry_dead_letters(const dead_letter_options& options, console& io);
/// Follows the retry of many that was begun last until it is over.
int watch_retry(const dead_letter_options& options, console& io);
int drop_dead_letters(const dead_letter_options& options, console& io);

/// Adds the command; `run` is what the chosen part of it leaves to be done. The
/// options live as long as `app`.
void add_dead_letters(CLI::App& app, std::function<int(console&)>& run);

} // namespace eventweft::cli
