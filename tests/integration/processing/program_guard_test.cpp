// SPDX-License-Identifier: Apache-2.0
#include "processing/exec_handler.hpp"
#include "processing/program_guard.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace eventweft::processing {
namespace {

using namespace std::chrono_literals;

constexpr int patience_ms = 60'000;

/// A process of its own that runs programs until it is killed.
class hub_process {
 public:
  explicit hub_process(
      const std::function<void(const std::shared_ptr<program_guard>&)>& work) {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ != 0)
      return;
    const auto guard = std::make_shared<program_guard>();
    std::thread end{[this, guard] {
      char asked = 0;
      while (::read(ends_[0], &asked, 1) < 0 && errno == EINTR) {
      }
      // A program is there a moment before the guard knows of it.
      while (guard->programs() == 0)
        std::this_thread::yield();
      ::kill(::getpid(), SIGKILL);
    }};
    work(guard);
    ::_exit(0);
  }
  ~hub_process() {
    for (const int end : ends_)
      ::close(end);
  }
  hub_process(const hub_process&) = delete;
  hub_process& operator=(const hub_process&) = delete;

  /// While a program runs.
  void kill() const {
    EXPECT_EQ(::write(ends_[1], "x", 1), 1);
    EXPECT_EQ(::waitpid(pid_, nullptr, 0), pid_);
  }

 private:
  std::array<int, 2> ends_{};
  pid_t pid_ = -1;
};

/// What programs hold open for as long as they live.
class program_guard_test : public ::testing::Test {
 protected:
  program_guard_test() {
    std::string name =
        (std::filesystem::temp_directory_path() / "guard_test.XXXXXX").string();
    directory = ::mkdtemp(name.data());
    alive = line("alive");
  }
  ~program_guard_test() override { std::filesystem::remove_all(directory); }

  file line(const char* name) const {
    const auto path = directory / name;
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    file out{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    EXPECT_TRUE(out);
    return out;
  }

  /// A program, and one that it has started, which end when they are killed.
  exec_options endless() const {
    exec_options o;
    o.command = {"sh", "-c",
                 "exec 3> alive; echo $$ >&3; sleep 1000 & sleep 1000"};
    o.directory = directory.string();
    return o;
  }

  static outcome run(exec_options o, std::shared_ptr<program_guard> guard,
                     milliseconds timeout = 600s) {
    event e;
    e.payload = shared_text{std::string{"{}"}};
    attempt_context c;
    c.timeout = timeout;
    return make_exec_handler(std::move(o),
                             std::move(guard))(event_ptr{std::move(e)}, c);
  }

  /// What was written; empty once nobody is left who could write. Nothing
  /// comes of waiting for too long, either.
  static std::string heard(const file& from, bool& over) {
    std::string out;
    pollfd waits{from.get(), POLLIN, 0};
    over = false;
    if (::poll(&waits, 1, patience_ms) <= 0)
      return out;
    char buffer[64];
    const auto n = ::read(from.get(), buffer, sizeof buffer);
    over = n == 0;
    if (n > 0)
      out.assign(buffer, static_cast<size_t>(n));
    return out;
  }

  std::filesystem::path directory;
  file alive;
};

TEST_F(program_guard_test, programs_end_with_a_process_that_is_killed) {
  const hub_process hub{[this](const auto& guard) { run(endless(), guard); }};
  bool over = false;
  const auto program = heard(alive, over);
  EXPECT_FALSE(program.empty()) << "it was not started";
  hub.kill();
  EXPECT_EQ(heard(alive, over), "");
  EXPECT_TRUE(over) << "the programs live on";
  if (!over && !program.empty())
    ::kill(-std::stoi(program), SIGKILL);
}

TEST_F(program_guard_test, what_has_ended_is_left_alone) {
  const auto later = line("later");
  const hub_process hub{[this](const auto& guard) {
    auto o = endless();
    o.command.back() = "exec 3> alive; echo $$ >&3; sleep 1000 & exit 0";
    run(o, guard);
    o.command.back() = "exec 3> later; echo $$ >&3; sleep 1000";
    run(o, guard);
  }};
  bool over = false;
  EXPECT_FALSE(heard(later, over).empty()) << "it was not started";
  hub.kill();
  EXPECT_EQ(heard(later, over), "");
  EXPECT_TRUE(over) << "the program that ran lives on";
  const auto program = heard(alive, over);
  ASSERT_FALSE(program.empty());
  pollfd waits{alive.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waits, 1, 0), 0) << "what was left behind has ended";
  ::kill(-std::stoi(program), SIGKILL);
}

TEST_F(program_guard_test, there_is_none_without_a_program) {
  program_guard guard;
  EXPECT_FALSE(guard.process());
}

TEST_F(program_guard_test, it_is_in_a_session_of_its_own) {
  const auto guard = std::make_shared<program_guard>();
  exec_options o;
  o.command = {"true"};
  EXPECT_EQ(run(o, guard).what, outcome::kind::done);
  const auto process = guard->process();
  ASSERT_TRUE(process);
  EXPECT_EQ(::getsid(*process), *process);
  // One for all.
  EXPECT_EQ(run(o, guard).what, outcome::kind::done);
  EXPECT_EQ(guard->process(), process);
}

TEST_F(program_guard_test, it_ends_with_its_owner) {
  pid_t process = 0;
  {
    program_guard guard;
    guard.begun(::getpid());
    guard.ended(::getpid());
    ASSERT_TRUE(guard.process());
    process = *guard.process();
  }
  EXPECT_EQ(::kill(process, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST_F(program_guard_test, programs_run_without_it) {
  const auto guard = std::make_shared<program_guard>();
  exec_options o;
  o.command = {"true"};
  EXPECT_EQ(run(o, guard).what, outcome::kind::done);
  ASSERT_TRUE(guard->process());
  const auto process = *guard->process();
  ::kill(process, SIGKILL);
  siginfo_t end{};
  ASSERT_EQ(
      ::waitid(P_PID, static_cast<id_t>(process), &end, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(run(o, guard).what, outcome::kind::done);
}

} // namespace
} // namespace eventweft::processing
