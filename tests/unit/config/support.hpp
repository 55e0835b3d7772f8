// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/loader.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace eventweft::config {

/// A directory that goes with the test.
class scratch_directory {
 public:
  scratch_directory() {
    std::string name =
        (std::filesystem::temp_directory_path() / "eventweft-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, std::string_view text) {
    const auto file = path_ / name;
    std::ofstream{file, std::ios::binary} << text;
    return file;
  }

 private:
  std::filesystem::path path_;
};

/// Loads `toml` with nothing else around it.
inline expected<effective> from_text(std::string_view toml,
                                     load_options options = {}) {
  return load_text(toml, "eventweft.toml", options);
}

inline std::string fault_of(std::string_view toml, load_options options = {}) {
  const auto result = from_text(toml, std::move(options));
  if (result)
    return "no fault";
  EXPECT_EQ(result.error().code, ec::bad_configuration);
  return result.error().message;
}

} // namespace eventweft::config
