// SPDX-License-Identifier: Apache-2.0
// eventweft_test_postgres [name=value…]: starts a PostgreSQL for a test, prints
// its URL as one line, and stops it when standard input ends or SIGTERM or
// SIGINT comes. Commands on standard input: `kill`, `stop`, `start`, `freeze`,
// `thaw`, `database` (makes a new one); each is answered by one line: `ok`, or
// the new database's URL, or `error: …`. `fsync=on` makes it durable; other
// arguments are settings of the server.
#include "tests/support/postgres_server.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

namespace {

using eventweft::testing::postgres_server;

std::string answer(postgres_server& server, const std::string& command) {
  try {
    if (command == "kill")
      server.kill();
    else if (command == "stop")
      server.stop();
    else if (command == "start")
      server.start();
    else if (command == "freeze")
      server.freeze();
    else if (command == "thaw")
      server.thaw();
    else if (command == "database")
      return server.create_database();
    else
      return "error: unknown command " + command;
    return "ok";
  } catch (const std::exception& e) {
    return std::string{"error: "} + e.what();
  }
}

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

void serve(postgres_server& server, int signals) {
  std::string pending;
  for (;;) {
    pollfd waiting[] = {{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 || waiting[1].revents != 0)
      return;
    char buffer[256];
    auto n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n <= 0)
      return;
    pending.append(buffer, static_cast<size_t>(n));
    for (size_t end; (end = pending.find('\n')) != std::string::npos;) {
      say(answer(server, pending.substr(0, end)));
      pending.erase(0, end + 1);
    }
  }
}

} // namespace

int main(int count, char** arguments) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  try {
    postgres_server::options options;
    for (int i = 1; i < count; ++i) {
      if (std::string{arguments[i]} == "fsync=on")
        options.fsync = true;
      else
        options.settings.emplace_back(arguments[i]);
    }
    postgres_server server{options};
    // Only now: the server would inherit what we block.
    sigprocmask(SIG_BLOCK, &ending, nullptr);
    auto signals = ::signalfd(-1, &ending, SFD_CLOEXEC);
    say(server.url());
    serve(server, signals);
    ::close(signals);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
