// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/uuid.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

namespace eventweft::memory {

/// The latest dead letters; older ones make room for them. Thread-safe.
class shared_letters {
 public:
  /// `gone` is told of each that had to go, on the thread of whoever brought
  /// the newer one; may be empty.
  shared_letters(size_t max_letters, size_t max_bytes,
                 std::function<void(const dead_letter&)> gone);

  void add(const dead_letter& letter);
  std::vector<dead_letter> find(const dead_letter_query& q) const;
  bool drop(const uuid& id);

 private:
  /// Those that there is no room for, oldest first; the newest stays.
  std::vector<dead_letter> make_room();

  const size_t max_letters_;
  const size_t max_bytes_;
  const std::function<void(const dead_letter&)> gone_;
  mutable std::mutex mutex_;
  /// Ids are made in the order of time.
  std::map<uuid, dead_letter> letters_;
  size_t bytes_ = 0;
};

} // namespace eventweft::memory
