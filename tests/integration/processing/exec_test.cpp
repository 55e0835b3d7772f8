// SPDX-License-Identifier: Apache-2.0
#include "codec/json_text.hpp"
#include "processing/exec_handler.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace eventweft::processing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using kind = outcome::kind;

class exec_test : public ::testing::Test {
 protected:
  exec_test() {
    std::string name =
        (std::filesystem::temp_directory_path() / "exec_test.XXXXXX").string();
    directory = ::mkdtemp(name.data());
  }
  ~exec_test() override { std::filesystem::remove_all(directory); }

  static event_ptr some_event(std::string payload = R"({"a":1})") {
    event e;
    e.id.bytes[15] = 7;
    e.seq = 12;
    e.event_id = "delivery-1";
    e.platform = "github";
    e.event_type = "push";
    e.payload = shared_text{std::move(payload)};
    return event_ptr{std::move(e)};
  }

  outcome shell(const std::string& script, milliseconds timeout = 20s,
                std::stop_token stop = {}) {
    options.command = {"sh", "-c", script};
    options.directory = directory.string();
    attempt_context c;
    c.processor = "p";
    c.idempotency_key = "key-1";
    c.attempt = 2;
    c.max_attempts = 4;
    c.timeout = timeout;
    c.stop = std::move(stop);
    return make_exec_handler(options)(ev, c);
  }

  std::string content(const std::string& name) const {
    std::ifstream in{directory / name};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }

  std::filesystem::path directory;
  exec_options options;
  event_ptr ev = some_event();
};

TEST_F(exec_test, the_event_is_on_standard_input) {
  EXPECT_EQ(shell("cat > got").what, kind::done);
  EXPECT_THAT(content("got"), HasSubstr(R"("payload":{"a":1})"));
  EXPECT_THAT(content("got"), HasSubstr(R"("seq":12)"));
}

TEST_F(exec_test, a_large_event_that_is_not_read_holds_up_nothing) {
  ev = some_event('"' + std::string(5 << 20, 'x') + '"');
  EXPECT_EQ(shell("exit 0").what, kind::done);
  EXPECT_EQ(shell("wc -c > got").what, kind::done);
  EXPECT_GT(std::stoul(content("got")), 5u << 20);
}

TEST_F(exec_test, the_exit_code_decides) {
  const auto failed = shell("echo what went wrong >&2; exit 3");
  EXPECT_EQ(failed.what, kind::failed);
  EXPECT_EQ(failed.error, "exit code 3: what went wrong");
  EXPECT_EQ(shell("exit 65").what, kind::give_up);
}

TEST_F(exec_test, death_by_a_signal_is_a_failure) {
  const auto aborted = shell("kill -ABRT $$");
  EXPECT_EQ(aborted.what, kind::failed);
  EXPECT_EQ(aborted.error, "ended by signal 6");
}

TEST_F(exec_test, a_program_that_is_not_there_is_a_failure) {
  options.command = {"/no/such/program"};
  const auto o = make_exec_handler(options)(ev, {.timeout = 1s});
  EXPECT_EQ(o.what, kind::failed);
  EXPECT_THAT(o.error, HasSubstr("/no/such/program"));
}

