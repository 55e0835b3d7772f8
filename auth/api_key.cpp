// SPDX-License-Identifier: Apache-2.0
#include "auth/api_key.hpp"

#include "crypto/digest.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <mutex>

namespace eventweft::auth {

namespace {

constexpr std::string_view key_prefix = "ew_";
constexpr size_t id_digits = 16;
constexpr size_t secret_digits = 64;
constexpr std::string_view key_digits = "0123456789abcdef";
constexpr int64_t never = std::numeric_limits<int64_t>::min();
// A use is noted when the last noted one is older: a busy key must not cost a
// write for each request.
constexpr std::chrono::microseconds use_resolution = std::chrono::minutes{1};

std::string random_hex(random_source& random, size_t digits) {
  std::string bytes;
  while (bytes.size() < digits / 2)
    for (uint64_t word = random.next(), i = 0; i < 8; ++i)
      bytes.push_back(static_cast<char>((word >> (8 * i)) & 0xff));
  return crypto::to_hex(std::string_view{bytes}.substr(0, digits / 2));
}

std::string hash_of(std::string_view text) {
  return crypto::to_hex(crypto::digest(crypto::hash::sha256, text));
}

// The id within a text of the right shape.
std::optional<std::string_view> id_of(std::string_view text) noexcept {
  if (!looks_like_api_key(text) ||
      text.size() != key_prefix.size() + id_digits + 1 + secret_digits)
    return std::nullopt;
  const auto id = text.substr(key_prefix.size(), id_digits);
  const auto secret = text.substr(key_prefix.size() + id_digits + 1);
  if (text[key_prefix.size() + id_digits] != '_' ||
      id.find_first_not_of(key_digits) != std::string_view::npos ||
      secret.find_first_not_of(key_digits) != std::string_view::npos)
    return std::nullopt;
  return id;
}

} // namespace

new_api_key make_api_key(api_key wanted, timestamp now, random_source& random) {
  wanted.id = random_hex(random, id_digits);
  std::string text{key_prefix};
  text.append(wanted.id).append("_").append(random_hex(random, secret_digits));
  wanted.hash = hash_of(text);
  wanted.created_at = now;
  wanted.revoked_at.reset();
  wanted.last_used_at.reset();
  return {std::move(wanted), std::move(text)};
}

expected<api_key> checked_api_key(api_key wanted) {
  std::vector<scope> once;
  for (auto& s : wanted.scopes)
    if (std::ranges::find(once, s) == once.end())
      once.push_back(std::move(s));
  wanted.scopes = std::move(once);
  if (wanted.scopes.empty())
    return fail(ec::unprocessable,
                "scopes: a key needs at least one of ingest, read, "
                "stream:NAME, manage, admin");
  const bool manages = std::ranges::any_of(wanted.scopes, [](const scope& s) {
    return s.grants == permission::manage || s.grants == permission::admin;
  });
  if (wanted.forced && manages)
    return fail(ec::unprocessable,
                "a key with a filter can have neither manage nor admin");
  return wanted;
}

bool looks_like_api_key(std::string_view text) noexcept {
  return text.starts_with(key_prefix);
}

key_ring::entry::entry(api_key k)
    : key(std::move(k)),
      last_used(key.last_used_at ? key.last_used_at->time_since_epoch().count()
                                 : never),
      reported(last_used) {}

void key_ring::load(std::vector<api_key> keys) {
  table fresh;
  for (auto& key : keys) {
    auto made = std::make_unique<entry>(std::move(key));
    auto id = made->key.id;
    fresh.insert_or_assign(std::move(id), std::move(made));
  }
  const std::unique_lock lock{mutex_};
  for (const auto& [id, made] : fresh)
    if (const auto it = keys_.find(id); it != keys_.end()) {
      made->last_used =
          std::max(made->last_used.load(), it->second->last_used.load());
      if (!made->key.revoked_at)
        made->key.revoked_at = it->second->key.revoked_at;
    }
  keys_.swap(fresh);
}

void key_ring::add(api_key key) {
  auto made = std::make_unique<entry>(std::move(key));
  auto id = made->key.id;
  const std::unique_lock lock{mutex_};
  keys_.insert_or_assign(std::move(id), std::move(made));
}

expected<void> key_ring::revoke(std::string_view id, timestamp now) {
  const std::unique_lock lock{mutex_};
  const auto it = keys_.find(id);
  if (it == keys_.end())
    return fail(ec::not_found, "there is no such API key");
  auto& revoked = it->second->key.revoked_at;
  revoked = revoked.value_or(now);
  return {};
}

expected<principal> key_ring::verify(std::string_view text,
                                     timestamp now) const {
  // What an unknown key is compared with.
  static const std::string nobody(secret_digits, '0');
  const auto refuse = [] {
    return fail(ec::unauthorized, "the API key is not valid");
  };
  const auto id = id_of(text);
  if (!id)
    return refuse();
  const auto hash = hash_of(text);
  const std::shared_lock lock{mutex_};
  const auto it = keys_.find(*id);
  const bool known = it != keys_.end();
  const bool fits =
      crypto::equal_constant_time(hash, known ? it->second->key.hash : nobody);
  if (!known || !fits)
    return refuse();
  const auto& e = *it->second;
  if (e.key.revoked_at || (e.key.expires_at && now >= *e.key.expires_at))
    return refuse();
  const auto at = now.time_since_epoch().count();
  // Two at once may both note it; either time is right.
  if (const auto last = e.last_used.load();
      last == never || at - last >= use_resolution.count())
    e.last_used = at;
  return principal{
      principal::kind::api_key, e.key.id, e.key.scopes, e.key.forced,
      e.key.expires_at,         e.key.id};
}

bool key_ring::alive(std::string_view id, timestamp now) const {
  const std::shared_lock lock{mutex_};
  const auto it = keys_.find(id);
  return it != keys_.end() && !it->second->key.revoked_at &&
         !(it->second->key.expires_at && now >= *it->second->key.expires_at);
}

bool key_ring::empty() const {
  const std::shared_lock lock{mutex_};
  return keys_.empty();
}

std::vector<api_key> key_ring::list() const {
  const std::shared_lock lock{mutex_};
  std::vector<api_key> out;
  out.reserve(keys_.size());
  for (const auto& [id, e] : keys_) {
    auto& key = out.emplace_back(e->key);
    if (const auto last = e->last_used.load(); last != never)
      key.last_used_at = timestamp{std::chrono::microseconds{last}};
  }
  return out;
}

std::vector<std::pair<std::string, timestamp>> key_ring::take_uses() {
  const std::unique_lock lock{mutex_};
  std::vector<std::pair<std::string, timestamp>> out;
  for (const auto& [id, e] : keys_)
    if (const auto last = e->last_used.load(); last > e->reported) {
      e->reported = last;
      out.emplace_back(id, timestamp{std::chrono::microseconds{last}});
    }
  return out;
}

} // namespace eventweft::auth
