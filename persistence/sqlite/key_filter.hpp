// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace eventweft::sqlite {

/// A Bloom filter over event keys that grows: tells most deliveries that are
/// new from those that may be there already, without a look into the file.
/// Takes 2 MiB for each million keys and errs, to the safe side, for fewer than
/// one in a hundred.
class key_filter {
 public:
  void add(int64_t key);
  /// False: certainly never added.
  bool may_contain(int64_t key) const noexcept;
  size_t size() const noexcept { return size_; }

 private:
  /// One cache line: a key sets and asks for bits of a single one.
  struct alignas(64) line {
    uint64_t words[8] = {};
  };

  size_t size_ = 0;
  /// Each for `part_keys` keys.
  std::vector<std::vector<line>> parts_;
};

} // namespace eventweft::sqlite
