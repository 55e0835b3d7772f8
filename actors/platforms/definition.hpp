// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/signature_scheme.hpp"
#include "actors/platforms/text_template.hpp"
#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::platforms {

/// A request that is answered at once instead of being stored.
struct handshake_rule {
  text_template when;
  /// What `when` must give, with `*` as a wildcard.
  std::string is = "*";
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  text_template body;
  /// Whether the request's proof is checked before.
  bool proven = true;
};

/// A platform without code, as a file in `config/platforms/` defines it.
struct platform_definition {
  std::string name;
  /// Where its file says so.
  uint32_t name_line = 0;
  std::string description;
  std::vector<signature_scheme> signatures;
  alternatives event_id;
  alternatives event_type;
  alternatives source_id;
  alternatives source_name;
  alternatives actor_id;
  alternatives actor_name;
  std::vector<std::pair<std::string, alternatives>> metadata;
  /// After those that the configuration adds.
  std::vector<config::priority_rule> priority;
  std::optional<handshake_rule> handshake;
  /// 0: 200, or 202 for a spooled event.
  int answer_status = 0;
  /// See `platform::answer_within`.
  std::chrono::milliseconds answer_within{0};
};

/// Reads a definition; `docs/platforms.md` describes the keys.
/// `bad_configuration` with "FILE:LINE: what", a line for each fault, unknown
/// keys by name.
expected<platform_definition> read_definition(std::string_view toml,
                                              std::string_view file);

/// A file of a definition that is part of the program.
struct shipped_definition {
  std::string_view file;
  std::string_view text;
};

/// All of them, by name.
const std::vector<shipped_definition>& shipped_definitions();

} // namespace eventweft::platforms
