// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "processing/processor.hpp"
#include "processing/program_guard.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace eventweft::processing {

struct exec_options {
  /// The program and its arguments; no shell. Looked up in the child's PATH.
  std::vector<std::string> command;
  /// Where it runs; empty: where this process does.
  std::string directory;
  /// `NAME=value`, on top of a PATH, `LANG=C.UTF-8` and what tells about the
  /// event; nothing else of this process's own environment.
  std::vector<std::string> environment;
  /// How much is kept of standard output, its beginning, and of standard error,
  /// its end.
  size_t keep_output = 64u << 10;
  /// What standard output holds goes back as a reply: as JSON if it is JSON.
  bool answers = false;
};

/// Exit code with which a program says that trying again is of no use
/// (`EX_DATAERR`).
inline constexpr int exec_give_up = 65;

/// Runs a program for each event: the event's JSON on standard input; exit
/// code 0 is done, 65 is to be given up at once, any other one and death by a
/// signal are failed attempts, with the end of standard error as the reason.
/// The program is a process group of its own, which is killed as a whole when
/// the time is up or the attempt is no longer wanted. It inherits no open file
/// and no signal setting. Groups that run are known to `guard`, which many
/// handlers may share; null: they outlive a process that is killed.
blocking_handler make_exec_handler(exec_options options,
                                   std::shared_ptr<program_guard> guard = {});

} // namespace eventweft::processing
