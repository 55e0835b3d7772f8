// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/sqlite/write_queue.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace SQLite {
class Database;
}

namespace eventweft::sqlite {

/// Copies what was committed from the write-ahead log of one file to the file
/// itself, beside the writers, who would stand still for it otherwise. SQLite
/// begins its log anew only at a moment when all of it is copied, which never
/// comes under steady writing: when little is left, this takes one turn among
/// the writers for the rest. Has a thread of its own from the first time there
/// is work until it is destroyed. Any thread.
class checkpointer {
 public:
  /// It has work from `long_log` pages on.
  checkpointer(std::string path, std::shared_ptr<write_queue> writers,
               int long_log = 8'000);
  ~checkpointer();
  checkpointer(const checkpointer&) = delete;
  checkpointer& operator=(const checkpointer&) = delete;

  /// A commit left so many pages in the log. Waits for nothing.
  void grown(int pages) noexcept;

 private:
  void work(const std::stop_token& stopped);
  void copy(const std::stop_token& stopped);
  /// How much of the log is in the file, in pages.
  int copy_once();
  void sync_file();

  std::string path_;
  std::shared_ptr<write_queue> writers_;
  const int long_log_;
  std::atomic<int> pages_ = 0;
  /// From how many pages on it has work again.
  std::atomic<int> next_;
  std::mutex mutex_;
  std::condition_variable_any called_;
  bool wanted_ = false;
  /// Only the thread's own.
  std::unique_ptr<SQLite::Database> file_;
  /// Ends before all that it uses.
  std::jthread thread_;
};

} // namespace eventweft::sqlite
