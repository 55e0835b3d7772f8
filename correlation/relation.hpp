// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace eventweft::correlation {

/// What the words before a reference make of it.
enum class relation : uint8_t {
  none,
  /// "fixes", "closes", "resolves", …
  closes,
  /// "part of", "refs", "related to", "towards", …: Linear's other words.
  part_of,
  /// "reverts", "follow-up to", "backport of", "supersedes", …
  follows,
  /// "Issue:", "Ticket:": a label, but no statement.
  labelled,
  /// "depends on", "blocked by", "such as", "similar to": other work.
  other_work,
  /// "does not fix", "unrelated to", "skip".
  denied,
};

/// True for the relations that say that both are one piece of work.
constexpr bool is_magic(relation r) noexcept {
  return r == relation::closes || r == relation::part_of ||
         r == relation::follows;
}

/// What the last words say the next number is.
enum class number_noun : uint8_t { any, pr, issue, commit };

/// Follows the words of a text and says what relation holds for a reference
/// that stands right here. Constant memory, linear time.
class relation_tracker {
 public:
  void word(std::string_view text) noexcept;
  /// Anything that is neither a word nor blank; of dashes only those that stand
  /// between words, as `-`.
  void mark(char c) noexcept;
  void line_end(bool blank_line) noexcept;
  /// A reference stands here: what follows in the same list has its relation.
  void reference() noexcept;
  /// A new text, or something that no sentence goes across.
  void reset() noexcept { *this = relation_tracker{}; }

  relation current() const noexcept {
    // "It is not ENG-42."
    return active_ == relation::none && since_denial_ == 0 ? relation::denied
                                                           : active_;
  }
  number_noun noun() const noexcept { return noun_; }
  /// Where the word stands that says the current relation: the first character
  /// of "fixes", of "part of". Null if there is no such word.
  const char* said_at() const noexcept {
    return active_ == relation::none || active_ == relation::labelled
               ? nullptr
               : said_at_;
  }

 private:
  void start(relation r, const char* said_at) noexcept;

  relation active_ = relation::none;
  const char* said_at_ = nullptr;
  // Waits for its second word: "part" for "of".
  relation half_ = relation::none;
  const char* half_at_ = nullptr;
  // Says whether a list in the lines below belongs to it: "Fixes:".
  bool colon_ = false;
  // Nothing has come behind the colon so far, be it on its own line or below a
  // blank one: "Fixes: N/A" takes no list along.
  bool colon_empty_ = false;
  // Words that are no relation's stood there: with no reference among them up
  // to a blank line, the list below that is another.
  bool prose_ = false;
  relation colon_relation_ = relation::none;
  bool label_ = false;
  bool linear_label_ = false;
  bool in_list_ = false;
  // A reference stands in this line.
  bool in_line_ = false;
  number_noun noun_ = number_noun::any;
  uint8_t since_denial_ = 255;
  uint8_t since_seeming_ = 255;
  uint8_t since_pull_ = 255;
};

} // namespace eventweft::correlation