TEST_F(exec_test, its_whole_group_is_killed_when_the_time_is_up) {
  const auto begun = std::chrono::steady_clock::now();
  const auto o = shell("sleep 100 & echo $! > grandchild; wait", 300ms);
  EXPECT_EQ(o.what, kind::failed);
  EXPECT_TRUE(o.timed_out);
  EXPECT_THAT(o.error, HasSubstr("longer than its time-out"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 15s);
  const auto pid = std::stoi(content("grandchild"));
  // Dead, or dead and not yet collected by whoever inherited it.
  for (int i = 0; i < 1'000; ++i) {
    std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
    std::string text;
    if (!std::getline(in, text) || text.find(") Z") != std::string::npos)
      return;
    std::this_thread::sleep_for(10ms);
  }
  FAIL() << "the grandchild lives on";
}

TEST_F(exec_test, one_that_left_its_group_is_killed_as_well) {
  const auto o =
      shell("exec perl -e 'setpgrp(0, getpgrp(getppid())); sleep 100'", 300ms);
  EXPECT_TRUE(o.timed_out);
}

TEST_F(exec_test, it_ends_when_it_is_no_longer_wanted) {
  std::stop_source stop;
  std::jthread later{[&stop] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  }};
  const auto o = shell("sleep 100", 60s, stop.get_token());
  EXPECT_EQ(o.what, kind::failed);
  EXPECT_THAT(o.error, HasSubstr("no longer wanted"));
}

TEST_F(exec_test, the_environment_is_what_was_said) {
  ::setenv("EXEC_TEST_SECRET", "do not hand on", 1);
  options.environment = {"GREETING=hello there"};
  EXPECT_EQ(shell("env > got").what, kind::done);
  const auto got = content("got");
  EXPECT_THAT(got, HasSubstr("GREETING=hello there\n"));
  EXPECT_THAT(got, HasSubstr("EVENTWEFT_EVENT_TYPE=push\n"));
  EXPECT_THAT(got, HasSubstr("EVENTWEFT_IDEMPOTENCY_KEY=key-1\n"));
  EXPECT_THAT(got, HasSubstr("EVENTWEFT_ATTEMPT=2\n"));
  EXPECT_THAT(got, ::testing::Not(HasSubstr("EXEC_TEST_SECRET")));
}

TEST_F(exec_test, no_open_file_is_inherited) {
  const int leak = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_GE(leak, 3);
  EXPECT_EQ(shell("ls /proc/self/fd | wc -l > got").what, kind::done);
  ::close(leak);
  // Three, and the directory that ls itself reads.
  EXPECT_LE(std::stoi(content("got")), 4);
}

TEST_F(exec_test, no_blocked_signal_is_inherited) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  const auto o = shell("grep SigBlk /proc/self/status > got");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(o.what, kind::done);
  EXPECT_THAT(content("got"), HasSubstr("0000000000000000"));
}

