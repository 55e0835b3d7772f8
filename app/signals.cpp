// SPDX-License-Identifier: Apache-2.0
#include "app/signals.hpp"

#include <unistd.h>

#include <cerrno>

namespace eventweft {

namespace {

// `wake` is a signal too, so that one wait serves for both. Nobody sends this
// one to a process from outside.
const int wake_signal = SIGRTMIN + 1;

} // namespace

signal_waiter::signal_waiter() : process_(::getpid()) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &pipe_before_);
  sigemptyset(&taken_);
  sigaddset(&taken_, SIGINT);
  sigaddset(&taken_, SIGTERM);
  sigaddset(&taken_, SIGHUP);
  sigaddset(&taken_, wake_signal);
  pthread_sigmask(SIG_BLOCK, &taken_, &before_);
}

signal_waiter::~signal_waiter() {
  // A wake that nobody waited for any more would end the process.
  sigset_t wakes;
  sigemptyset(&wakes);
  sigaddset(&wakes, wake_signal);
  const timespec at_once{};
  while (::sigtimedwait(&wakes, nullptr, &at_once) == wake_signal) {
    // next one
  }
  ::sigaction(SIGPIPE, &pipe_before_, nullptr);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> signal_waiter::wait() {
  int got = 0;
  while (sigwait(&taken_, &got) == EINTR) {
    // interrupted by a debugger: wait again
  }
  if (got == wake_signal)
    return std::nullopt;
  return got;
}

void signal_waiter::wake() {
  ::kill(process_, wake_signal);
}

void signal_waiter::end_at_next() {
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  pthread_sigmask(SIG_UNBLOCK, &both, nullptr);
}

} // namespace eventweft
