// SPDX-License-Identifier: Apache-2.0
#include "config/file_watch.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

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

expected<std::string> read_small_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in.is_open())
    return fail(ec::bad_configuration,
                "file " + path + ": " + std::strerror(errno));
  std::string text(largest_file + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (in.bad() || text.empty())
    return fail(ec::bad_configuration, "file " + path + ": cannot be read");
  if (text.size() > largest_file)
    return fail(ec::bad_configuration, "file " + path + ": larger than 1 MiB");
  return text;
}

} // namespace eventweft::config
