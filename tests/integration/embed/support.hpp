// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/eventually.hpp"

#include <eventweft/eventweft.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace eventweft::testing {

using namespace std::chrono_literals;

/// Texts that are noted on any thread and waited for.
class notes {
 public:
  void add(std::string text) {
    std::lock_guard guard{mutex_};
    texts_.push_back(std::move(text));
    changed_.notify_all();
  }

  /// Those there are once there are `count`, or after a long while.
  std::vector<std::string> wait_for(size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, 30s, [&] { return texts_.size() >= count; });
    return texts_;
  }

  std::vector<std::string> now() {
    std::lock_guard guard{mutex_};
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> texts_;
};

/// Whether it holds by and by, or not even after a long while.
template <class Condition>
bool comes_true(Condition condition) {
  return eventually(condition, 30s);
}

/// A directory that goes away with this object.
class scratch_directory {
 public:
  scratch_directory() {
    auto name =
        (std::filesystem::temp_directory_path() / "embed-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error{"no temporary directory"};
    path_ = name;
  }
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// No socket, no disk.
inline Config bare() {
  Config c;
  c.serve_http(false);
  return c;
}

/// What `f` throws; a test failure if it throws nothing or something else.
template <class F>
Errc code_thrown_by(F f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_STRNE(e.what(), "");
    return e.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Errc::internal;
}

} // namespace eventweft::testing
