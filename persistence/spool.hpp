// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/flow.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace eventweft {

struct spool_options {
  /// Made if it is missing.
  std::filesystem::path directory;
  /// What all segments together may take, in bytes.
  uint64_t max_bytes = 1ull << 30;
  /// A new segment is begun once the last one has reached this.
  uint64_t segment_bytes = 64ull << 20;
};

/// A durable queue in a directory that takes events while the store is away.
/// Every call blocks; one thread at a time. The directory belongs to one
/// process at a time, which a lock makes sure of.
class spool {
 public:
  /// Takes what an earlier process has left. A tail that was being written
  /// when that process died was never acknowledged and is cut off. Damage
  /// anywhere else is `corrupt`; a directory that another process holds is
  /// `conflict`; one that can't be used is `store_unavailable`.
  static expected<std::unique_ptr<spool>> open(const spool_options& options);

  ~spool();
  spool(const spool&) = delete;
  spool& operator=(const spool&) = delete;

  /// All of `events` or none. They are on the disk when this returns.
  /// `store_full` if there is no room, be it by the limit or on the disk;
  /// what was there before is unharmed by any error.
  expected<void> append(std::span<const event_ptr> events);

  /// The oldest events, in order: at least one if there is one, at most
  /// `max`. They stay until dropped.
  expected<std::vector<event_ptr>> peek(size_t max);

  /// Forgets the `count` oldest. After a crash some of them may be there
  /// again; the log knows them as duplicates of themselves.
  expected<void> drop(size_t count);

  /// How much there is; `held` stays empty.
  spool_state state() const noexcept;

  /// Which events there are, in order. Reads all of them.
  expected<std::vector<spooled_event>> held() const;

 private:
  struct impl;
  explicit spool(std::unique_ptr<impl> p);

  std::unique_ptr<impl> impl_;
};

} // namespace eventweft
