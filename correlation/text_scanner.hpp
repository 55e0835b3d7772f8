// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/keys.hpp"
#include "correlation/relation.hpp"
#include "correlation/vocabulary.hpp"
#include "messages/correlation_key.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::correlation {

/// How a text is written.
enum class markup : uint8_t {
  /// One line or several, nothing special but URLs: titles, log lines.
  plain,
  /// GitHub's and Linear's.
  markdown,
  /// Slack's: `<url|label>`, `&gt;`, `*bold*`.
  slack,
};

/// How a reference is spelt.
enum class reference_shape : uint8_t {
  url,
  /// ENG-42
  linear_id,
  /// eng-42 in running text
  linear_id_loose,
  /// #12
  number,
  /// octo/repo#12
  full_number,
  /// 40 hex digits, or 7 to 39
  sha,
};

/// Something that a text refers to. Views point into the text.
struct reference {
  std::string key;
  /// For a number that may be either: the issue's key, where `key` is the
  /// pull request's.
  std::string or_issue;
  correlation_noun to = correlation_noun::none;
  reference_shape shape = reference_shape::url;
  relation rel = relation::none;
  /// Its team is known, or nothing needs to be known.
  bool known = true;
  /// "PR #12", "Merge pull request #12"; or "(#12)" at the end of the first
  /// line.
  bool emphatic = false;
  /// As in `correlation_key`.
  std::string needs;
  std::string_view matched;
  /// The same with the word before it that says what it has to do with the
  /// text, as in "fixes #12"; empty if there is none near.
  std::string_view with_word{};
  /// Byte offset of `matched`.
  size_t at = 0;
};

struct scan_options {
  markup how = markup::markdown;
  /// What `#12` counts in; may be empty.
  repository repo;
  /// Null: no team is known.
  const vocabulary* known = nullptr;
  /// Leaves out what is folded away, where programs quote others.
  bool skip_details = false;
  /// No more than this many bytes are read; 0: all.
  size_t max_bytes = 256u << 10;
};

/// Appends what `text` refers to, in the order of the text, repetitions
/// included. Leaves out code blocks, quotes, HTML comments, images, the labels
/// of links, and what only looks like an id. Takes any bytes; linear time.
void scan_text(std::string_view text, const scan_options& options,
               std::vector<reference>& out);

/// Appends the Linear issues that a branch name such as
/// "alice/eng-42-fix-login" is for, and the GitHub issue in "issue-45-title".
void scan_branch(std::string_view name, const scan_options& options,
                 std::vector<reference>& out);

} // namespace eventweft::correlation
