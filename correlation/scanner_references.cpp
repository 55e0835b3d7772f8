// SPDX-License-Identifier: Apache-2.0
#include "correlation/lookalikes.hpp"
#include "correlation/scanner.hpp"
#include "correlation/url_reference.hpp"
#include "messages/ascii.hpp"

#include <algorithm>

namespace eventweft::correlation::detail {

bool scanner::url(std::string_view target) {
  if (in_label_)
    return false;
  const auto found = read_url(target);
  if (!found) {
    note_foreign(target);
    return false;
  }
  for (const auto& key : found->keys) {
    reference r;
    r.key = key.key;
    r.to = key.to;
    r.needs = key.needs;
    r.shape = reference_shape::url;
    // GitHub leads from an issue's address to the pull request of that number.
    if (constexpr std::string_view issue = "github:issue:";
        r.key.starts_with(issue)) {
      r.or_issue = r.key;
      r.key.replace(0, issue.size(), "github:pr:");
      r.to = correlation_noun::pr;
    }
    resolve_thread(r);
    add(std::move(r), target);
  }
  return true;
}

void scanner::note_foreign(std::string_view target) {
  constexpr std::string_view browse = "/browse/";
  const auto at = target.find(browse);
  if (at == std::string_view::npos || foreign_.size() >= 20)
    return;
  auto id = target.substr(at + browse.size());
  id = id.substr(0, id.find_first_of("?#/"));
  const auto hyphen = id.find('-');
  if (hyphen == std::string_view::npos)
    return;
  if (const auto n = parse_number(id.substr(hyphen + 1)))
    foreign_.push_back(linear_key(id.substr(0, hyphen), *n));
}

void scanner::resolve_thread(reference& r) const {
  if (r.needs.empty() || !options_.known)
    return;
  if (const auto value = options_.known->value_of(r.needs)) {
    r.key = resolve_key(r.key, *value);
    r.needs.clear();
  }
}

void scanner::add(reference r, std::string_view matched) {
  r.rel = words_.current();
  r.matched = matched;
  r.at = static_cast<size_t>(matched.data() - text_.data());
  if (const auto* word = is_magic(r.rel) ? words_.said_at() : nullptr)
    if (const auto from = static_cast<size_t>(word - text_.data());
        from < r.at && r.at - from <= max_before_reference)
      r.with_word = text_.substr(from, r.at + matched.size() - from);
  words_.reference();
  last_end_ = r.at + matched.size();
  out_.push_back(std::move(r));
}

size_t scanner::url_end(size_t start) const noexcept {
  size_t end = start;
  int round = 0;
  while (end < text_.size()) {
    const char c = text_[end];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '<' ||
        c == '>' || c == '"' || c == '`' || c == '|' || c == '\\' || c == '{' ||
        c == '}' || c == '^' || c == '[' || c == ']' ||
        static_cast<unsigned char>(c) >= 0x80)
      break;
    if (c == '(')
      ++round;
    else if (c == ')' && --round < 0)
      break;
    ++end;
  }
  while (end > start) {
    const char c = text_[end - 1];
    if (c == '.' || c == ',' || c == ';' || c == ':' || c == '!' || c == '?' ||
        c == '\'' || c == '*' || c == '_' || c == '~')
      --end;
    else
      break;
  }
  return end;
}

bool scanner::try_url(size_t start) {
  const auto rest = from(start);
  const bool scheme = starts_with_folded(rest, "http://") ||
                      starts_with_folded(rest, "https://");
  const bool bare = !scheme && before(start) != '/' && before(start) != '.' &&
                    before(start) != '@' &&
                    (starts_with_folded(rest, "github.com/") ||
                     starts_with_folded(rest, "linear.app/") ||
                     starts_with_folded(rest, "www.github.com/"));
  if (!scheme && !bare)
    return false;
  const size_t end = url_end(start);
  url(text_.substr(start, end - start));
  i_ = end;
  return true;
}

void scanner::word() {
  const size_t start = i_;
  const char c = text_[start];
  if ((c == 'h' || c == 'H' || c == 'g' || c == 'G' || c == 'l' || c == 'L' ||
       c == 'w' || c == 'W') &&
      try_url(start))
    return;
  size_t end = start;
  bool hex = true;
  while (end < text_.size() && is_word(text_[end])) {
    hex = hex && hex_value(text_[end]) >= 0;
    ++end;
  }
  const auto w = text_.substr(start, end - start);
  i_ = end;
  if (hex && w.size() >= 7 && sha(w, start))
    return;
  if (const auto hyphen = hyphen_at(end);
      hyphen != 0 && is_digit(at(end + hyphen)) && linear_id(w, start, hyphen))
    return;
  if (at(end) == '/' || at(end) == '-' || at(end) == '.')
    if (owner_repo(start))
      return;
  if (before(start) == '/' || at(end) == '/') {
    // Part of a path.
    words_.word("/");
    return;
  }
  sentence_word(start, end);
}

