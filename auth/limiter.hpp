// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace eventweft::auth {

struct limit_options {
  /// 0: no limit.
  double per_second = 50;
  /// At once. At least 1.
  double burst = 100;
  /// Keys and addresses that are remembered.
  size_t max_entries = 100'000;
};

/// How often each key or address may ask. Bounded: who has been quiet long
/// enough to have all of their burst again is forgotten; while nobody has,
/// newcomers share one allowance among them. Thread-safe.
class request_limiter {
 public:
  explicit request_limiter(limit_options options);

  /// Nothing: go on. Else the whole seconds, at least 1, for `Retry-After`.
  std::optional<std::chrono::seconds> ask(std::string_view who, timestamp now);

  size_t remembered() const;

 private:
  struct entry {
    std::string who;
    /// When all of the burst is there again (GCRA's "theoretical arrival
    /// time").
    timestamp full_at;
  };

  std::optional<std::chrono::seconds> charge(timestamp& full_at,
                                             timestamp now) const;

  limit_options options_;
  std::chrono::microseconds cost_{0};
  std::chrono::microseconds allowance_{0};
  mutable std::mutex mutex_;
  // The one that asked last comes last.
  std::list<entry> entries_;
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_who_;
  timestamp shared_full_at_{};
};

/// What an address counts as: an IPv4 address as itself, also when mapped into
/// IPv6; an IPv6 address as its /64, of which one customer has 2⁶⁴ addresses.
/// Anything else as it is.
std::string limit_key_of_address(std::string_view address);

} // namespace eventweft::auth
