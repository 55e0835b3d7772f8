// SPDX-License-Identifier: Apache-2.0
#include "config/file_watch.hpp"

#include <sys/stat.h>

namespace eventweft::config {

bool file_watch::changed() {
  struct stat s {};
  std::string now = "none";
  if (::stat(path_.c_str(), &s) == 0)
    now = std::to_string(s.st_dev) + ':' + std::to_string(s.st_ino) + ':' +
          std::to_string(s.st_size) + ':' + std::to_string(s.st_mtim.tv_sec) +
          '.' + std::to_string(s.st_mtim.tv_nsec);
  if (now == seen_)
    return false;
  seen_ = std::move(now);
  return true;
}

} // namespace eventweft::config