void scanner::sentence_word(size_t start, size_t end) {
  for (;;) {
    const char c = at(end);
    size_t skip = 0;
    if ((c == '\'' || c == '-' || c == '.') && is_alpha(at(end + 1)))
      skip = 1;
    else if (from(end).starts_with("\xe2\x80\x99") && is_alpha(at(end + 3)))
      skip = 3;
    if (skip == 0 || end - start > 40)
      break;
    end += skip;
    while (end < text_.size() && is_word(text_[end]))
      ++end;
    if (skip == 3) {
      std::string plain{text_.substr(start, end - start)};
      plain.replace(plain.find("\xe2\x80\x99"), 3, "'");
      words_.word(plain);
      i_ = end;
      return;
    }
    if (at(end) == '-' && is_digit(at(end + 1)))
      break;
  }
  auto w = text_.substr(start, end - start);
  // "_Fixes_"
  while (w.ends_with('_'))
    w.remove_suffix(1);
  words_.word(w);
  i_ = end;
  // This full stop ends no sentence.
  if (at(end) == '.' && (starts_with_folded(w, "e.g") || w == "eg"))
    ++i_;
}

bool scanner::sha(std::string_view w, size_t start) {
  const size_t end = start + w.size();
  const char left = before(start);
  const char right = at(end);
  constexpr std::string_view joined = "-_./:=#$%&+~\\";
  if (w.size() > 40 || (left && joined.find(left) != joined.npos) ||
      right == '-' || right == '_' || right == '=' || right == ':' ||
      right == '/' || right == '@' || (right == '.' && is_word(at(end + 1))))
    return false;
  const bool digit = std::any_of(w.begin(), w.end(), is_digit);
  const bool letter = std::any_of(w.begin(), w.end(), is_alpha);
  const bool mixed = w != lower(w) && w != upper(w);
  if (!digit || !letter || mixed)
    return false;
  reference r;
  r.shape = reference_shape::sha;
  r.to = correlation_noun::commit;
  r.key = "git:sha:" + lower(w);
  if (w.size() < 40) {
    r.needs = sha_fact(w);
    r.known = false;
  }
  r.emphatic = words_.noun() == number_noun::commit;
  add(std::move(r), w);
  return true;
}

size_t scanner::hyphen_at(size_t i) const noexcept {
  if (at(i) == '-')
    return 1;
  const auto rest = from(std::min(i, text_.size()));
  return rest.starts_with("\xe2\x80\x91") || rest.starts_with("\xe2\x80\x90")
             ? 3
             : 0;
}

bool scanner::is_typed(size_t start) const noexcept {
  if (before(start) != '/')
    return false;
  size_t first = start - 1;
  while (first > 0 && is_alpha(text_[first - 1]))
    --first;
  const char left = before(first);
  if (left && !is_blank(left) && left != '\n' && left != '[' && left != '(' &&
      left != '"' && left != '`')
    return false;
  const auto kind = text_.substr(first, start - 1 - first);
  for (std::string_view known :
       {"fix", "fixes", "bug", "bugfix", "hotfix", "feature", "feat",
        "enhancement", "improvement", "chore", "docs", "refactor", "test", "ci",
        "build", "perf", "task", "story", "wip"})
    if (kind.size() == known.size() && starts_with_folded(kind, known))
      return true;
  return false;
}

bool scanner::linear_id(std::string_view team, size_t start, size_t hyphen) {
  const size_t digits = start + team.size() + hyphen;
  size_t end = digits;
  while (is_digit(at(end)))
    ++end;
  const auto number = parse_number(text_.substr(digits, end - digits));
  if (!number || end - digits > max_id_digits || team.size() > max_team ||
      !is_alpha(team[0]) || team.find('_') != team.npos)
    return false;
  const char left = before(start);
  const char right = at(end);
  const bool list_slash = left == '/' && last_end_ + 1 == start;
  // "alice/eng-42-title", "eng-42-title": a branch somebody names.
  const bool branch = right == '-' && is_alpha(at(end + 1)) && !in_label_ &&
                      (left == '/' || !left || is_blank(left) || left == '\n' ||
                       left == '`' || left == '(' || left == '"');
  const auto folded = upper(team);
  const bool caps = team == folded;
  constexpr std::string_view joined = "-./@$%&\\~+";
  if (left && joined.find(left) != joined.npos && !list_slash &&
      !(branch && left == '/') && !(caps && right != '/' && is_typed(start)))
    return false;
  if (left == '_' && start > 1 && is_word(text_[start - 2]))
    return false;
  if (is_alnum(right) || (right == '_' && is_word(at(end + 1))) ||
      right == '@' || right == '%' ||
      (right == '\\' && is_alnum(at(end + 1))) ||
      (right == '-' && is_alnum(at(end + 1)) && !branch) ||
      (right == '.' && is_alnum(at(end + 1))) ||
      (right == ':' && is_digit(at(end + 1))) ||
      (right == '/' && is_alnum(at(end + 1)) && !is_alpha(at(end + 1))))
    return false;
  const auto trust = trust_in_id(folded, *number);
  const auto matched = text_.substr(start, end - start);
  const bool known = options_.known && options_.known->knows_team(folded);
  if (trust == id_trust::never)
    return false;
  // Whether the team is known must not change what is found, only how sure
  // it is: it may become known later.
  if (right == '/' && is_alpha(at(end + 1)) && !caps)
    return false;
  if ((branch || !caps) && trust != id_trust::open)
    return false;
  // "image:eng-42", "name=eng-42"
  if (!caps && (left == ':' || left == '='))
    return false;
  if (folded == "GH")
    return github_id(*number, matched);
  reference r;
  r.to = correlation_noun::issue;
  r.key = linear_key(folded, *number);
  r.shape = caps && !branch ? reference_shape::linear_id
                            : reference_shape::linear_id_loose;
  r.known = known;
  if (!known)
    r.needs = team_fact(folded);
  r.emphatic = caps && trust == id_trust::open;
  add(std::move(r), matched);
  i_ = end;
  if (branch)
    while (is_name(at(i_)) && at(i_) != '.')
      ++i_;
  return true;
}

