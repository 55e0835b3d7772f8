// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/file_identity.hpp"

#include <sys/stat.h>

#include <cerrno>

namespace eventweft::sqlite {

expected<void> file_identity::check(const std::string& path) const {
  std::lock_guard guard{mutex_};
  if (!known_)
    return {};
  struct stat now {};
  if (::stat(path.c_str(), &now) == 0) {
    if (place{now.st_dev, now.st_ino} == *known_)
      return {};
    return fail(ec::store_unavailable,
                "the file " + path +
                    " is not the one that was opened: it was replaced while "
                    "it was in use; start the server anew to go on with this "
                    "one, or put the other one back");
  }
  // Whatever else keeps us from looking, SQLite will say.
  if (errno != ENOENT && errno != ENOTDIR)
    return {};
  return fail(ec::store_unavailable,
              "the file " + path +
                  " was removed while it was in use: put it back, or start the "
                  "server anew with a copy of it, or with none");
}

expected<void> file_identity::learn(const std::string& path) {
  {
    std::lock_guard guard{mutex_};
    struct stat now {};
    if (!known_ && ::stat(path.c_str(), &now) == 0)
      known_ = place{now.st_dev, now.st_ino};
  }
  return check(path);
}

} // namespace eventweft::sqlite
