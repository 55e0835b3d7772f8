// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/value.hpp"
#include "messages/errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::config {

/// One `key = value` of a file, or a section without any.
struct file_entry {
  /// "server", or "platforms.*" with the name in `platform`; empty for keys
  /// outside of every section.
  std::string section;
  std::string platform;
  /// Empty for an entry that stands for its section alone.
  std::string name;
  raw_value value;
  uint32_t line = 0;
};

/// The texts of a list in TOML, `["a", "b"]`; nothing if it is none, or holds
/// more than texts.
std::optional<std::vector<std::string>> read_text_list(std::string_view text);

/// The entries of a TOML text in the order of their lines. `bad_configuration`
/// with "NAME:LINE: what" if it is not TOML.
expected<std::vector<file_entry>> read_toml(std::string_view text,
                                            std::string_view name);

} // namespace eventweft::config
