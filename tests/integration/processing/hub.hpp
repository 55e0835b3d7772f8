// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/http_client.hpp"
#include "tests/support/eventually.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace eventweft::testing {

/// The real program, in a directory of its own, started, killed and started
/// again.
class hub_process {
 public:
  /// `config` is what follows `[server]` and `[store]` in its file.
  hub_process(std::string store_url, std::string config);
  ~hub_process();
  hub_process(const hub_process&) = delete;
  hub_process& operator=(const hub_process&) = delete;

  /// Returns when it listens; throws `std::runtime_error` with its log if it
  /// does not.
  void start();
  /// SIGKILL.
  void kill();
  /// SIGTERM; its exit code.
  int stop();
  bool running() const noexcept { return pid_ > 0; }

  const std::filesystem::path& directory() const noexcept { return directory_; }
  std::string url() const { return url_; }

  /// Nothing if it can't be reached.
  expected<cli::http_response> ask(const cli::http_request& request) const;
  /// A custom event with that id; whether it is acknowledged.
  bool send(const std::string& event_id, const std::string& type = "test",
            const std::string& payload = "{}") const;

  /// The lines of a file in its directory.
  std::vector<std::string> lines(const std::string& name) const;
  std::string log() const;

 private:
  int wait();

  std::filesystem::path directory_;
  std::string url_;
  pid_t pid_ = -1;
};

/// For as long as a server may need under load.
template <class Condition>
bool eventually(Condition holds) {
  return eventually(holds, std::chrono::seconds{60});
}

} // namespace eventweft::testing
