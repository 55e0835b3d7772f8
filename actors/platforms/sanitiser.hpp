// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::platforms {

/// A payload after its secrets were taken out.
struct redaction {
  std::string text;
  /// What was replaced: JSON pointers as configured, "token:github" and so
  /// on. Each once.
  std::vector<std::string> notes;
};

/// Takes out of payloads what must not be kept. Immutable, thread-safe. Costs
/// nothing where nothing is configured, and allocates nothing where nothing
/// matches.
class sanitiser {
 public:
  sanitiser() = default;

  /// `bad_configuration` names the pointer or the shape that is none.
  static expected<sanitiser> make(const config::platform_settings& settings,
                                  std::string_view where);

  bool has_pointers() const noexcept { return !pointers_.empty(); }
  bool has_shapes() const noexcept { return shapes_ != 0; }

  /// Replaces the values at the configured pointers by `"[redacted]"`. `json`
  /// must be valid; so is the result.
  std::optional<redaction> pointers(std::string_view json) const;

  /// Replaces what looks like a token by `[redacted]`. Valid JSON stays valid.
  std::optional<redaction> shapes(std::string_view text) const;

  /// Both.
  std::optional<redaction> apply(std::string_view json) const;

 private:
  struct token {
    std::string_view owner;
    size_t length = 0;
  };
  /// The token that `text` starts with; length 0 if it starts with none.
  token find_token(std::string_view text) const noexcept;

  std::vector<std::string> pointers_;
  uint32_t shapes_ = 0;
};

/// `metadata` (a JSON object) with a member `redacted` that lists the notes.
std::string with_redactions(std::string metadata,
                            const std::vector<std::string>& notes);

/// `metadata`, an object or nothing, with one more member: `"name":value`.
std::string with_member(std::string metadata, std::string member);

inline constexpr std::string_view redacted_text = "[redacted]";

} // namespace eventweft::platforms
