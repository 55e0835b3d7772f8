// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The one table of configuration keys. File, environment, flags, the check
/// for unknown keys, range checks, `describe` and the sample file's test all
/// read it; a new key is one row here, a member in `settings.hpp` and a
/// paragraph in `eventweft.sample.toml`.
namespace eventweft::config {

enum class kind : uint8_t {
  boolean,
  whole,
  seconds, ///< stored as milliseconds; fractions allowed
  millis,  ///< for keys that end in `_ms`
  bytes,   ///< a number, or a text with KiB, MiB, GiB
  text,
  choice,
  store_url,         ///< a text that may hold a password
  web_url,           ///< `http://…` or `https://…`, with secrets perhaps
  secret,            ///< one text that is never shown
  secrets,           ///< one or several of them
  secret_file,       ///< a path, or several, to files that hold secrets
  texts,             ///< a list of texts, none of them empty
  variables,         ///< a list of `NAME=value` or `NAME`; values are not shown
  pointers,          ///< JSON pointers
  choices,           ///< several of `choices`
  origins,           ///< of web pages: `https://HOST:PORT`, or `*`
  rules,             ///< priority rules, in a file only
  fraction,          ///< from 0 to 1
  correlation_rules, ///< in a file only
};

/// Where a key's value lives.
using field =
    std::variant<bool*, uint16_t*, uint32_t*, uint64_t*, milliseconds*,
                 std::string*, std::vector<std::string>*,
                 std::vector<priority_rule>*, double*,
                 std::vector<correlation_rule>*>;

struct key {
  /// "server"; "platforms.*" for every platform, "processors.*" likewise.
  std::string_view section;
  std::string_view name;
  kind type;
  /// The member; the name is for `platforms.*` and `processors.*` only, whose
  /// settings are made if they are not there yet.
  field (*at)(settings&, const std::string& name);
  /// Inclusive, in the unit in which the value is stored.
  uint64_t min = 0;
  uint64_t max = 0;
  /// For `choice` and `choices`: "text|json".
  std::string_view choices = {};
  /// Fills the member of this key of the same section.
  std::string_view alias_of = {};
};

inline constexpr std::string_view platform_section = "platforms.*";
inline constexpr std::string_view processor_section = "processors.*";

/// Whether there is one such section for each name.
constexpr bool is_named(std::string_view section) noexcept {
  return section.ends_with(".*");
}

std::span<const key> keys() noexcept;

/// Null if there is none. `section` is "platforms.*" for platforms.
const key* find_key(std::string_view section, std::string_view name) noexcept;

} // namespace eventweft::config