bool scanner::github_id(uint64_t n, std::string_view matched) {
  if (options_.repo.empty())
    return false;
  add_number(options_.repo, n, reference_shape::number, matched);
  i_ = static_cast<size_t>(matched.data() - text_.data()) + matched.size();
  return true;
}

void scanner::add_number(const repository& repo, uint64_t n,
                         reference_shape shape, std::string_view matched) {
  reference r;
  r.shape = shape;
  const auto noun = words_.noun();
  // Nothing but an issue can be closed.
  const bool issue = noun == number_noun::issue;
  r.emphatic = noun == number_noun::pr;
  if (issue) {
    r.key = issue_key(repo, n);
    r.to = correlation_noun::issue;
  } else {
    r.key = pr_key(repo, n);
    r.to = correlation_noun::pr;
    if (noun != number_noun::pr)
      r.or_issue = issue_key(repo, n);
  }
  add(std::move(r), matched);
}

void scanner::number() {
  const size_t start = i_++;
  const char left = before(start);
  size_t end = i_;
  while (is_digit(at(end)))
    ++end;
  const auto n = parse_number(text_.substr(i_, end - i_));
  if (!n || code_ || is_word(left) || left == '/' || left == '#' ||
      left == '&' || left == '-' || left == '.' || left == '=' ||
      is_alnum(at(end)) || (at(end) == '_' && is_word(at(end + 1))) ||
      (at(end) == '-' && is_alnum(at(end + 1))) ||
      (at(end) == '.' && is_digit(at(end + 1))) ||
      (at(end) == ']' && at(end + 1) == '('))
    return;
  const auto matched = text_.substr(start, end - start);
  i_ = end;
  if (options_.repo.empty())
    return;
  add_number(options_.repo, *n, reference_shape::number, matched);
  // "Fix login (#12)": how squash merges name their pull request, and
  // reverts theirs: Revert "Fix login (#12)".
  if (first_line_ && left == '(' && at(end) == ')') {
    size_t rest = end + 1;
    while (is_blank(at(rest)))
      ++rest;
    if (rest >= text_.size() || text_[rest] == '\n' || text_[rest] == '"')
      out_.back().emphatic = true;
  }
}

bool scanner::owner_repo(size_t start) {
  const char left = before(start);
  if (left == '/' || left == '.' || left == '-' || left == '@' || left == ':' ||
      left == '#')
    return false;
  size_t slash = start;
  while (slash - start <= 64 &&
         (is_alnum(at(slash)) || at(slash) == '-' || at(slash) == '.'))
    ++slash;
  if (at(slash) != '/')
    return false;
  size_t end = slash + 1;
  while (end - slash <= 110 && is_name(at(end)))
    ++end;
  const char sign = at(end);
  if (end == slash + 1 || (sign != '#' && sign != '@'))
    return false;
  const auto repo =
      repository_of(text_.substr(start, end - start), options_.repo.host);
  size_t last = end + 1;
  while (last - end <= 41 && is_alnum(at(last)))
    ++last;
  if (!repo || at(last) == '_' || (at(last) == '-' && is_alnum(at(last + 1))))
    return false;
  const auto tail = text_.substr(end + 1, last - end - 1);
  const auto matched = text_.substr(start, last - start);
  if (sign == '#') {
    const auto n = parse_number(tail);
    if (!n)
      return false;
    add_number(*repo, *n, reference_shape::full_number, matched);
    i_ = last;
    return true;
  }
  if (tail.size() < 7 || tail.size() > 40 || !is_hex(tail))
    return false;
  reference r;
  r.shape = reference_shape::sha;
  r.to = correlation_noun::commit;
  r.key = "git:sha:" + lower(tail);
  r.emphatic = true;
  if (tail.size() < 40) {
    r.needs = sha_fact(tail);
    r.known = false;
  }
  add(std::move(r), matched);
  i_ = last;
  return true;
}

} // namespace eventweft::correlation::detail
