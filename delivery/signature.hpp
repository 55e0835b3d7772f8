// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/outgoing.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <span>
#include <string>
#include <string_view>

/// Standard Webhooks: who a delivery is from and that it was not changed.
namespace eventweft::delivery {

/// A secret that deliveries are signed with.
class signing_key {
 public:
  /// `whsec_` and the base64 of 24 to 64 bytes (HMAC-SHA256, `v1`), or
  /// `whsk_` and the base64 of an Ed25519 seed, alone or followed by its
  /// public key (`v1a`). `unprocessable` for anything else; the message never
  /// repeats the text.
  static expected<signing_key> parse(std::string_view text);

  /// A new `whsec_` of 32 random bytes.
  static signing_key make_symmetric(random_source& random);
  /// A new `whsk_`.
  static signing_key make_asymmetric(random_source& random);

  /// What `parse` reads. Secret.
  std::string text() const;
  /// What receivers verify with: `whpk_…`, or empty for a symmetric key.
  std::string public_text() const;

  /// `v1,…` or `v1a,…` for that message, whose id must hold no `.`.
  std::string sign(std::string_view message_id, int64_t unix_seconds,
                   std::string_view body) const;

 private:
  enum class algorithm : uint8_t { hmac_sha256, ed25519 };
  signing_key(algorithm a, std::string bytes)
      : algorithm_(a), bytes_(std::move(bytes)) {}

  algorithm algorithm_;
  // The HMAC's key, or the seed.
  std::string bytes_;
};

/// The same for every attempt to tell one subscription of one event, and for a
/// replay: what receivers recognise a repeat by. `msg_` and 32 hexadecimal
/// digits.
std::string message_id(const uuid& event_id, std::string_view subscription_id);

/// `webhook-id`, `webhook-timestamp` (of the attempt) and `webhook-signature`
/// with one signature for each key: while secrets rotate, receivers with the
/// old one and with the new one both find theirs.
outgoing::header_list signed_headers(std::span<const signing_key> keys,
                                     std::string_view message_id,
                                     timestamp attempt_at,
                                     std::string_view body);

} // namespace eventweft::delivery
