// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace eventweft::crypto {

/// The raw 32-byte public key of a raw 32-byte Ed25519 seed; nothing for a
/// seed of another size.
std::optional<std::string> ed25519_public_key(std::string_view seed);

/// The 64-byte signature of `message`; nothing for a seed of another size.
std::optional<std::string> sign_ed25519(std::string_view seed,
                                        std::string_view message);

} // namespace eventweft::crypto
