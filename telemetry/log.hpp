// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/uuid.hpp"

#include <spdlog/spdlog.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft {

using logger_ptr = std::shared_ptr<spdlog::logger>;

/// What `make_logger` needs; the same names as in `[log]`.
struct log_options {
  std::string level = "info";
  std::string format = "text"; ///< or "json"
  std::string file;            ///< empty: standard error
};

/// A logger of our own: the global one of spdlog belongs to the host program.
expected<logger_ptr> make_logger(const log_options& options);

/// The message as it stands in a log of text. What others have written (a
/// program's errors, a peer's answer) is part of messages: it must neither
/// begin a line of its own nor steer a terminal, nor make the log a file that
/// is not text. So control characters and what is not UTF-8 are escaped.
std::string printable_line(std::string_view message);

/// A logger that drops everything.
logger_ptr null_logger();

/// A logger for each part of the program ("storage_writer", "http"): all write
/// to the same place and tell their name, and each has a level of its own that
/// may be changed at any time. Thread-safe.
class component_logs {
 public:
  /// `base` says where to and, to begin with, from which level on.
  explicit component_logs(logger_ptr base);

  /// The same logger for the same name.
  logger_ptr get(std::string_view component);

  /// "debug" for one part, or for "*": all of them and those to come.
  /// `unprocessable` for a level that is none, `not_found` for a part that has
  /// not logged yet.
  expected<void> set_level(std::string_view component, std::string_view level);

  /// Each part with its level, by name, "*" first.
  std::vector<std::pair<std::string, std::string>> levels() const;

 private:
  logger_ptr base_;
  mutable std::mutex mutex_;
  std::map<std::string, logger_ptr, std::less<>> parts_;
};

/// A line about one event. All of them begin alike (`event=<id> `; in JSON it
/// is the member `event`), so that one search shows an event's whole way.
template <class... Ts>
void log_event(spdlog::logger& log, spdlog::level::level_enum level,
               const uuid& id, fmt::format_string<Ts...> text, Ts&&... xs) {
  if (log.should_log(level))
    log.log(level, "event={} {}", to_string(id),
            fmt::format(text, std::forward<Ts>(xs)...));
}

/// The same at debug level: a step that went well.
template <class... Ts>
void log_event(spdlog::logger& log, const uuid& id,
               fmt::format_string<Ts...> text, Ts&&... xs) {
  log_event(log, spdlog::level::debug, id, text, std::forward<Ts>(xs)...);
}

} // namespace eventweft
