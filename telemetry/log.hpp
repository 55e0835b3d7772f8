// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <spdlog/spdlog.h>

#include <memory>
#include <string>

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

/// A logger that drops everything.
logger_ptr null_logger();

} // namespace eventweft
