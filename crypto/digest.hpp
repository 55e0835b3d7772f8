// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace eventweft::crypto {

enum class hash : unsigned char { sha1, sha256, sha512 };

/// HMAC over the concatenation of `parts`, as raw bytes.
std::string hmac(hash algorithm, std::string_view key,
                 std::span<const std::string_view> parts);

/// The digest of `data`, as raw bytes.
std::string digest(hash algorithm, std::string_view data);

/// Compares without giving away by its time where they differ. Lengths may
/// show.
bool equal_constant_time(std::string_view a, std::string_view b) noexcept;

/// Whether `signature` (64 bytes) of `message` holds for the raw 32-byte
/// Ed25519 public key. False for any malformed input.
bool verify_ed25519(std::string_view public_key, std::string_view message,
                    std::string_view signature) noexcept;

/// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);
/// Either case; nothing for an odd length or another character.
std::optional<std::string> from_hex(std::string_view text);

/// Standard alphabet with padding.
std::string to_base64(std::string_view bytes);
/// Standard or URL-safe alphabet, padding optional; nothing for anything else.
std::optional<std::string> from_base64(std::string_view text);

} // namespace eventweft::crypto
