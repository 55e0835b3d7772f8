// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cli.hpp"

#include "app/cli/parser.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

namespace eventweft::cli {

namespace {

bool wants_colour() {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value ? std::string_view{value} : std::string_view{};
  };
  // no-color.org: any value that is not empty.
  return ::isatty(STDOUT_FILENO) && set("NO_COLOR").empty() &&
         set("TERM") != "dumb";
}

} // namespace

int run(int argc, const char* const* argv, const programs& start) {
  // A reader that goes away (`eventweft events | head`) shows as a failed
  // write and ends the command in its own way.
  std::signal(SIGPIPE, SIG_IGN);
  console io{std::cout, std::cerr, wants_colour()};
  try {
    const int code = parse_and_run(argc, argv, start, io);
    std::cout.flush();
    return code;
  } catch (const std::exception& fault) {
    std::cerr << "eventweft: " << fault.what() << '\n';
    return exit_failure;
  }
}

} // namespace eventweft::cli
