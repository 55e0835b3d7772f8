// SPDX-License-Identifier: Apache-2.0
#include "config/store_choice.hpp"

#include "config/classic_variables.hpp"
#include "config/names.hpp"
#include "messages/url_escape.hpp"

#include <algorithm>

namespace eventweft::config {

namespace {

/// Whether one of the classic variables says where PostgreSQL is.
bool selects_postgres(const std::map<std::string, std::string>& origins) {
  return std::ranges::any_of(classic_variables, [&](const auto& classic) {
    if (classic.section != "database")
      return false;
    const auto from = origins.find(key_path(classic.section, {}, classic.key));
    return from != origins.end() && from->second == classic.name;
  });
}

} // namespace

void choose_store(collector& all) {
  auto& values = all.result().values;
  auto& origins = all.result().origins;
  auto& url = values.store.url;
  const auto by_url = url.empty() ? rank::none : all.strength("store.url");
  const auto by_host =
      values.database.host.empty() ? rank::none : all.strength("database.host");
  const auto by_name = all.strength("database.database");
  const auto by_parts = std::max(
      {by_host, by_name, selects_postgres(origins) ? rank::env : rank::none});
  if (by_url != rank::none && by_url >= by_parts) {
    const bool good =
        url.starts_with("memory:") ||
        (url.starts_with("sqlite:") && url.size() > 7) ||
        url.starts_with("postgresql://") || url.starts_with("postgres://") ||
        (!url.starts_with("sqlite:") && url.find("://") == std::string::npos &&
         url.find('=') != std::string::npos);
    if (!good)
      all.fault_at("store", "url",
                   "expected sqlite:PATH, postgresql://… or a libpq "
                   "connection string");
    return;
  }
  if (by_parts != rank::none) {
    url = database_url(values.database);
    std::string says;
    for (std::string_view part :
         {"host", "database", "user", "password", "port"}) {
      const auto path = key_path("database", {}, part);
      if (says.empty() && all.strength(path) == by_parts)
        says = origins[path];
    }
    origins["store.url"] = "[database], " + says;
    return;
  }
  url = "sqlite:eventweft.db";
  origins.erase("store.url");
}

std::string database_url(const database_settings& d) {
  std::string url = "postgresql://";
  if (!d.user.empty()) {
    append_url_escaped(url, d.user);
    if (!d.password.empty()) {
      url += ':';
      append_url_escaped(url, d.password);
    }
    url += '@';
  }
  if (d.host.find(':') != std::string::npos && !d.host.starts_with('/')) {
    const bool bare = !d.host.starts_with('[');
    url.append(bare ? "[" : "").append(d.host).append(bare ? "]" : "");
  } else {
    append_url_escaped(url, d.host);
  }
  url += ':' + std::to_string(d.port) + '/';
  append_url_escaped(url, d.database);
  url += "?sslmode=";
  append_url_escaped(url, d.sslmode);
  if (!d.sslrootcert.empty()) {
    url += "&sslrootcert=";
    append_url_escaped(url, d.sslrootcert);
  }
  return url;
}

} // namespace eventweft::config
