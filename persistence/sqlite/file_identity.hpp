// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace eventweft::sqlite {

/// Which file a store of this process works with: the one that it opened first,
/// for good. What is written to a file that was removed nobody will find, and
/// another file in its place is another log, whose numbers those who read this
/// one would take for theirs. Any thread.
class file_identity {
 public:
  /// `store_unavailable` if the file at `path` is not that one any more, until
  /// it is again. Before `learn` anything will do.
  expected<void> check(const std::string& path) const;

  /// The file at `path` has been opened; `check`, where that is not the first.
  expected<void> learn(const std::string& path);

 private:
  using place = std::pair<dev_t, ino_t>;

  mutable std::mutex mutex_;
  std::optional<place> known_;
};

} // namespace eventweft::sqlite
