// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/key_filter.hpp"

namespace eventweft::sqlite {
namespace {

constexpr size_t part_keys = 1 << 20;
/// 16 bits a key.
constexpr size_t part_lines = part_keys * 16 / 512;
constexpr int probes = 6;

/// Keys are hashes: their low bits choose the line, the others the bits in it,
/// nine for each.
size_t line_of(uint64_t key) {
  return key & (part_lines - 1);
}

template <class Use>
bool each_bit(uint64_t key, Use&& use) {
  auto bits = (key >> 15) * 0x9E3779B97F4A7C15;
  for (int i = 0; i < probes; ++i, bits >>= 9)
    if (!use(bits >> 6 & 7, uint64_t{1} << (bits & 63)))
      return false;
  return true;
}

} // namespace

void key_filter::add(int64_t key) {
  if (size_++ % part_keys == 0)
    parts_.emplace_back(part_lines);
  auto k = static_cast<uint64_t>(key);
  auto& chosen = parts_.back()[line_of(k)];
  each_bit(k, [&](size_t word, uint64_t bit) {
    chosen.words[word] |= bit;
    return true;
  });
}

bool key_filter::may_contain(int64_t key) const noexcept {
  auto k = static_cast<uint64_t>(key);
  for (const auto& part : parts_) {
    const auto& chosen = part[line_of(k)];
    if (each_bit(k, [&](size_t word, uint64_t bit) {
          return (chosen.words[word] & bit) != 0;
        }))
      return true;
  }
  return false;
}

} // namespace eventweft::sqlite
