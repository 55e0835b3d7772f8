// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/text_scanner.hpp"
#include "messages/ascii.hpp"

#include <algorithm>
#include <array>

/// The inside of `scan_text`; nobody else includes this.
namespace eventweft::correlation::detail {

inline constexpr size_t max_code_span = 2'000;
inline constexpr size_t max_label = 500;
inline constexpr size_t max_tag = 2'000;
// Linear's team keys have at most seven characters; digits stay below a
// million.
inline constexpr size_t max_team = 7;
inline constexpr size_t max_id_digits = 6;
// How far before a reference the word stands that is shown with it.
inline constexpr size_t max_before_reference = 60;

inline bool is_alpha(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
inline bool is_alnum(char c) noexcept {
  return is_alpha(c) || is_digit(c);
}
inline bool is_word(char c) noexcept {
  return is_alnum(c) || c == '_';
}
inline bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}
inline bool is_name(char c) noexcept {
  return is_word(c) || c == '-' || c == '.';
}

/// One pass over one text.
class scanner {
 public:
  scanner(std::string_view text, const scan_options& options,
          std::vector<reference>& out)
      : text_(text), options_(options), out_(out) {}

  void run() {
    start_of_line();
    while (i_ < text_.size())
      step();
    // Ids that the text links to another tracker are not Linear's.
    if (!foreign_.empty())
      std::erase_if(out_, [&](const reference& r) {
        return (r.shape == reference_shape::linear_id ||
                r.shape == reference_shape::linear_id_loose) &&
               std::find(foreign_.begin(), foreign_.end(), r.key) !=
                   foreign_.end();
      });
  }

 private:
  char at(size_t i) const noexcept { return i < text_.size() ? text_[i] : 0; }
  char before(size_t i) const noexcept { return i > 0 ? text_[i - 1] : 0; }
  std::string_view from(size_t i) const noexcept { return text_.substr(i); }
  bool is(markup how) const noexcept { return options_.how == how; }

  void step();

  // -- lines ------------------------------------------------------------------

  void end_of_line();

  // Called at the first character of a line; passes over those that are code
  // or quoted.
  void start_of_line();

  // "Co-authored-by: web-3 <…>": names of people.
  static bool is_trailer(std::string_view line) noexcept;

  void skip_line() noexcept;

  // A fenced block at `p`, to its end or that of the text. False if it is
  // Slack's ``` with text behind it on the line, which `code_span` reads.
  bool skip_fence(size_t p) noexcept;

  // -- code, tags, links ------------------------------------------------------

  void code_span();

  void angle();

  size_t find_near(char c, size_t start) const noexcept;

  static char tag_after(std::string_view tag, std::string_view name) noexcept;

  void skip_to_close(std::string_view name);

  // Folds within folds; what is not closed is folded to the end.
  void skip_details();

  void anchor(std::string_view tag);

  void slack_angle();

  // The text of a link, unless its target says what it is about.
  void label(size_t start, size_t end, std::string_view target);

  bool skip_image() noexcept;

  size_t matching(size_t open) const noexcept;

  void bracket();

  // ~~taken back~~; Slack's has one tilde.
  void strike() noexcept;

  // How many bytes a dash between two words has; 0 if none begins here.
  size_t dash_at(size_t start) const noexcept;

  void entity() noexcept;

  // -- references -------------------------------------------------------------

  // True if it was one that we know.
  bool url(std::string_view target);

  // "https://acme.atlassian.net/browse/ENG-42"
  void note_foreign(std::string_view target);

  void resolve_thread(reference& r) const;

  void add(reference r, std::string_view matched);

  size_t url_end(size_t start) const noexcept;

  bool try_url(size_t start);

  void word();

  // "doesn't", "follow-up" and "e.g" are one word to the relations.
  void sentence_word(size_t start, size_t end);

  bool sha(std::string_view w, size_t start);

  // `hyphen`: its bytes.
  bool linear_id(std::string_view team, size_t start, size_t hyphen);

  // The hyphen at `i`, plain or typographic; 0 if there is none.
  size_t hyphen_at(size_t i) const noexcept;

  // "fix/ENG-42": whether what is in front of the slash before `start` says
  // what kind of work it is.
  bool is_typed(size_t start) const noexcept;

  // GitHub reads GH-12 as #12.
  bool github_id(uint64_t n, std::string_view matched);

  void add_number(const repository& repo, uint64_t n, reference_shape shape,
                  std::string_view matched);

  void number();

  // "octo/repo#12" and "octo/repo@1a2b3c4…".
  bool owner_repo(size_t start);

  std::string_view text_;
  const scan_options& options_;
  std::vector<reference>& out_;
  relation_tracker words_;
  std::vector<std::string> foreign_;
  size_t i_ = 0;
  size_t last_end_ = static_cast<size_t>(-2);
  bool blank_line_ = false;
  bool after_blank_ = true;
  bool first_line_ = true;
  bool in_list_ = false;
  // By the first letter of its name: a tag that has no end from here on is
  // looked for once only.
  std::array<bool, 26> unclosed_{};
  bool code_ = false;
  bool in_label_ = false;
};

} // namespace eventweft::correlation::detail
