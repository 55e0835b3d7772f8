// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pqxx/pqxx>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace eventweft::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto patience = 60s;

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error{"PostgreSQL for tests: " + what};
}

std::string output_of(const char* command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe{::popen(command, "r"), ::pclose};
  std::string text;
  char buffer[256];
  while (pipe && std::fgets(buffer, sizeof buffer, pipe.get()))
    text += buffer;
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

fs::path find_binaries() {
  auto usable = [](const fs::path& p) {
    return fs::exists(p / "postgres") && fs::exists(p / "initdb");
  };
  if (auto* given = std::getenv("EVENTWEFT_PG_BINDIR"))
    return given;
  fs::path best;
  int best_version = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", none})
    if (auto version = std::atoi(entry.path().filename().c_str());
        version > best_version && usable(entry.path() / "bin")) {
      best = entry.path() / "bin";
      best_version = version;
    }
  if (best.empty())
    best = output_of("pg_config --bindir 2>/dev/null");
  if (!usable(best))
    give_up("no server binaries found; set EVENTWEFT_PG_BINDIR");
  return best;
}

/// Whom to be instead of root; nullptr if we are not root.
const passwd* server_user() {
  if (::geteuid() != 0)
    return nullptr;
  for (auto* name : {"postgres", "nobody"})
    if (auto* user = ::getpwnam(name))
      return user;
  give_up("neither the user postgres nor nobody exists");
}

/// Runs `arguments` as the server's user, output into `log`.
pid_t spawn(const std::vector<std::string>& arguments, const fs::path& log,
            const fs::path& directory) {
  // All that allocates happens before the fork.
  auto* user = server_user();
  std::vector<char*> argv;
  for (const auto& a : arguments)
    argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  auto pid = ::fork();
  if (pid < 0)
    give_up(std::strerror(errno));
  if (pid != 0)
    return pid;
  auto out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  auto in = ::open("/dev/null", O_RDONLY);
  if (out < 0 || in < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 ||
      ::dup2(out, 2) < 0 || ::chdir(directory.c_str()) != 0)
    ::_exit(126);
  // Sockets and files of the test are none of the server's business.
  for (int fd = 3; fd < 1024; ++fd)
    ::close(fd);
  if (user && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 ||
               ::setuid(user->pw_uid) != 0))
    ::_exit(126);
  // SIGQUIT is an immediate shutdown: nothing outlives a test that dies.
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

uint16_t free_port() {
  auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  bool known = fd >= 0 && ::bind(fd, generic, size) == 0 &&
               ::getsockname(fd, generic, &size) == 0;
  if (fd >= 0)
    ::close(fd);
  if (!known)
    give_up("no free port");
  return ntohs(address.sin_port);
}

template <class Condition>
bool wait_for(Condition&& condition) {
  auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

} // namespace

postgres_server::postgres_server() : postgres_server(options{}) {}

postgres_server::postgres_server(const options& o)
    : options_(o), binaries_(find_binaries()) {
  auto name = (fs::temp_directory_path() / "eventweft-pg-XXXXXX").string();
  if (!::mkdtemp(name.data()))
    give_up(name + ": " + std::strerror(errno));
  directory_ = name;
  try {
    make_cluster();
    start();
  } catch (...) {
    if (pid_ != 0)
      kill();
    fs::remove_all(directory_);
    throw;
  }
}

postgres_server::~postgres_server() {
  try {
    kill();
    fs::remove_all(directory_);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
  }
}

std::string postgres_server::url(const std::string& database) const {
  return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/" +
         database;
}

std::string postgres_server::create_database(const std::string& like) {
  auto name = "test_" + std::to_string(++databases_);
  pqxx::connection c{url()};
  pqxx::nontransaction{c}.exec("CREATE DATABASE " + name + " TEMPLATE " + like);
  return url(name);
}

void postgres_server::make_cluster() {
  if (auto* user = server_user())
    if (::chown(directory_.c_str(), user->pw_uid, user->pw_gid) != 0)
      give_up(directory_.string() + ": " + std::strerror(errno));
  auto initdb = spawn({(binaries_ / "initdb").string(), "--pgdata=data",
                       "--username=postgres", "--auth=trust", "--encoding=UTF8",
                       "--locale=C", "--no-sync"},
                      directory_ / "log", directory_);
  int status = 0;
  if (::waitpid(initdb, &status, 0) != initdb || status != 0)
    give_up("initdb failed: " + log());
  if (options_.certificate.empty())
    return;
  put_file("server.crt", options_.certificate);
  put_file("server.key", options_.key);
  options_.settings.emplace_back("ssl=on");
}

// As nobody but the server may read it.
void postgres_server::put_file(const char* name, const std::string& text) {
  const auto path = directory_ / "data" / name;
  std::ofstream{path} << text;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  if (auto* user = server_user())
    if (::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
      give_up(path.string() + ": " + std::strerror(errno));
}

void postgres_server::start() {
  if (pid_ != 0)
    return;
  // Another may take a free port before our server does: try again. A server
  // that was killed may hold its memory for a moment longer.
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (port_ == 0)
      port_ = free_port();
    launch();
    bool ready = wait_for([&] { return reap(false) || accepts_connections(); });
    if (ready && pid_ != 0)
      return;
    if (!ready)
      give_up("does not become ready: " + log());
    if (databases_ == 0)
      port_ = 0;
    std::this_thread::sleep_for(50ms);
  }
  give_up("does not start: " + log());
}

void postgres_server::launch() {
  std::vector<std::string> arguments{
      (binaries_ / "postgres").string(),
      "-D",
      "data",
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "unix_socket_directories=",
      "-c",
      "port=" + std::to_string(port_),
      "-c",
      std::string{"fsync="} + (options_.fsync ? "on" : "off"),
  };
  for (const auto& setting : options_.settings) {
    arguments.emplace_back("-c");
    arguments.push_back(setting);
  }
  pid_ = spawn(arguments, directory_ / "log", directory_);
}

bool postgres_server::accepts_connections() const {
  try {
    pqxx::connection c{url() + "?connect_timeout=5"};
    return true;
  } catch (const pqxx::failure&) {
    return false;
  }
}

void postgres_server::stop() {
  if (pid_ == 0)
    return;
  ::kill(pid_, SIGINT);
  if (!wait_for([&] { return reap(false); }))
    give_up("does not stop: " + log());
}

void postgres_server::kill() {
  if (pid_ == 0)
    return;
  signal_all(SIGKILL);
  reap(true);
}

void postgres_server::freeze() {
  signal_all(SIGSTOP);
}

void postgres_server::thaw() {
  signal_all(SIGCONT);
}

std::vector<pid_t> postgres_server::processes() const {
  auto number = std::to_string(pid_);
  std::ifstream children{"/proc/" + number + "/task/" + number + "/children"};
  std::vector<pid_t> all{pid_};
  for (pid_t child = 0; children >> child;)
    all.push_back(child);
  return all;
}

void postgres_server::signal_all(int signal) {
  if (pid_ == 0)
    return;
  // Listed while the parent lives; it goes first, so that it starts nobody
  // new.
  for (auto p : processes())
    ::kill(p, signal);
}

bool postgres_server::reap(bool wait) {
  int status = 0;
  if (pid_ == 0 || ::waitpid(pid_, &status, wait ? 0 : WNOHANG) != pid_)
    return false;
  pid_ = 0;
  return true;
}

std::string postgres_server::log() const {
  std::ifstream in{directory_ / "log"};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace eventweft::testing
