// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "persistence/store.hpp"
#include "tests/support/postgres_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::testing {

/// The one server of this program, started on first use.
postgres_server& shared_server();

/// A new database of that server with our schema in it; its URL. Copied, which
/// is three times as quick as to migrate each.
std::string migrated_database();

/// Until somebody waits for a lock in the PostgreSQL database at `url`.
void wait_for_a_lock(const std::string& url);

/// A directory that goes away with this object.
class temporary_directory {
 public:
  temporary_directory();
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// The value, or a test failure with the error's words.
template <class T>
T must(expected<T> result) {
  if (!result)
    throw std::runtime_error{to_string(result.error())};
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}

inline constexpr timestamp noon =
    std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} +
    std::chrono::hours{12};

/// Event number `n`: every member set, ids in order, a second after the one
/// before.
event numbered_event(int n);

/// What both engines must do, each test on a store of its own.
class store_contract : public ::testing::TestWithParam<std::string_view> {
 protected:
  store_contract();

  bool is_postgres() const { return GetParam() == "postgres"; }
  bool is_memory() const { return GetParam() == "memory"; }

  /// Another handle on the same store.
  store_ptr open(store_options options = {}) const;

  /// Runs SQL beside the store, as an administrator would.
  void run_sql(const std::string& sql) const;

  std::vector<append_result> append(std::vector<event> events);

  temporary_directory directory_;
  std::string url_;
  store_ptr store_;
  std::unique_ptr<store_session> session_;
};

/// For `INSTANTIATE_TEST_SUITE_P`.
inline const auto both_engines = ::testing::Values("sqlite", "postgres");
/// What holds for a store that forgets, too.
inline const auto all_engines =
    ::testing::Values("sqlite", "postgres", "memory");
inline std::string
engine_name(const ::testing::TestParamInfo<std::string_view>& info) {
  return std::string{info.param};
}

} // namespace eventweft::testing
