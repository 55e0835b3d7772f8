// SPDX-License-Identifier: Apache-2.0
#include "bench/process.hpp"

#include "bench/basics.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

namespace eventweft::bench {

namespace {

using namespace std::chrono_literals;

/// The fields of /proc/PID/stat after the command's name, which may itself
/// hold spaces; the first is the third of proc(5).
std::vector<std::string> stat_fields(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto end = text.rfind(')');
  if (end == std::string::npos)
    return {};
  std::istringstream rest{text.substr(end + 1)};
  std::vector<std::string> fields;
  for (std::string field; rest >> field;)
    fields.push_back(std::move(field));
  return fields;
}

double to_seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

[[noreturn]] void become(const command& c) {
  // All children are started from the main thread, whose end they would not
  // survive. Others may run beside it: what goes beyond system calls here is
  // memory, which glibc's fork leaves usable, and the environment, which
  // nobody else touches.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int log = ::open(c.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  if (!c.directory.empty() && ::chdir(c.directory.c_str()) != 0)
    ::_exit(126);
  if (c.user) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(c.user->gid) != 0 ||
        ::setuid(c.user->uid) != 0)
      ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  }
  for (const auto& [name, value] : c.environment)
    ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const auto& arg : c.argv)
    argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

} // namespace

std::vector<pid_t> children_of(pid_t pid) {
  std::istringstream text{read_file("/proc/" + std::to_string(pid) + "/task/" +
                                    std::to_string(pid) + "/children")};
  std::vector<pid_t> result;
  for (pid_t child; text >> child;)
    result.push_back(child);
  return result;
}

double cpu_seconds(pid_t pid) {
  const auto fields = stat_fields(pid);
  if (fields.size() < 15)
    return 0;
  double ticks = 0;
  // utime, stime, cutime, cstime.
  for (size_t i = 11; i < 15; ++i)
    ticks += std::stod(fields[i]);
  auto sum = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  for (const auto child : children_of(pid))
    sum += cpu_seconds(child);
  return sum;
}

uint64_t resident_bytes(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  uint64_t sum = 0;
  if (const auto at = text.find("\nPss:"); at != std::string::npos)
    sum = std::stoull(text.substr(at + 5)) * 1024;
  for (const auto child : children_of(pid))
    sum += resident_bytes(child);
  return sum;
}

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime);
}

std::optional<user_ids> unprivileged_user() {
  if (::getuid() != 0)
    return std::nullopt;
  const auto* entry = ::getpwnam("postgres");
  if (entry == nullptr)
    throw bench_error("there is no user postgres to run PostgreSQL as");
  return user_ids{entry->pw_uid, entry->pw_gid};
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

child::child(const command& c) : log_(c.log), name_(c.argv.front()) {
  // What an earlier one said is not to be taken for this one's.
  std::filesystem::remove(c.log);
  pid_ = ::fork();
  if (pid_ < 0)
    fail_errno("fork");
  if (pid_ == 0)
    become(c);
}

child::child(child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      status_(other.status_),
      log_(std::move(other.log_)),
      name_(std::move(other.name_)) {}

child& child::operator=(child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  std::swap(log_, other.log_);
  std::swap(name_, other.name_);
  return *this;
}

child::~child() {
  if (running())
    stop(SIGTERM, 20s);
}

bool child::running() {
  if (pid_ < 0)
    return false;
  if (::waitpid(pid_, &status_, WNOHANG) == 0)
    return true;
  pid_ = -1;
  return false;
}

bool child::wait_for(std::chrono::seconds patience) {
  const auto end = now_ns() + patience / 1ns;
  while (running()) {
    if (now_ns() > end)
      return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

int child::stop(int signal, std::chrono::seconds patience) {
  if (running()) {
    ::kill(pid_, signal);
    if (!wait_for(patience)) {
      ::kill(pid_, SIGKILL);
      wait_for(10s);
    }
  }
  return status_;
}

void child::finish(std::chrono::seconds patience) {
  if (!wait_for(patience)) {
    stop(SIGTERM, 5s);
    throw bench_error(name_ + " takes too long:\n" + said());
  }
  if (status_ != 0)
    throw bench_error(name_ + " failed:\n" + said());
}

std::string child::said() const {
  return read_file(log_);
}

void run(const command& c, std::chrono::seconds patience) {
  child{c}.finish(patience);
}

} // namespace eventweft::bench
