// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"

#include <limits>
#include <mutex>
#include <string>

namespace eventweft::sqlite {

/// How far the log of one file is on disk, for all sessions of this process: an
/// append may commit without waiting for the disk (`synchronous = NORMAL`), and
/// the write-ahead log is brought there afterwards, while the next append is at
/// work. What a process has written outlives its death; only the machine's can
/// take what is not on disk. Any thread.
class log_sync {
 public:
  static constexpr seq_t everything = std::numeric_limits<seq_t>::max();

  /// A transaction that takes the log from `before` to `head` is about to
  /// commit without the disk.
  void committing(seq_t before, seq_t head);

  /// It did not.
  void not_committed(seq_t before);

  /// All up to there is on disk.
  void synced(seq_t upto);

  /// The last seq that readers may see, of a view of the file that was taken
  /// before the call (`read_transaction`): what is committed later and is not
  /// durable may be in a later one.
  seq_t shown() const;

  /// Brings the write-ahead log of the database at `path`, which may be a link
  /// to it, to the disk, and with it all that was committed before the call.
  expected<void> flush(const std::string& path, seq_t upto);

 private:
  mutable std::mutex mutex_;
  seq_t committed_ = 0;
  seq_t durable_ = 0;
};

} // namespace eventweft::sqlite
