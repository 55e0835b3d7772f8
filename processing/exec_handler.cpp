// SPDX-License-Identifier: Apache-2.0
#include "processing/exec_handler.hpp"

#include "codec/event_json.hpp"
#include "codec/json_text.hpp"
#include "processing/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace eventweft::processing {

namespace {

using std::chrono::steady_clock;

/// Without a way to wait for a process and for files at once.
constexpr int poll_interval_ms = 20;
/// Of a program that prints faster than it is read: there is the time to look
/// at as well.
constexpr size_t reads_at_once = 128;

std::string system_error(int code) {
  return std::generic_category().message(code);
}

/// The process, which may be a host's, has the kernel forget how its children
/// end.
bool forgets_children() {
  struct sigaction now {};
  return ::sigaction(SIGCHLD, nullptr, &now) == 0 &&
         (now.sa_handler == SIG_IGN || (now.sa_flags & SA_NOCLDWAIT) != 0);
}

/// The text as a file in memory: the child can read it at its own pace, or
/// not at all.
file file_of(std::string_view text) {
  file out{::memfd_create("event", MFD_CLOEXEC)};
  while (out && !text.empty()) {
    const auto n = ::write(out.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return {};
    text.remove_prefix(static_cast<size_t>(n));
  }
  if (out)
    ::lseek(out.get(), 0, SEEK_SET);
  return out;
}

/// What comes out of a pipe: its beginning or its end, up to a limit. The rest
/// is read and dropped.
class output {
 public:
  enum class part : uint8_t { beginning, end };

  explicit output(part kept) : kept_(kept) {}

  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      return false;
    read_ = file{ends[0]};
    write_ = file{ends[1]};
    ::fcntl(read_.get(), F_SETFL, O_NONBLOCK);
    return true;
  }

  int child_end() const noexcept { return write_.get(); }
  void close_child_end() noexcept { write_.close(); }
  int fd() const noexcept { return read_.get(); }

  /// Reads what is there.
  void drain(size_t keep) {
    std::array<char, 8'192> buffer{};
    for (size_t i = 0; i < reads_at_once && read_; ++i) {
      const auto n = ::read(read_.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return;
      if (n == 0) {
        read_.close();
        return;
      }
      text_.append(buffer.data(), static_cast<size_t>(n));
      whole_ = whole_ && text_.size() <= keep;
      if (!whole_)
        text_.erase(kept_ == part::end ? 0 : keep, text_.size() - keep);
    }
  }

  const std::string& text() const noexcept { return text_; }
  /// Nothing was dropped.
  bool whole() const noexcept { return whole_; }

 private:
  const part kept_;
  file read_;
  file write_;
  std::string text_;
  bool whole_ = true;
};

std::vector<std::string> environment_of(const exec_options& o, const event& ev,
                                        const attempt_context& c) {
  std::vector<std::string> out{
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "LANG=C.UTF-8",
      "EVENTWEFT_PROCESSOR=" + c.processor,
      "EVENTWEFT_IDEMPOTENCY_KEY=" + c.idempotency_key,
      "EVENTWEFT_ATTEMPT=" + std::to_string(c.attempt),
      "EVENTWEFT_MAX_ATTEMPTS=" + std::to_string(c.max_attempts),
      "EVENTWEFT_EVENT_ID=" + to_string(ev.id),
      "EVENTWEFT_EVENT_SEQ=" + std::to_string(ev.seq),
      "EVENTWEFT_EVENT_TYPE=" + ev.event_type,
      "EVENTWEFT_PLATFORM=" + ev.platform};
  for (const auto& entry : o.environment) {
    const auto name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(out, [&name](const std::string& x) {
      return !name.empty() && x.starts_with(name);
    });
    out.push_back(entry);
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& t : texts)
    out.push_back(t.data());
  out.push_back(nullptr);
  return out;
}

/// One run of the program.
class run {
 public:
  run(const exec_options& o, program_guard* guard, const event_ptr& ev,
      const attempt_context& c)
      : options_(o), guard_(guard), event_(ev), context_(c) {}

  outcome operator()() {
    const auto deadline = steady_clock::now() + context_.timeout;
    // Not after the program did its work, which would be done once more.
    if (forgets_children())
      return outcome::failed(
          "not run, as nobody could tell how it ends: this process ignores "
          "SIGCHLD (or has SA_NOCLDWAIT set for it)");
    if (auto why = start(); !why.empty())
      return outcome::failed(why);
    file woken{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    const std::stop_callback wake{context_.stop, [&woken] {
                                    const uint64_t one = 1;
                                    if (::write(woken.get(), &one, sizeof one) <
                                        0)
                                      return;
                                  }};
    const file process{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0u))};
    while (!reap()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          deadline - steady_clock::now());
      if (left.count() <= 0 || context_.stop.stop_requested())
        return killed(left.count() <= 0);
      wait(process.get(), woken.get(), left);
    }
    // What others of its group still hold open is nobody's business.
    drain();
    return verdict();
  }

 private:
  std::string why_not_run(int failed) const {
    // The directory's fault looks like the program's.
    if (!options_.directory.empty() &&
        ::access(options_.directory.c_str(), X_OK) != 0)
      return "can't run " + options_.command.front() + " in the directory " +
             options_.directory + ": " + system_error(errno);
    return "can't run " + options_.command.front() + ": " +
           system_error(failed);
  }

