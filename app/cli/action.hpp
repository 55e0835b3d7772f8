// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"
#include "app/cli/connection.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace eventweft::cli {

/// What the chosen command leaves to be done once the line is read.
using runner = std::function<int(console&)>;

/// One subcommand that runs `command` with the options, which have the server
/// that it talks to. `run` outlives `app`.
template <class Options, class Command>
CLI::App* add_action(CLI::App& app, runner& run,
                     const std::shared_ptr<Options>& o, const char* name,
                     const char* help, Command command) {
  auto* sub = app.add_subcommand(name, help);
  add_connection(*sub, o->server);
  sub->callback([&run, o, command] {
    run = [o, command](console& io) { return command(*o, io); };
  });
  return sub;
}

/// For an option whose 0 is all: CLI11 reads a negative number as a huge one.
inline std::string refuse_negative(const std::string& text) {
  return text.starts_with('-') ? "must not be below 0" : "";
}

/// An option whose empty value means something: `text` outlives `app` and has
/// what was given, "" too. (CLI11 makes nothing of an empty value for an
/// optional.)
inline CLI::Option* add_text(CLI::App& app, const char* name,
                             std::optional<std::string>& text,
                             const char* help) {
  return app.add_option_function<std::string>(
      name, [&text](const std::string& given) { text = given; }, help);
}

} // namespace eventweft::cli
