// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <eventweft/export.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft {

namespace embed {
struct access;
} // namespace embed

enum class LogLevel { trace, debug, info, warn, error, off };

/// What an `App` runs with. A plain value: nothing is read or opened before
/// `App::start`. Keys are those of `eventweft.toml`
/// (config/eventweft.sample.toml has them all).
///
/// What is not set has its default, with two exceptions: without a store
/// events are kept in memory only (`[store] url = "memory:"`), and without a
/// log sink nothing is logged.
class EVENTWEFT_EXPORT Config {
 public:
  /// Sets a key, as `--set` does: `set("server.listen", "127.0.0.1:0")`.
  Config& set(std::string key, std::string value);

  /// Whether `DB_HOST`, `GITHUB_WEBHOOK_SECRET`, `EVENTWEFT_…` count.
  /// `load_config` switches it on.
  Config& use_environment(bool on = true);

  /// With false no socket is opened; `submit_…` and `simulate_event` are the
  /// only ways in.
  Config& serve_http(bool on);

  /// Where log lines go: called on any thread, one call at a time; must not
  /// throw.
  Config& log_to(std::function<void(LogLevel, std::string_view)> sink,
                 LogLevel from = LogLevel::info);

  /// To standard error, or to wherever `[log]` says.
  Config& log_as_configured();

 private:
  friend struct embed::access;
  friend EVENTWEFT_EXPORT Config load_config(const std::string& path);

  std::optional<std::string> file_;
  std::vector<std::pair<std::string, std::string>> values_;
  bool environment_ = false;
  bool http_ = true;
  bool log_as_configured_ = false;
  std::function<void(LogLevel, std::string_view)> log_;
  LogLevel log_from_ = LogLevel::info;
};

/// The configuration file at `path`, and the environment over it. Throws
/// `Error` (`bad_configuration`) that lists every fault, one a line, with file,
/// line and key.
EVENTWEFT_EXPORT Config load_config(const std::string& path);

} // namespace eventweft
