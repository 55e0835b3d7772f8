// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

#include <array>
#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft {

/// Where a component gets random bits from. Injected, so that tests repeat.
/// Thread-safe.
class random_source {
 public:
  virtual ~random_source() = default;
  /// 64 bits, each independent of all others.
  virtual uint64_t next() = 0;
};

/// The operating system's generator (`getrandom(2)`), with a small buffer per
/// thread. Fit for secrets.
class system_random final : public random_source {
 public:
  uint64_t next() override;
};

/// The same sequence for the same seed (SplitMix64). For tests.
class seeded_random final : public random_source {
 public:
  explicit seeded_random(uint64_t seed) : state_(seed) {}
  uint64_t next() override;

 private:
  std::atomic<uint64_t> state_;
};

/// 16 bytes, in network order; all zero means "none".
struct uuid {
  std::array<uint8_t, 16> bytes{};

  auto operator<=>(const uuid&) const = default;
  bool is_nil() const noexcept { return *this == uuid{}; }

  /// A version 7 UUID (RFC 9562): milliseconds since 1970, then the
  /// microseconds within them in the 12 bits of `rand_a` (the RFC's method
  /// 3), then 62 random bits. Ids made later sort later.
  static uuid v7(timestamp now, random_source& random);

  /// Reads the form with hyphens, in either case.
  static std::optional<uuid> parse(std::string_view text);
};

/// The lower-case form with hyphens.
std::string to_string(const uuid& id);

/// Appends the same to `out`.
void append_to(std::string& out, const uuid& id);

} // namespace eventweft

template <>
struct std::hash<eventweft::uuid> {
  size_t operator()(const eventweft::uuid& id) const noexcept;
};