  std::string start() {
    auto in = file_of(codec::wire_text(event_, wire_format::native));
    if (!in || !out_.open() || !err_.open())
      return "no files for the program: " + system_error(errno);
    spawn_settings s{spawn_settings::own::group};
    ::posix_spawn_file_actions_adddup2(&s.actions, in.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&s.actions, out_.child_end(),
                                       STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&s.actions, err_.child_end(),
                                       STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&s.actions, STDERR_FILENO + 1);
    if (!options_.directory.empty())
      ::posix_spawn_file_actions_addchdir_np(&s.actions,
                                             options_.directory.c_str());
    auto command = options_.command;
    auto variables = environment_of(options_, *event_, context_);
    if (guard_)
      guard_->ready();
    const auto failed = ::posix_spawnp(
        &pid_, command.front().c_str(), &s.actions, &s.attributes,
        pointers(command).data(), pointers(variables).data());
    out_.close_child_end();
    err_.close_child_end();
    if (failed != 0)
      return why_not_run(failed);
    if (guard_)
      guard_->begun(pid_);
    return {};
  }

  void drain() {
    out_.drain(options_.keep_output);
    err_.drain(options_.keep_output);
  }

  void wait(int process, int woken, std::chrono::milliseconds left) {
    std::array<pollfd, 4> files{{{woken, POLLIN, 0},
                                 {process, POLLIN, 0},
                                 {out_.fd(), POLLIN, 0},
                                 {err_.fd(), POLLIN, 0}}};
    auto pause = static_cast<int>(std::min<int64_t>(left.count(), 60'000));
    if (process < 0)
      pause = std::min(pause, poll_interval_ms);
    ::poll(files.data(), files.size(), pause);
    drain();
  }

  /// Whether it has ended.
  bool reap(bool wait_for_it = false) {
    siginfo_t end{};
    int got = 0;
    do {
      got = ::waitid(P_PID, static_cast<id_t>(pid_), &end,
                     WEXITED | WNOWAIT | (wait_for_it ? 0 : WNOHANG));
    } while (got < 0 && errno == EINTR);
    if (got == 0 && end.si_pid != pid_)
      return false;
    // Until it is collected, the number is its own.
    if (guard_)
      guard_->ended(pid_);
    while ((got = ::waitpid(pid_, &status_, 0)) < 0 && errno == EINTR) {
    }
    lost_ = got != pid_;
    return true;
  }

  outcome killed(bool late) {
    ::kill(-pid_, SIGKILL);
    // It may have left the group it was started in.
    ::kill(pid_, SIGKILL);
    reap(true);
    drain();
    return late ? outcome::late(
                      with_reason("killed: it took longer than its time-out"))
                : outcome::failed("killed: it is no longer wanted");
  }

  std::string with_reason(std::string what) const {
    auto tail = std::string_view{err_.text()};
    while (!tail.empty() && (tail.back() == '\n' || tail.back() == ' '))
      tail.remove_suffix(1);
    // The end tells most; the whole is no longer than any reason.
    const auto room = longest_error - std::min(what.size() + 2, longest_error);
    if (tail.size() > room) {
      tail.remove_prefix(tail.size() - room);
      while (!tail.empty() &&
             (static_cast<unsigned char>(tail.front()) & 0xC0u) == 0x80u)
        tail.remove_prefix(1);
    }
    if (!tail.empty())
      what.append(": ").append(tail);
    return what;
  }

  outcome verdict() const {
    if (lost_)
      // It may have worked; whether it is to run again is for people to say.
      return outcome::give_up(
          "its exit code got lost, and whether it did its work: this process "
          "waits for any child (wait, waitpid(-1)) or began to ignore SIGCHLD");
    if (WIFSIGNALED(status_))
      return outcome::failed(
          with_reason("ended by signal " + std::to_string(WTERMSIG(status_))));
    const auto code = WEXITSTATUS(status_);
    if (code == exec_give_up)
      return outcome::give_up(with_reason("exit code 65"));
    if (code != 0)
      return outcome::failed(with_reason("exit code " + std::to_string(code)));
    if (!options_.answers || out_.text().empty())
      return outcome::done();
    // Half an answer is none.
    if (!out_.whole()) {
      auto out = outcome::done();
      out.remark = "it printed more than " +
                   std::to_string(options_.keep_output) +
                   " bytes, which is no reply";
      return out;
    }
    reply r;
    r.body = out_.text();
    const auto first = r.body.find_first_not_of(" \t\r\n");
    const bool json = first != std::string::npos &&
                      (r.body[first] == '{' || r.body[first] == '[') &&
                      codec::is_utf8(r.body);
    r.content_type = json ? "application/json" : "text/plain; charset=utf-8";
    return outcome::done(std::move(r));
  }

  const exec_options& options_;
  program_guard* const guard_;
  const event_ptr& event_;
  const attempt_context& context_;
  output out_{output::part::beginning};
  output err_{output::part::end};
  pid_t pid_ = -1;
  int status_ = 0;
  bool lost_ = false;
};

} // namespace

blocking_handler make_exec_handler(exec_options options,
                                   std::shared_ptr<program_guard> guard) {
  auto shared = std::make_shared<const exec_options>(std::move(options));
  return [shared, guard = std::move(guard)](const event_ptr& ev,
                                            const attempt_context& c) {
    if (shared->command.empty())
      return outcome::give_up("there is no program to run");
    return run{*shared, guard.get(), ev, c}();
  };
}

} // namespace eventweft::processing
