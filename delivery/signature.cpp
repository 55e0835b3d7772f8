// SPDX-License-Identifier: Apache-2.0
#include "delivery/signature.hpp"

#include "crypto/digest.hpp"
#include "crypto/ed25519.hpp"

#include <array>
#include <chrono>

namespace eventweft::delivery {

namespace {

constexpr std::string_view symmetric_prefix = "whsec_";
constexpr std::string_view asymmetric_prefix = "whsk_";
constexpr std::string_view public_prefix = "whpk_";
constexpr size_t min_secret = 24;
constexpr size_t max_secret = 64;
constexpr size_t seed_size = 32;

std::string random_bytes(random_source& random, size_t count) {
  std::string out;
  out.reserve(count);
  while (out.size() < count)
    for (uint64_t word = random.next(), i = 0; i < 8 && out.size() < count; ++i)
      out.push_back(static_cast<char>((word >> (8 * i)) & 0xff));
  return out;
}

tl::unexpected<error> refuse(const char* why) {
  return fail(ec::unprocessable, std::string{"secret: "} + why);
}

} // namespace

expected<signing_key> signing_key::parse(std::string_view text) {
  if (text.starts_with(symmetric_prefix)) {
    auto bytes = crypto::from_base64(text.substr(symmetric_prefix.size()));
    if (!bytes)
      return refuse("not base64 after \"whsec_\"");
    if (bytes->size() < min_secret || bytes->size() > max_secret)
      return refuse("a \"whsec_\" has 24 to 64 bytes");
    return signing_key{algorithm::hmac_sha256, std::move(*bytes)};
  }
  if (text.starts_with(asymmetric_prefix)) {
    auto bytes = crypto::from_base64(text.substr(asymmetric_prefix.size()));
    if (!bytes)
      return refuse("not base64 after \"whsk_\"");
    if (bytes->size() != seed_size && bytes->size() != 2 * seed_size)
      return refuse("a \"whsk_\" has 32 or 64 bytes");
    const auto rest = bytes->substr(seed_size);
    bytes->resize(seed_size);
    if (!rest.empty() && crypto::ed25519_public_key(*bytes) != rest)
      return refuse("the two halves of the \"whsk_\" do not fit");
    return signing_key{algorithm::ed25519, std::move(*bytes)};
  }
  return refuse("neither \"whsec_…\" nor \"whsk_…\"");
}

signing_key signing_key::make_symmetric(random_source& random) {
  return {algorithm::hmac_sha256, random_bytes(random, 32)};
}

signing_key signing_key::make_asymmetric(random_source& random) {
  return {algorithm::ed25519, random_bytes(random, seed_size)};
}

std::string signing_key::text() const {
  if (algorithm_ == algorithm::hmac_sha256)
    return std::string{symmetric_prefix} + crypto::to_base64(bytes_);
  return std::string{asymmetric_prefix} +
         crypto::to_base64(bytes_ + *crypto::ed25519_public_key(bytes_));
}

std::string signing_key::public_text() const {
  if (algorithm_ == algorithm::hmac_sha256)
    return {};
  return std::string{public_prefix} +
         crypto::to_base64(*crypto::ed25519_public_key(bytes_));
}

std::string signing_key::sign(std::string_view message_id, int64_t unix_seconds,
                              std::string_view body) const {
  std::string head{message_id};
  head.append(".").append(std::to_string(unix_seconds)).append(".");
  if (algorithm_ == algorithm::hmac_sha256) {
    const std::array<std::string_view, 2> parts{head, body};
    return "v1," +
           crypto::to_base64(crypto::hmac(crypto::hash::sha256, bytes_, parts));
  }
  head.append(body);
  return "v1a," + crypto::to_base64(*crypto::sign_ed25519(bytes_, head));
}

std::string message_id(const uuid& event_id, std::string_view subscription_id) {
  std::string text = to_string(event_id);
  text.append("/").append(subscription_id);
  const auto digest = crypto::digest(crypto::hash::sha256, text);
  return "msg_" + crypto::to_hex(std::string_view{digest}.substr(0, 16));
}

outgoing::header_list signed_headers(std::span<const signing_key> keys,
                                     std::string_view message_id,
                                     timestamp attempt_at,
                                     std::string_view body) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(attempt_at)
                           .time_since_epoch()
                           .count();
  std::string signatures;
  for (const auto& key : keys) {
    if (!signatures.empty())
      signatures.push_back(' ');
    signatures += key.sign(message_id, seconds, body);
  }
  outgoing::header_list out{{"webhook-id", std::string{message_id}},
                            {"webhook-timestamp", std::to_string(seconds)}};
  if (!signatures.empty())
    out.emplace_back("webhook-signature", std::move(signatures));
  return out;
}

} // namespace eventweft::delivery
