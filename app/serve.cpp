// SPDX-License-Identifier: Apache-2.0
#include "app/serve.hpp"

#include "app/service.hpp"
#include "app/shutdown.hpp"
#include "app/signals.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace eventweft {

namespace {

constexpr int exit_failure = 1;
constexpr int exit_configuration = 2;

/// Beyond the deadline. Only what nothing can interrupt takes longer, such as a
/// resolver or a disk that does not answer.
constexpr std::chrono::milliseconds forced_end_grace{500};

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

/// The next signal; nothing once the hub has given up. A wake says only that
/// there is something to look at.
std::optional<int> next_signal(signal_waiter& signals, fatal_note& fatal) {
  while (fatal.read().empty())
    if (const auto signal = signals.wait())
      return signal;
  return std::nullopt;
}

/// What a start ended with, and what signals have asked for meanwhile.
struct start_outcome {
  expected<net::bound_address> address;
  bool to_end = false;
  bool to_reload = false;
};

/// Starts the hub on a thread of its own: a start that waits for the store must
/// not keep anybody waiting who wants it to end.
start_outcome start_hub(service& hub, signal_waiter& signals,
                        const std::function<void()>& ending) {
  start_outcome out;
  std::atomic<bool> done = false;
  std::packaged_task<expected<net::bound_address>()> work{
      [&hub] { return hub.start(); }};
  auto ended = work.get_future();
  const std::jthread starter{[&] {
    work();
    done = true;
    signals.wake();
  }};
  while (!done && !out.to_end) {
    // A wake is the start's end, or the hub's, which is seen to afterwards.
    const auto signal = signals.wait();
    if (signal == SIGHUP)
      out.to_reload = true;
    else if (signal)
      out.to_end = true;
  }
  if (out.to_end) {
    ending();
    hub.give_up();
  }
  out.address = ended.get();
  return out;
}

} // namespace

int run_serve(const config::settings& settings) {
  // Whoever started us may have ignored it, which is inherited, and nobody
  // could tell how programs end.
  std::signal(SIGCHLD, SIG_DFL);
  signal_waiter signals;
  auto log =
      make_logger({settings.log.level, settings.log.format, settings.log.file});
  if (!log) {
    std::fprintf(stderr, "eventweft: %s\n", log.error().message.c_str());
    return exit_configuration;
  }
  fatal_note fatal;
  // Before the hub: that one's end may be what hangs.
  std::optional<alarm_clock> forced_end;
  service hub{settings, *log, [&](std::string sentence) {
                fatal.write(std::move(sentence));
                signals.wake();
              }};
  const auto end_in_time = [&](int code) {
    signals.end_at_next();
    forced_end.emplace(std::chrono::steady_clock::now() +
                           settings.server.shutdown_timeout + forced_end_grace,
                       [log = *log, code] {
                         log->warn("stopped by force: a part did not end");
                         log->flush();
                         std::_Exit(code);
                       });
  };
  auto started = start_hub(hub, signals, [&] {
    end_in_time(0);
    (*log)->info("stopping: the start is broken off");
  });
  const auto& address = started.address;
  if (!address) {
    if (started.to_end) {
      (*log)->info("stopped ({})", address.error().message);
      return 0;
    }
    (*log)->error("cannot start: {}", address.error().message);
    return address.error().code == ec::bad_configuration ? exit_configuration
                                                         : exit_failure;
  }
  const bool secure = !settings.server.tls.certificate.empty();
  if (!started.to_end) {
    (*log)->info("listening on {}", net::to_string(*address));
    // Scripts read the address from here when they asked for port 0.
    std::printf("listening on %s://%s\n", secure ? "https" : "http",
                net::to_string(*address).c_str());
    std::fflush(stdout);
    if (started.to_reload)
      hub.reload();
    auto signal = next_signal(signals, fatal);
    while (signal == SIGHUP) {
      hub.reload();
      signal = next_signal(signals, fatal);
    }
    end_in_time(signal ? 0 : exit_failure);
    if (!signal) {
      (*log)->critical("ending: {}", fatal.read());
      hub.stop();
      return exit_failure;
    }
    (*log)->info("stopping: finishing what is in flight");
  }
  const bool clean = hub.stop();
  if (!clean)
    (*log)->warn("stopped; what was not done by the deadline was cut off");
  else
    (*log)->info("stopped");
  return 0;
}

} // namespace eventweft
