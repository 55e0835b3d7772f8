// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/processing/hub.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace eventweft::testing {

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream in{path};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

constexpr std::string_view greeting = "listening on ";

} // namespace

hub_process::hub_process(std::string store_url, std::string config) {
  auto name =
      (std::filesystem::temp_directory_path() / "hub_test.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error{"no directory"};
  directory_ = name;
  std::ofstream out{directory_ / "eventweft.toml"};
  out << "[server]\nlisten = \"127.0.0.1:0\"\nthreads = 2\n"
      << "[store]\nurl = \"" << store_url << "\"\n"
      << "[platforms.events]\nallow_unsigned = true\n"
      << config;
}

hub_process::~hub_process() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void hub_process::start() {
  const auto output = directory_ / "stdout";
  std::filesystem::remove(output);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
                                     (directory_ / "log").c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_addchdir_np(&actions, directory_.c_str());
  std::string program = EVENTWEFT_PROGRAM;
  std::string command = "serve";
  std::array<char*, 3> arguments{program.data(), command.data(), nullptr};
  const auto failed = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr,
                                    arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    throw std::runtime_error{"can't run " + program};
  const bool up = eventually([&] {
    const auto text = content(output);
    const auto at = text.find(greeting);
    const auto end = text.find('\n');
    if (at == std::string::npos || end == std::string::npos)
      return false;
    url_ = text.substr(at + greeting.size(), end - at - greeting.size());
    return true;
  });
  if (!up)
    throw std::runtime_error{"it does not listen: " + log()};
}

void hub_process::kill() {
  if (pid_ > 0)
    ::kill(pid_, SIGKILL);
  wait();
}

int hub_process::stop() {
  if (pid_ > 0)
    ::kill(pid_, SIGTERM);
  return wait();
}

int hub_process::wait() {
  int status = 0;
  while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

expected<cli::http_response>
hub_process::ask(const cli::http_request& request) const {
  const auto server = cli::parse_server_url(url_);
  if (!server)
    return fail(server.error());
  cli::http_client client{*server, {.url = url_, .token = {}}};
  return client.send(request);
}

bool hub_process::send(const std::string& event_id, const std::string& type,
                       const std::string& payload) const {
  const auto answer = ask({"POST",
                           "/events",
                           {{"content-type", "application/json"}},
                           R"({"platform":"custom","event_id":")" + event_id +
                               R"(","event_type":")" + type +
                               R"(","payload":)" + payload + "}"});
  return answer && answer->status >= 200 && answer->status < 300;
}

std::vector<std::string> hub_process::lines(const std::string& name) const {
  std::istringstream in{content(directory_ / name)};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);)
    out.push_back(std::move(line));
  return out;
}

std::string hub_process::log() const {
  return content(directory_ / "log");
}

} // namespace eventweft::testing
