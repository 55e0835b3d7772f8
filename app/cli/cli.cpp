// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cli.hpp"

#include "app/cli/parser.hpp"

#include <sys/stat.h>
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

// Whoever reads a pipe may have seen enough; a file that took only a part is a
// failure.
bool ends_in_pipe() {
  struct stat what {};
  return ::fstat(STDOUT_FILENO, &what) == 0 &&
         (S_ISFIFO(what.st_mode) || S_ISSOCK(what.st_mode));
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
    if (std::cout || ends_in_pipe())
      return code;
    std::cerr << "eventweft: standard output took only a part of what there "
                 "is to say (is its disk full?)\n";
    return code == exit_ok ? exit_failure : code;
  } catch (const std::exception& fault) {
    std::cerr << "eventweft: " << fault.what() << '\n';
    return exit_failure;
  }
}

} // namespace eventweft::cli