TEST_F(exec_test, output_is_kept_up_to_a_limit) {
  options.keep_output = 1'000;
  const auto o = shell("head -c 10000000 /dev/zero | tr '\\0' x >&2; exit 1");
  EXPECT_EQ(o.what, kind::failed);
  EXPECT_LE(o.error.size(), 1'100u);
}

TEST_F(exec_test, what_it_said_last_is_the_reason) {
  options.keep_output = 1'000;
  const auto o =
      shell("head -c 100000 /dev/zero | tr '\\0' x >&2; echo why >&2; exit 1");
  EXPECT_THAT(o.error, ::testing::EndsWith("xwhy"));
}

TEST_F(exec_test, a_reason_has_a_bound_and_whole_characters) {
  // Two bytes each: one byte more before them, and one of both cuts is within
  // a character.
  for (const std::string more : {"", "x"}) {
    const auto o =
        shell("yes \u00fc | head -n 3000 | tr -d '\\n' >&2; printf '" + more +
              "' >&2; exit 1");
    EXPECT_LE(o.error.size(), longest_error);
    EXPECT_GE(o.error.size(), longest_error - 1);
    EXPECT_TRUE(codec::is_utf8(o.error)) << o.error;
    EXPECT_THAT(o.error, ::testing::StartsWith("exit code 1: \u00fc"));
  }
}

/// A host's way with SIGCHLD while it lives.
class child_signal {
 public:
  explicit child_signal(decltype(SIG_DFL) handler, int flags = 0) {
    struct sigaction mine {};
    mine.sa_handler = handler;
    mine.sa_flags = flags;
    ::sigaction(SIGCHLD, &mine, &before_);
  }
  ~child_signal() { ::sigaction(SIGCHLD, &before_, nullptr); }
  child_signal(const child_signal&) = delete;
  child_signal& operator=(const child_signal&) = delete;

 private:
  struct sigaction before_ {};
};

TEST_F(exec_test, nothing_runs_whose_end_nobody_could_tell) {
  const auto refused = [&] {
    const auto o = shell("touch ran");
    EXPECT_EQ(o.what, kind::failed);
    EXPECT_THAT(o.error, HasSubstr("this process ignores SIGCHLD"));
    EXPECT_FALSE(std::filesystem::exists(directory / "ran"));
  };
  {
    const child_signal ignored{SIG_IGN};
    refused();
  }
  {
    const child_signal forgotten{SIG_DFL, SA_NOCLDWAIT};
    refused();
  }
  EXPECT_EQ(shell("touch ran").what, kind::done);
}

TEST_F(exec_test, what_may_have_worked_does_not_run_again) {
  std::optional<child_signal> ignored;
  ASSERT_EQ(::mkfifo((directory / "begun").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((directory / "go").c_str(), 0600), 0);
  std::thread host{[&] {
    std::string line;
    std::ifstream{directory / "begun"} >> line;
    ignored.emplace(SIG_IGN);
    std::ofstream{directory / "go"} << "on\n";
  }};
  const auto o = shell("echo yes > begun; read go < go");
  host.join();
  EXPECT_EQ(o.what, kind::give_up);
  EXPECT_THAT(o.error, HasSubstr("its exit code got lost"));
}

TEST_F(exec_test, half_an_answer_is_none) {
  options.answers = true;
  options.keep_output = 1'000;
  const auto o = shell("head -c 1001 /dev/zero");
  EXPECT_EQ(o.what, kind::done);
  EXPECT_FALSE(o.answer);
  EXPECT_THAT(o.remark, HasSubstr("more than 1000 bytes"));
  const auto whole = shell("head -c 1000 /dev/zero");
  EXPECT_TRUE(whole.answer);
  EXPECT_EQ(whole.remark, "");
  // Nobody wants it.
  options.answers = false;
  EXPECT_EQ(shell("head -c 1001 /dev/zero").remark, "");
}

TEST_F(exec_test, one_that_never_stops_printing_is_killed_in_time) {
  const auto begun = std::chrono::steady_clock::now();
  const auto o = shell("cat /dev/zero & cat /dev/zero >&2", 300ms);
  EXPECT_TRUE(o.timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 15s);
}

TEST_F(exec_test, a_background_child_does_not_hold_it_up) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(shell("sleep 20 & exit 0").what, kind::done);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 15s);
}

TEST_F(exec_test, what_it_prints_is_its_reply) {
  EXPECT_FALSE(shell("echo hello").answer);
  options.answers = true;
  auto o = shell(R"(echo '{"text":"hello"}')");
  ASSERT_TRUE(o.answer);
  EXPECT_EQ(o.answer->content_type, "application/json");
  EXPECT_EQ(o.answer->body, "{\"text\":\"hello\"}\n");
  o = shell("echo hello");
  ASSERT_TRUE(o.answer);
  EXPECT_EQ(o.answer->content_type, "text/plain; charset=utf-8");
  EXPECT_FALSE(shell("exit 0").answer);
}

TEST_F(exec_test, many_at_once_do_not_mix_up) {
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  options.answers = true;
  options.command = {"sh", "-c", "cat"};
  const auto handler = make_exec_handler(options);
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&handler, &good, t] {
      for (int i = 0; i < 10; ++i) {
        const auto mine = std::to_string(t * 1'000 + i);
        const auto o = handler(some_event('"' + mine + '"'), {.timeout = 60s});
        if (o.answer &&
            o.answer->body.find('"' + mine + '"') != std::string::npos)
          ++good;
      }
    });
  threads.clear();
  EXPECT_EQ(good, 80);
}

} // namespace
} // namespace eventweft::processing
