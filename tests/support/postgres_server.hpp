// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace eventweft::testing {

/// A real PostgreSQL of a test's own: in a temporary directory, on a free
/// loopback port, gone with this object (or with the process that made it).
/// Uses the newest server in /usr/lib/postgresql/*/bin, else what `pg_config`
/// names; `EVENTWEFT_PG_BINDIR` overrides both. As root it runs as `postgres`
/// or `nobody`. Methods throw `std::runtime_error` with the server's log. Make
/// it on a thread that outlives it.
class postgres_server {
 public:
  struct options {
    /// Off is quicker and safe against everything but a crash of the machine.
    bool fsync = false;
    /// Further settings, "name=value".
    std::vector<std::string> settings;
    /// PEM: what it serves TLS with; empty: it serves none.
    std::string certificate{};
    std::string key{};
  };

  postgres_server();
  explicit postgres_server(const options& o);
  ~postgres_server();
  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;

  /// `postgresql://…` of a database, with the rights of a superuser.
  std::string url(const std::string& database = "postgres") const;

  /// A new database, empty or a copy of `like`, which nobody may have open;
  /// its URL.
  std::string create_database(const std::string& like = "template1");

  uint16_t port() const noexcept { return port_; }

  /// Where `psql` and `pg_dump` of the same version are.
  const std::filesystem::path& binaries() const noexcept { return binaries_; }

  /// Returns when the server takes connections. Does nothing if it runs.
  void start();
  /// A fast shutdown: connections are closed, all is written.
  void stop();
  /// SIGKILL to the server and all its backends: what a crash looks like.
  void kill();
  /// SIGSTOP and SIGCONT to the server and all its backends: connections
  /// stay open and nothing answers.
  void freeze();
  void thaw();

 private:
  void make_cluster();
  void put_file(const char* name, const std::string& text);
  void launch();
  bool accepts_connections() const;
  std::vector<pid_t> processes() const;
  void signal_all(int signal);
  bool reap(bool wait);
  std::string log() const;

  options options_;
  std::filesystem::path binaries_;
  std::filesystem::path directory_;
  uint16_t port_ = 0;
  pid_t pid_ = 0;
  int databases_ = 0;
};

} // namespace eventweft::testing
