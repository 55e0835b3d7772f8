// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <cstddef>
#include <string>

namespace eventweft::config {

/// Notices that a file is another one, or has another content, than when it
/// was last looked at: by its inode, size and time of change, so that a file
/// that is put in place by renaming counts as well.
class file_watch {
 public:
  explicit file_watch(std::string path = {}) : path_(std::move(path)) {}

  const std::string& path() const noexcept { return path_; }

  /// True at the first call and whenever something has changed since.
  bool changed();

 private:
  std::string path_;
  std::string seen_;
};

/// What nobody writes by hand is longer.
inline constexpr size_t largest_file = 1u << 20;

/// The content, at most `largest_file` bytes. `bad_configuration` names the
/// file.
expected<std::string> read_small_file(const std::string& path);

} // namespace eventweft::config
