// SPDX-License-Identifier: Apache-2.0
#include "persistence/memory/store.hpp"
#include "persistence/postgres/store.hpp"
#include "persistence/sqlite/store.hpp"
#include "persistence/store.hpp"

namespace eventweft {

expected<store_ptr> open_store(const store_options& options) {
  constexpr std::string_view sqlite_prefix = "sqlite:";
  constexpr std::string_view memory_prefix = "memory:";
  std::string_view url = options.url;
  if (url.starts_with(sqlite_prefix))
    return sqlite::open(url.substr(sqlite_prefix.size()), options);
  if (url.starts_with(memory_prefix))
    return memory::open(url.substr(memory_prefix.size()), options);
  if (url.starts_with("postgresql://") || url.starts_with("postgres://") ||
      url.find('=') != std::string_view::npos)
    return postgres::open(options);
  return fail(
      ec::bad_configuration,
      "the store's address must be sqlite:PATH, postgresql://…, a libpq "
      "connection string, or memory:");
}

} // namespace eventweft
