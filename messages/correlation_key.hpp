// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft {

/// What one end of a correlation is. Append only: the numbers travel between
/// nodes.
enum class correlation_noun : uint8_t {
  /// The other end of an identity: the event is what its key names.
  none = 0,
  pr = 1,
  issue = 2,
  commit = 3,
  branch = 4,
  /// A comment on a pull request or an issue.
  comment = 5,
  review = 6,
  /// A check, a check suite, a workflow run or job, a commit status.
  check = 7,
  deployment = 8,
  /// Somebody who writes about it: a chat message, a description.
  mention = 9,
  /// A chat thread.
  thread = 10,
  /// Any other event.
  event = 11,
  trace = 12,
  custom = 13,
  /// Of a link: the other end is what caused the event.
  cause = 14,
};

/// What kind of link a key is: "pr_to_issue", "deployment_to_commit", …;
/// "identity" for what an event is itself; "fact" for what it teaches (see
/// `correlation_key::is_fact`).
struct correlation_type {
  correlation_noun from = correlation_noun::event;
  correlation_noun to = correlation_noun::none;

  bool operator==(const correlation_type&) const = default;
};

std::string to_string(correlation_type type);
std::optional<correlation_type> parse_correlation_type(std::string_view text);

/// One thing that a rule read out of an event, together with why.
struct correlation_key {
  /// Canonical (`correlation/keys.hpp`): `github:pr:octo/repo#12`. Of a fact:
  /// its name, such as `linear:team:ENG`.
  std::string key;
  correlation_type type;
  /// 0 … 1. Only keys at or above the linking threshold join threads; the
  /// others are kept as evidence.
  float confidence = 1;
  /// Empty, or the fact that must be known before this key links, and then
  /// links with confidence 1: `linear:team:ENG`, `git:sha7:1a2b3c4`,
  /// `slack:channel:C024BE91L`.
  std::string needs;
  /// The name of the rule.
  std::string rule;
  /// Where in the event: "pull_request.title".
  std::string field;
  /// The text that was found there; of a fact, its value.
  std::string matched;
  /// Seconds; 0: for ever. An event does not link through a key that was last
  /// seen longer ago than this.
  uint32_t window = 0;
  /// Read out of running text, not out of a field that means it.
  bool from_text = false;

  bool is_identity() const noexcept {
    return type.to == correlation_noun::none && !is_fact();
  }
  /// Not a link: something that the event teaches, true of all later events
  /// and of all earlier ones that waited for it.
  bool is_fact() const noexcept { return type.from == correlation_noun::none; }

  bool operator==(const correlation_key&) const = default;
};

} // namespace eventweft
