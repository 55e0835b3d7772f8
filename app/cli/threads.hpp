// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"

#include <functional>
#include <string>

namespace CLI {
class App;
} // namespace CLI

namespace eventweft::cli {

struct thread_options {
  connection server;
  /// An id of a thread or an event, or a key.
  std::string which;
  /// Without one: lists threads.
  std::string platform;
  uint64_t limit = 20;
  bool json = false;
  /// Shows the evidence of each link.
  bool why = false;
};
int thread(const thread_options& options, console& io);

struct correlate_options {
  /// Shows what each rule finds in this event.
  std::string explain;
  /// Goes over the stored log again.
  bool backfill = false;
  /// From this time on; empty: from the beginning, or where it was left.
  std::string since;
  /// How much of the time it may work, 0.01 … 1.
  double share = 0.2;
};
int correlate(const correlate_options& options,
              const config::load_options& load, console& io);

/// What the command line was read into, and what is to be done then.
struct thread_commands {
  thread_options thread;
  correlate_options correlate;
};

/// Adds `thread` and `correlate`. `add_connection` and `add_settings` add the
/// options that other commands have too; `start` takes what is to be done.
void add_thread_commands(
    CLI::App& app, thread_commands& commands,
    const std::function<void(CLI::App&)>& add_connection,
    const std::function<void(CLI::App&)>& add_settings,
    const std::function<connection()>& server,
    const std::function<expected<config::load_options>()>& settings,
    const std::function<void(std::function<int(console&)>)>& start);

} // namespace eventweft::cli
