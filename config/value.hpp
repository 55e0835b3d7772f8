// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/keys.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Values as files, environment and flags give them.
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

/// Whether several texts can be given for the key.
bool takes_list(kind type) noexcept;

} // namespace eventweft::config
