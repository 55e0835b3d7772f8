// SPDX-License-Identifier: Apache-2.0
#include "app/serve.hpp"

#include "app/service.hpp"
#include "app/signals.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

namespace eventweft {

namespace {

constexpr int exit_failure = 1;
constexpr int exit_configuration = 2;

/// Why the hub gave up by itself, if it did.
class fatal_note {
 public:
  void write(std::string sentence) {
    std::lock_guard guard{mutex_};
    if (sentence_.empty())
      sentence_ = std::move(sentence);
  }

  std::string read() {
    std::lock_guard guard{mutex_};
    return sentence_;
  }

 private:
  std::mutex mutex_;
  std::string sentence_;
};

} // namespace

int run_serve(const config::settings& settings) {
  signal_waiter signals;
  auto log =
      make_logger({settings.log.level, settings.log.format, settings.log.file});
  if (!log) {
    std::fprintf(stderr, "eventweft: %s\n", log.error().message.c_str());
    return exit_configuration;
  }
  fatal_note fatal;
  service hub{settings, *log, [&](std::string sentence) {
                fatal.write(std::move(sentence));
                signals.wake();
              }};
  const auto address = hub.start();
  if (!address) {
    (*log)->error("cannot start: {}", address.error().message);
    return address.error().code == ec::bad_configuration ? exit_configuration
                                                         : exit_failure;
  }
  const bool secure = !settings.server.tls.certificate.empty();
  (*log)->info("listening on {}", net::to_string(*address));
  // Scripts read the address from here when they asked for port 0.
  std::printf("listening on %s://%s\n", secure ? "https" : "http",
              net::to_string(*address).c_str());
  std::fflush(stdout);

  auto signal = signals.wait();
  while (signal == SIGHUP) {
    hub.reload();
    signal = signals.wait();
  }
  signals.end_at_next();
  if (!signal) {
    (*log)->critical("ending: {}", fatal.read());
    hub.stop();
    return exit_failure;
  }
  (*log)->info("stopping: finishing what is in flight");
  const bool clean = hub.stop();
  if (!clean)
    (*log)->warn("stopped; what was not done by the deadline was cut off");
  else
    (*log)->info("stopped");
  return 0;
}

} // namespace eventweft
