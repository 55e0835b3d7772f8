// SPDX-License-Identifier: Apache-2.0
#include "processing/program_guard.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace eventweft::processing {

namespace {

using std::chrono::steady_clock;

/// If it ends at once each time, it is not started for each program.
constexpr std::chrono::seconds between_starts{10};

/// Only what the shell has built in: it knows no PATH. A leader may have left
/// its group, so it is killed by its own number as well.
constexpr std::string_view guard_script = R"(trap '' HUP INT QUIT TERM
groups=' '
while read -r what id; do
  case $what in
  +) groups="$groups$id " ;;
  -) case $groups in *" $id "*)
       groups="${groups%% $id *} ${groups#* $id }" ;;
     esac ;;
  esac
done
for id in $groups; do kill -9 "-$id" "$id"; done
)";

std::string text_of_errno(int code) {
  return std::generic_category().message(code);
}

} // namespace

program_guard::program_guard(complaint complain)
    : complain_(std::move(complain)) {}

program_guard::~program_guard() {
  end();
}

void program_guard::ready() {
  std::string why;
  {
    const std::scoped_lock lock{mutex_};
    if (!line_)
      why = try_to_start();
  }
  if (!why.empty() && complain_)
    complain_(why);
}

void program_guard::begun(pid_t group) {
  std::string why;
  {
    const std::scoped_lock lock{mutex_};
    groups_.insert(group);
    if (!line_ || !say('+', group))
      why = try_to_start();
  }
  if (!why.empty() && complain_)
    complain_(why);
}

/// Why not, if that has to be told.
std::string program_guard::try_to_start() {
  const auto now = steady_clock::now();
  if (tried_ && now - *tried_ < between_starts)
    return {};
  tried_ = now;
  if (start() && say_all())
    return {};
  auto why = "programs would outlive this process, were it killed: " +
             text_of_errno(errno);
  end();
  return why;
}

void program_guard::ended(pid_t group) {
  const std::scoped_lock lock{mutex_};
  groups_.erase(group);
  if (line_)
    say('-', group);
}

std::optional<pid_t> program_guard::process() const {
  const std::scoped_lock lock{mutex_};
  return line_ ? std::optional{pid_} : std::nullopt;
}

size_t program_guard::programs() const {
  const std::scoped_lock lock{mutex_};
  return line_ ? groups_.size() : 0;
}

bool program_guard::start() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return false;
  file ours{ends[0]};
  const file its{ends[1]};
  spawn_settings s{spawn_settings::own::session};
  ::posix_spawn_file_actions_adddup2(&s.actions, its.get(), STDIN_FILENO);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO})
    ::posix_spawn_file_actions_addopen(&s.actions, fd, "/dev/null", O_WRONLY,
                                       0);
  ::posix_spawn_file_actions_addclosefrom_np(&s.actions, STDERR_FILENO + 1);
  ::posix_spawn_file_actions_addchdir_np(&s.actions, "/");
  std::string shell = "/bin/sh";
  std::string option = "-c";
  std::string what{guard_script};
  std::string name = "eventweft-guard";
  std::array<char*, 5> arguments{shell.data(), option.data(), what.data(),
                                 name.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  if (const auto failed =
          ::posix_spawn(&pid_, shell.c_str(), &s.actions, &s.attributes,
                        arguments.data(), environment.data());
      failed != 0) {
    pid_ = -1;
    errno = failed;
    return false;
  }
  line_ = std::move(ours);
  return true;
}

void program_guard::end() {
  // Dead before its line is: what it knows may be out of date.
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = -1;
  line_.close();
}

bool program_guard::say(char what, pid_t group) {
  const auto text = std::string{what} + ' ' + std::to_string(group) + '\n';
  // Never waits: one that does not read is no guard.
  const auto n = ::send(line_.get(), text.data(), text.size(),
                        MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n == static_cast<ssize_t>(text.size()))
    return true;
  const auto code = errno;
  end();
  errno = code;
  return false;
}

bool program_guard::say_all() {
  return std::ranges::all_of(groups_,
                             [this](pid_t group) { return say('+', group); });
}

} // namespace eventweft::processing
