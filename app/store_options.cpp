// SPDX-License-Identifier: Apache-2.0
#include "app/store_options.hpp"

#include "app/correlation.hpp"

#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace eventweft {

store_options store_options_of(const config::settings& s) {
  store_options out;
  out.url = s.store.url;
  out.connect_timeout = s.database.connect_timeout;
  out.statement_timeout = s.database.statement_timeout;
  out.lock_timeout = s.database.lock_timeout;
  out.min_connections = s.database.min_connections;
  out.max_connections = s.database.max_connections;
  out.dedup_window =
      std::chrono::duration_cast<std::chrono::seconds>(s.store.dedup_window);
  out.threads = join_limits_of(s);
  return out;
}

expected<void> check_store_place(const config::store_settings& settings) {
  constexpr std::string_view scheme = "sqlite:";
  if (!settings.url.starts_with(scheme))
    return {};
  const auto directory =
      std::filesystem::path{settings.url.substr(scheme.size())}.parent_path();
  std::error_code failed;
  if (directory.empty() || std::filesystem::is_directory(directory, failed))
    return {};
  return fail(ec::bad_configuration, "[store] url: the directory " +
                                         directory.string() +
                                         " does not exist: make it, or correct "
                                         "the path");
}

} // namespace eventweft
