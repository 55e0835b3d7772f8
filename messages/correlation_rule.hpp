// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/filter.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace eventweft::correlation {

/// A rule without code, from the configuration or the store.
struct declarative_rule {
  std::string name;
  /// Events it applies to.
  filter match{};
  /// The key, with values in braces: `deployment_pr_{payload.pull_request.
  /// number}`. A value is a path (`payload.…`, `metadata.…`, or a member of
  /// the event such as `source_name`), a JSON pointer into the payload
  /// (`{/pull_request/number}`), or a group of `pattern` (`{1}`, `{name}`).
  /// `{{` and `}}` are braces. A value that is not there: no key.
  std::string key{};
  /// With a pattern: the path or pointer of the text it is looked for in.
  std::string field{};
  /// RE2. Each match gives a key, at most 20.
  std::string pattern{};
  float confidence = 1;
  /// Seconds; 0: for ever. See `correlation_key::window`.
  uint32_t window = 0;

  bool operator==(const declarative_rule&) const = default;
};

/// Where a rule is from.
enum class rule_origin : uint8_t { built_in, configuration, program, store };

/// One rule of a node, and how it is doing there.
struct rule_state {
  std::string name;
  bool enabled = true;
  uint64_t applied = 0;
  uint64_t failures = 0;
  rule_origin origin = rule_origin::program;
  /// Nothing for a rule with code.
  std::optional<declarative_rule> definition{};
};

} // namespace eventweft::correlation
