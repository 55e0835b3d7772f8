// SPDX-License-Identifier: Apache-2.0
#include "correlation/relation.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace eventweft::correlation {

namespace {

enum class role : uint8_t {
  magic,     // starts its relation at once
  half,      // starts it if a connector follows
  glue,      // may stand between
  connector, // "of", "to": glue, and completes a half
  deny,      // "not"
  seem,      // "looks", which makes "like" harmless
  pr_word,
  pull_word,
  request_word,
  issue_word,
  commit_word,
};

struct entry {
  std::string_view word;
  role what;
  relation rel = relation::none;
};

// Sorted.
constexpr entry words[] = {
    {"a", role::glue},
    {"address", role::magic, relation::closes},
    {"addressed", role::magic, relation::closes},
    {"addresses", role::magic, relation::closes},
    {"addressing", role::magic, relation::closes},
    {"also", role::glue},
    {"and", role::glue},
    {"as", role::connector},
    {"backport", role::half, relation::follows},
    {"backports", role::magic, relation::follows},
    {"based", role::half, relation::other_work},
    {"blocked", role::half, relation::other_work},
    {"blocking", role::magic, relation::other_work},
    {"blocks", role::magic, relation::other_work},
    {"both", role::glue},
    {"bug", role::issue_word},
    {"bugs", role::issue_word},
    {"by", role::connector},
    {"can't", role::deny},
    {"cannot", role::deny},
    {"cherry", role::glue},
    {"cherry-picked", role::half, relation::follows},
    {"cherrypick", role::half, relation::follows},
    {"close", role::magic, relation::closes},
    {"closed", role::magic, relation::closes},
    {"closes", role::magic, relation::closes},
    {"closing", role::magic, relation::closes},
    {"commit", role::commit_word},
    {"commits", role::commit_word},
    {"compared", role::half, relation::other_work},
    {"complete", role::magic, relation::closes},
    {"completed", role::magic, relation::closes},
    {"completes", role::magic, relation::closes},
    {"completing", role::magic, relation::closes},
    {"conflicts", role::half, relation::other_work},
    {"continuation", role::half, relation::follows},
    {"contributes", role::half, relation::part_of},
    {"couldn't", role::deny},
    {"depend", role::half, relation::other_work},
    {"depends", role::half, relation::other_work},
    {"didn't", role::deny},
    {"different", role::half, relation::other_work},
    {"doesn't", role::deny},
    {"don't", role::deny},
    {"dup", role::half, relation::follows},
    {"duplicate", role::half, relation::follows},
    {"duplicates", role::magic, relation::follows},
    {"e.g", role::magic, relation::other_work},
    {"eg", role::magic, relation::other_work},
    {"example", role::magic, relation::other_work},
    {"feels", role::seem},
    {"finally", role::glue},
    {"fix", role::magic, relation::closes},
    {"fixed", role::magic, relation::closes},
    {"fixes", role::magic, relation::closes},
    {"fixing", role::magic, relation::closes},
    {"follow-up", role::half, relation::follows},
    {"followup", role::half, relation::follows},
    {"for", role::connector},
    {"format", role::magic, relation::other_work},
    {"from", role::connector},
    {"fully", role::glue},
    {"github", role::glue},
    {"ignore", role::magic, relation::denied},
    {"ignores", role::magic, relation::denied},
    {"implement", role::magic, relation::closes},
    {"implemented", role::magic, relation::closes},
    {"implementing", role::magic, relation::closes},
    {"implements", role::magic, relation::closes},
    {"in", role::connector},
    {"instead", role::half, relation::other_work},
    {"isn't", role::deny},
    {"issue", role::issue_word},
    {"issues", role::issue_word},
    {"like", role::magic, relation::other_work},
    {"linear", role::glue, relation::labelled},
    {"look", role::seem},
    {"looked", role::seem},
    {"looks", role::seem},
    {"never", role::deny},
    {"not", role::deny},
    {"of", role::connector},
    {"on", role::connector},
    {"part", role::half, relation::part_of},
    {"partially", role::glue},
    {"partly", role::glue},
    {"picked", role::half, relation::follows},
    {"pr", role::pr_word},
    {"prs", role::pr_word},
    {"pull", role::pull_word},
    {"ref", role::magic, relation::part_of},
    {"references", role::magic, relation::part_of},
    {"referencing", role::magic, relation::part_of},
    {"refs", role::magic, relation::part_of},
    {"related", role::half, relation::part_of},
    {"relates", role::half, relation::part_of},
    {"replaces", role::magic, relation::follows},
    {"request", role::request_word},
    {"requests", role::request_word},
    {"requires", role::magic, relation::other_work},
    {"resolve", role::magic, relation::closes},
    {"resolved", role::magic, relation::closes},
    {"resolves", role::magic, relation::closes},
    {"resolving", role::magic, relation::closes},
    {"revert", role::magic, relation::follows},
    {"reverted", role::magic, relation::follows},
    {"reverting", role::magic, relation::follows},
    {"reverts", role::magic, relation::follows},
    {"seem", role::seem},
    {"seems", role::seem},
    {"similar", role::half, relation::other_work},
    {"skip", role::magic, relation::denied},
    {"skips", role::magic, relation::denied},
    {"sounds", role::seem},
    {"story", role::issue_word},
    {"such", role::half, relation::other_work},
    {"supersedes", role::magic, relation::follows},
    {"task", role::issue_word},
    {"tasks", role::issue_word},
    {"the", role::glue},
    {"this", role::glue},
    {"ticket", role::issue_word},
    {"tickets", role::issue_word},
    {"to", role::connector},
    {"toward", role::magic, relation::part_of},
    {"towards", role::magic, relation::part_of},
    {"undo", role::magic, relation::follows},
    {"undoes", role::magic, relation::follows},
    {"unlike", role::magic, relation::other_work},
    {"unrelated", role::half, relation::denied},
    {"up", role::glue},
    {"via", role::connector},
    {"waiting", role::half, relation::other_work},
    {"wasn't", role::deny},
    {"with", role::connector},
    {"without", role::deny},
    {"won't", role::deny},
    {"wouldn't", role::deny},
};

constexpr size_t longest = 13;

// Where the words of each letter begin, and which lengths they have: most
// words of a text are turned away by these two.
struct letter {
  uint8_t first = 0;
  uint8_t last = 0;
  uint16_t lengths = 0;
};

constexpr auto letters = [] {
  std::array<letter, 26> out{};
  for (size_t i = 0; i < std::size(words); ++i) {
    auto& l = out[static_cast<size_t>(words[i].word[0] - 'a')];
    if (l.lengths == 0)
      l.first = static_cast<uint8_t>(i);
    l.last = static_cast<uint8_t>(i + 1);
    l.lengths = static_cast<uint16_t>(l.lengths | 1u << words[i].word.size());
  }
  return out;
}();

static_assert(std::size(words) < 256);
static_assert(std::is_sorted(std::begin(words), std::end(words),
                             [](const entry& a, const entry& b) {
                               return a.word < b.word;
                             }));
static_assert(std::all_of(std::begin(words), std::end(words),
                          [](const entry& e) {
                            return e.word.size() <= longest;
                          }));

constexpr char fold(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

const entry* find(std::string_view word) noexcept {
  if (word.empty() || word.size() > longest)
    return nullptr;
  const char c = fold(word[0]);
  if (c < 'a' || c > 'z')
    return nullptr;
  const auto& l = letters[static_cast<size_t>(c - 'a')];
  if ((l.lengths >> word.size() & 1u) == 0)
    return nullptr;
  for (size_t i = l.first; i < l.last; ++i) {
    const auto& e = words[i];
    if (e.word.size() == word.size() &&
        std::equal(word.begin(), word.end(), e.word.begin(),
                   [](char a, char b) { return fold(a) == b; }))
      return &e;
  }
  return nullptr;
}

// "fixed in #12" goes on, "the same fix as #12" does not.
bool leads_on(std::string_view connector) noexcept {
  return connector != "as" && connector != "from" && connector != "with";
}

} // namespace

void relation_tracker::start(relation r, const char* said_at) noexcept {
  said_at_ = said_at;
  active_ = since_denial_ <= 3 && is_magic(r) ? relation::denied : r;
  half_ = relation::none;
  colon_ = false;
  label_ = false;
  in_list_ = false;
  noun_ = number_noun::any;
}

void relation_tracker::word(std::string_view text) noexcept {
  const auto age = [](uint8_t& n) { n = n < 254 ? n + 1 : n; };
  age(since_denial_);
  age(since_seeming_);
  age(since_pull_);
  const bool linear_before = linear_label_;
  label_ = false;
  linear_label_ = false;
  const auto* known = find(text);
  if (!known) {
    active_ = relation::none;
    half_ = relation::none;
    noun_ = number_noun::any;
    colon_ = colon_ && !colon_empty_;
    prose_ = true;
    return;
  }
  switch (known->what) {
  case role::magic:
    if (known->rel == relation::other_work && since_seeming_ <= 1)
      return;
    start(known->rel, text.data());
    return;
  case role::half:
    active_ = relation::none;
    half_at_ = text.data();
    half_ = since_denial_ <= 3 && is_magic(known->rel) ? relation::denied
                                                       : known->rel;
    noun_ = number_noun::any;
    return;
  case role::connector:
    if (half_ != relation::none) {
      const auto r = half_;
      start(r, half_at_);
      active_ = r;
    } else if (active_ == relation::none || !leads_on(text)) {
      active_ = relation::none;
      noun_ = number_noun::any;
    }
    return;
  case role::glue:
    linear_label_ = label_ = known->rel == relation::labelled;
    return;
  case role::deny:
    since_denial_ = 0;
    active_ = relation::none;
    half_ = relation::none;
    return;
  case role::seem:
    since_seeming_ = 0;
    active_ = relation::none;
    half_ = relation::none;
    return;
  case role::pull_word:
    since_pull_ = 0;
    return;
  case role::request_word:
    if (since_pull_ <= 1)
      noun_ = number_noun::pr;
    return;
  case role::pr_word:
    noun_ = number_noun::pr;
    label_ = true;
    return;
  case role::issue_word:
    noun_ = number_noun::issue;
    label_ = true;
    linear_label_ = linear_before;
    return;
  case role::commit_word:
    noun_ = number_noun::commit;
    return;
  }
}

void relation_tracker::mark(char c) noexcept {
  switch (c) {
  case ':':
    if (active_ == relation::none && label_) {
      active_ = linear_label_ ? relation::part_of : relation::labelled;
      said_at_ = nullptr;
    }
    colon_ = colon_empty_ = active_ != relation::none;
    colon_relation_ = active_;
    prose_ = false;
    in_list_ = false;
    since_denial_ = 255;
    return;
  case '.':
  case '!':
  case '?':
  case ';':
    active_ = relation::none;
    half_ = relation::none;
    noun_ = number_noun::any;
    since_denial_ = 255;
    return;
  case ',':
    since_denial_ = 255;
    return;
  case '-':
    // "Fixes #74 - #61 is still open"
    if (in_line_)
      active_ = half_ = relation::none;
    return;
  default:
    return;
  }
}

void relation_tracker::line_end(bool blank_line) noexcept {
  since_denial_ = 255;
  in_line_ = false;
  // "Fixes:" takes the list below with it, also after one blank line.
  if (colon_ && (!blank_line || (!in_list_ && !prose_))) {
    active_ = colon_relation_;
    colon_empty_ = blank_line;
    return;
  }
  active_ = relation::none;
  half_ = relation::none;
  noun_ = number_noun::any;
  colon_ = false;
  in_list_ = false;
}

void relation_tracker::reference() noexcept {
  in_list_ = true;
  in_line_ = true;
  colon_empty_ = false;
  half_ = relation::none;
  since_denial_ = 255;
}

} // namespace eventweft::correlation
