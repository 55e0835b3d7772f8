// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/checkpointer.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <exception>
#include <utility>

namespace eventweft::sqlite {
namespace {

// Writers that are faster than the copy are made to wait after as many rounds.
constexpr int most_rounds = 4;

// Of a long log: what writers may be held up for.
constexpr int short_rest = 32;

// Of a long log: how much more there has to be before it tries again.
constexpr int next_try = 8;

// For its turn among the writers. Without one it comes again.
constexpr std::chrono::seconds patience{5};

} // namespace

checkpointer::checkpointer(std::string path,
                           std::shared_ptr<write_queue> writers, int long_log)
    : path_(std::move(path)),
      writers_(std::move(writers)),
      long_log_(long_log),
      next_(long_log) {}

checkpointer::~checkpointer() = default;

void checkpointer::grown(int pages) noexcept {
  pages_ = pages;
  // It began anew.
  if (pages < long_log_)
    next_ = long_log_;
  if (pages < next_)
    return;
  try {
    std::lock_guard lock{mutex_};
    wanted_ = true;
    if (!thread_.joinable())
      thread_ = std::jthread{
          [this](const std::stop_token& stopped) { work(stopped); }};
    called_.notify_one();
  } catch (const std::exception&) {
    // No thread can be had now: the next commit asks again.
  }
}

void checkpointer::work(const std::stop_token& stopped) {
  std::unique_lock lock{mutex_};
  while (called_.wait(lock, stopped, [this] { return wanted_; })) {
    wanted_ = false;
    lock.unlock();
    try {
      copy(stopped);
    } catch (const std::exception&) {
      // Whatever it is, a full disk most likely: writers meet it as well, and
      // say so.
      file_.reset();
    }
    // Readers may stand in the way of a new beginning for long.
    next_ = pages_ + long_log_ / next_try;
    lock.lock();
  }
}

void checkpointer::copy(const std::stop_token& stopped) {
  if (!file_) {
    file_ = std::make_unique<SQLite::Database>(path_, SQLite::OPEN_READWRITE |
                                                          SQLite::OPEN_NOMUTEX);
    // It finds out that there is a log.
    file_->exec("PRAGMA synchronous = FULL; SELECT 1 FROM sqlite_schema");
  }
  for (int round = 0; round < most_rounds; ++round) {
    const auto copied = copy_once();
    sync_file();
    // SQLite copies the rest when the file is closed.
    if (stopped.stop_requested())
      return;
    if (pages_ - copied <= long_log_ / short_rest)
      break;
  }
  if (const auto turn = write_queue::wait(writers_, patience))
    copy_once();
}

int checkpointer::copy_once() {
  int pages = 0;
  int copied = 0;
  const int result = sqlite3_wal_checkpoint_v2(
      file_->getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
  // Busy: another process is at it.
  if (result != SQLITE_OK && result != SQLITE_BUSY)
    throw SQLite::Exception{file_->getHandle(), result};
  return copied;
}

// SQLite does it only with the last page of the log, when writers wait.
void checkpointer::sync_file() {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(file_->getHandle(), "main",
                           SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
      file != nullptr && file->pMethods != nullptr)
    file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

} // namespace eventweft::sqlite
