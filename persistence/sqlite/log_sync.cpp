// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/log_sync.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace eventweft::sqlite {
namespace {

error disk_error(const std::string& path) {
  return {ec::store_unavailable,
          path + ": " + std::generic_category().message(errno)};
}

} // namespace

void log_sync::committing(seq_t before, seq_t head) {
  std::lock_guard guard{mutex_};
  // Nothing waits for the disk: all that is there is on it.
  if (committed_ <= durable_)
    durable_ = before;
  committed_ = head;
}

void log_sync::not_committed(seq_t before) {
  std::lock_guard guard{mutex_};
  committed_ = std::min(committed_, before);
}

void log_sync::synced(seq_t upto) {
  std::lock_guard guard{mutex_};
  durable_ = std::max(durable_, upto);
}

seq_t log_sync::shown() const {
  std::lock_guard guard{mutex_};
  return committed_ > durable_ ? durable_ : everything;
}

expected<void> log_sync::flush(const std::string& path, seq_t upto) {
  // SQLite holds no locks on this file: it may be opened and closed beside it.
  // Without one everything was copied to the database, which SQLite syncs then.
  // It is beside the file itself, wherever the links to that are.
  std::error_code unresolved;
  const auto file_itself = std::filesystem::canonical(path, unresolved);
  const auto log = (unresolved ? path : file_itself.string()) + "-wal";
  const int file = ::open(log.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno != ENOENT)
      return fail(disk_error(log));
  } else {
    const bool done = ::fdatasync(file) == 0;
    auto why = done ? error{} : disk_error(log);
    ::close(file);
    if (!done)
      return fail(std::move(why));
  }
  synced(upto);
  return {};
}

} // namespace eventweft::sqlite
