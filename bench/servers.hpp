// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/basics.hpp"
#include "bench/process.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::bench {

/// What all measurements of one run share.
struct setting {
  /// The `eventweft` binary.
  std::filesystem::path binary;
  /// Octokit's example payloads, a JSON file.
  std::filesystem::path examples;
  /// A directory for this run's files, on a real disk.
  std::filesystem::path work;
  /// Smaller counts: a look, not a measurement.
  bool quick = false;
  /// Events already stored in the growth measurement.
  uint64_t growth = 1'000'000;
  /// Events in the `large` measurement.
  uint64_t rows = 10'000'000;
  /// The one engine to measure with, "postgres" or "sqlite"; empty: both.
  std::string engine;

  uint64_t scaled(uint64_t full, uint64_t small) const {
    return quick ? small : full;
  }
};

/// The secret that the bench signs with.
inline constexpr std::string_view webhook_secret = "bench-secret";

/// `eventweft serve`, ready to take events.
class hub {
 public:
  hub(const setting& s, const std::string& name, const std::string& store,
      std::vector<std::pair<std::string, std::string>> environment = {});

  const endpoint& address() const noexcept { return address_; }
  pid_t pid() const noexcept { return process_.pid(); }
  void stop();

 private:
  child process_;
  endpoint address_;
};

/// A PostgreSQL cluster of our own with Debian's defaults, but for room enough
/// in the WAL that no checkpoint falls into one measurement and not into the
/// other.
class postgres_server {
 public:
  explicit postgres_server(const setting& s);
  ~postgres_server();
  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;

  pid_t pid() const noexcept { return process_.pid(); }
  /// The URL of a new, empty database.
  std::string fresh_database();
  /// Writes out what is dirty, so that it does not disturb what comes next.
  void settle();
  void drop_database(const std::string& url);

 private:
  std::string url_of(const std::string& name) const;

  std::filesystem::path home_;
  child process_;
  int databases_ = 0;
};

/// nginx with nchan: `/pub` publishes, `/sub` reads, by WebSocket or SSE.
class nchan_server {
 public:
  nchan_server(const setting& s, const std::string& name,
               const std::string& workers);

  const endpoint& address() const noexcept { return address_; }
  pid_t pid() const noexcept { return process_.pid(); }

 private:
  child process_;
  endpoint address_;
};

} // namespace eventweft::bench
