// SPDX-License-Identifier: Apache-2.0
#include "auth/limiter.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace eventweft::auth {

namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

} // namespace

request_limiter::request_limiter(limit_options options) : options_(options) {
  if (options_.per_second <= 0)
    return;
  cost_ =
      std::max(microseconds{1},
               microseconds{static_cast<int64_t>(1e6 / options_.per_second)});
  allowance_ = microseconds{static_cast<int64_t>(
      static_cast<double>(cost_.count()) * std::max(1.0, options_.burst))};
}

std::optional<seconds> request_limiter::charge(timestamp& full_at,
                                               timestamp now) const {
  const auto after = std::max(full_at, now) + cost_;
  if (const auto excess = after - now - allowance_; excess.count() > 0)
    return std::max(seconds{1}, std::chrono::ceil<seconds>(excess));
  full_at = after;
  return std::nullopt;
}

std::optional<seconds> request_limiter::ask(std::string_view who,
                                            timestamp now) {
  if (options_.per_second <= 0)
    return std::nullopt;
  const std::lock_guard lock{mutex_};
  if (const auto it = by_who_.find(who); it != by_who_.end()) {
    entries_.splice(entries_.end(), entries_, it->second);
    return charge(it->second->full_at, now);
  }
  if (entries_.size() >= options_.max_entries) {
    if (entries_.empty() || entries_.front().full_at > now)
      return charge(shared_full_at_, now);
    by_who_.erase(entries_.front().who);
    entries_.pop_front();
  }
  auto& fresh = entries_.emplace_back(std::string{who}, timestamp{});
  by_who_.emplace(fresh.who, std::prev(entries_.end()));
  return charge(fresh.full_at, now);
}

size_t request_limiter::remembered() const {
  const std::lock_guard lock{mutex_};
  return entries_.size();
}

std::string limit_key_of_address(std::string_view address) {
  std::string text{address};
  in6_addr v6{};
  if (::inet_pton(AF_INET6, text.c_str(), &v6) != 1)
    return text;
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    ::inet_ntop(AF_INET, &v6.s6_addr[12], out.data(), out.size());
    return out.data();
  }
  std::fill(std::begin(v6.s6_addr) + 8, std::end(v6.s6_addr), uint8_t{0});
  ::inet_ntop(AF_INET6, &v6, out.data(), out.size());
  return std::string{out.data()} + "/64";
}

} // namespace eventweft::auth
