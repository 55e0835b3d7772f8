// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/keys.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Values as files, environment and flags give them, and as people read them.
namespace eventweft::config {

/// What a variable or a flag gives: a text that still has to be read as the
/// key's type.
struct plain_text {
  std::string value;
};

/// What a file gives that no key can take ("a table", "a date").
struct other_type {
  std::string what;
};

/// A member of a table. Where it is no text, `value` is its text in TOML, or in
/// JSON for a list or a table, and `what` says what it is ("a number").
struct table_member {
  std::string name;
  std::string value;
  std::string what;
};

/// A table of a list, with its line.
struct text_table {
  std::vector<table_member> members;
  uint32_t line = 0;
};

using raw_value =
    std::variant<plain_text, std::string, int64_t, double, bool,
                 std::vector<std::string>, std::vector<text_table>, other_type>;

/// Writes `raw` to `target` as `k` wants it. Nothing on success, else what was
/// expected and what was found; secrets do not show in it. Lists are appended
/// to, other members replaced. `secret_file` is not for this function.
std::optional<std::string> assign(const key& k, field target,
                                  const raw_value& raw);

/// "a whole number from 1 to 256"
std::string expectation(const key& k);

/// The value in TOML's syntax, secrets masked.
std::string shown(const key& k, field target);

/// "25 MiB"; plain bytes where no unit divides.
std::string bytes_text(uint64_t bytes);
std::optional<uint64_t> parse_bytes(std::string_view text);

/// "2.5" for 2500 ms.
std::string seconds_text(milliseconds d);

/// The store's address with `***` in place of any password.
std::string mask_url(std::string_view url);

/// `http://…` with `***` in place of what it proves itself with.
std::string mask_web_url(std::string_view url);

/// Whether a list is meant that is written as in TOML: `["a", "b"]`.
bool is_list_text(std::string_view text) noexcept;

/// Whether several texts can be given for the key.
bool takes_list(kind type) noexcept;

/// Without white space at both ends.
std::string_view trimmed(std::string_view text) noexcept;

/// A TOML basic string; also how texts show in messages.
std::string in_quotes(std::string_view text);

} // namespace eventweft::config
