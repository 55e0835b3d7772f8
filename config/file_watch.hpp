// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

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

} // namespace eventweft::config
