// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace eventweft::platforms {

/// A set of `config::token_owners`; `all_owners` is every one of them.
using owner_set = uint64_t;
extern const owner_set all_owners;

/// The set of that one; empty if there is none of that name.
owner_set owner_of(std::string_view name) noexcept;

/// The first bytes of these owners' tokens: one look-up decides for nearly all
/// that is none.
std::array<bool, 256> first_bytes(owner_set owners) noexcept;

struct found_token {
  std::string_view owner;
  size_t length = 0;
};

/// The token of one of `owners` that begins at `at`, where a word begins;
/// length 0 if none does.
found_token find_token(std::string_view text, size_t at,
                       owner_set owners) noexcept;

/// Whether a token may go on with it: within such a word none begins.
bool is_word_byte(char c) noexcept;

} // namespace eventweft::platforms
