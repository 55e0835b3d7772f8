// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/token_shapes.hpp"
#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <array>
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
/// nothing where nothing is configured; where nothing matches, it allocates
/// only for strings with escapes.
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

  /// Replaces what looks like a token by `[redacted]`, however the JSON strings
  /// that it stands in are escaped; their other bytes stay as they are. Valid
  /// JSON stays valid. Takes other text, too.
  std::optional<redaction> shapes(std::string_view text) const;

  /// Both.
  std::optional<redaction> apply(std::string_view json) const;

 private:
  struct token_place {
    size_t start;
    size_t end;
    std::string_view owner;
  };
  /// Adds the tokens in `text`, a JSON string without its quotes. `depth`
  /// counts how often it was unescaped.
  void find_tokens(std::string_view text, unsigned depth,
                   std::vector<token_place>& places) const;

  std::vector<std::string> pointers_;
  owner_set shapes_ = 0;
  /// The first bytes of their tokens.
  std::array<bool, 256> starts_{};
};

/// `metadata` (a JSON object) with a member `redacted` that lists the notes.
std::string with_redactions(std::string metadata,
                            const std::vector<std::string>& notes);

/// `metadata`, an object or nothing, with one more member: `"name":value`.
std::string with_member(std::string metadata, std::string member);

inline constexpr std::string_view redacted_text = "[redacted]";

} // namespace eventweft::platforms
