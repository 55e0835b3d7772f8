// SPDX-License-Identifier: Apache-2.0
#include "correlation/text_scanner.hpp"

#include "correlation/lookalikes.hpp"
#include "correlation/url_reference.hpp"

#include <algorithm>

namespace eventweft::correlation {

namespace {

constexpr size_t max_code_span = 2'000;
constexpr size_t max_label = 500;
constexpr size_t max_tag = 2'000;
// Linear's team keys have at most seven characters; digits stay below a
// million.
constexpr size_t max_team = 7;
constexpr size_t max_id_digits = 6;

bool is_alpha(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) noexcept {
  return is_alpha(c) || is_digit(c);
}
bool is_word(char c) noexcept {
  return is_alnum(c) || c == '_';
}
bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}
bool is_name(char c) noexcept {
  return is_word(c) || c == '-' || c == '.';
}

bool starts_with_folded(std::string_view text, std::string_view low) noexcept {
  if (text.size() < low.size())
    return false;
  for (size_t i = 0; i < low.size(); ++i) {
    const char c = text[i];
    const char folded = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (folded != low[i])
      return false;
  }
  return true;
}

bool contains_folded(std::string_view text, std::string_view what) {
  return lower(text).find(lower(what)) != std::string::npos;
}

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

  void step() {
    const char c = text_[i_];
    if (c == '\n') {
      end_of_line();
    } else if (is_alnum(c)) {
      word();
    } else if (is_blank(c) || static_cast<unsigned char>(c) >= 0x80) {
      ++i_;
    } else {
      switch (c) {
      case '`':
        code_span();
        break;
      case '<':
        angle();
        break;
      case '[':
        bracket();
        break;
      case '!':
        if (at(i_ + 1) == '[' && is(markup::markdown) && skip_image())
          break;
        words_.mark(c);
        ++i_;
        break;
      case '~':
        strike();
        break;
      case '#':
        number();
        break;
      case '&':
        entity();
        break;
      case '@':
        // A name: no word of the sentence.
        for (++i_; i_ < text_.size() && is_name(text_[i_]);)
          ++i_;
        break;
      default:
        if (!(c == '.' && is_alnum(at(i_ + 1))))
          words_.mark(c);
        ++i_;
      }
    }
  }

  // -- lines ------------------------------------------------------------------

  void end_of_line() {
    ++i_;
    words_.line_end(blank_line_);
    if (!blank_line_)
      first_line_ = false;
    after_blank_ = blank_line_;
    start_of_line();
  }

  // Called at the first character of a line; passes over those that are code
  // or quoted.
  void start_of_line() {
    for (;;) {
      size_t p = i_;
      size_t indent = 0;
      while (p < text_.size() && is_blank(text_[p])) {
        indent += text_[p] == '\t' ? 4 : 1;
        ++p;
      }
      blank_line_ = p >= text_.size() || text_[p] == '\n';
      if (blank_line_)
        return;
      const auto rest = from(p);
      if (is(markup::plain)) {
        if (!is_trailer(rest))
          return;
        skip_line();
      } else if (rest.starts_with("```") || rest.starts_with("~~~")) {
        if (!skip_fence(p))
          return;
      } else if (rest.starts_with(">") || rest.starts_with("&gt;")) {
        // Slack's ">>>" quotes all that follows.
        if (is(markup::slack) &&
            (rest.starts_with(">>>") || rest.starts_with("&gt;&gt;&gt;")))
          i_ = text_.size();
        else
          skip_line();
      } else if (!is(markup::slack) && is_trailer(rest)) {
        skip_line();
      } else if (is(markup::markdown) && indent >= 4 && after_blank_ &&
                 !in_list_) {
        skip_line();
        after_blank_ = true;
      } else {
        const char c = rest[0];
        if ((c == '-' || c == '*' || c == '+') && rest.size() > 1 &&
            is_blank(rest[1]))
          in_list_ = true;
        else if (is_digit(c))
          in_list_ = in_list_ ||
                     rest.substr(0, 4).find(". ") != std::string_view::npos;
        else if (indent == 0)
          in_list_ = false;
        return;
      }
      if (i_ >= text_.size())
        return;
    }
  }

  // "Co-authored-by: web-3 <…>": names of people.
  static bool is_trailer(std::string_view line) noexcept {
    if (line.empty() || line[0] < 'A' || line[0] > 'Z')
      return false;
    const auto colon = line.substr(0, 24).find(':');
    return colon != std::string_view::npos &&
           line.substr(0, colon).ends_with("-by");
  }

  void skip_line() noexcept {
    const auto end = text_.find('\n', i_);
    i_ = end == std::string_view::npos ? text_.size() : end + 1;
    words_.reset();
  }

  // A fenced block at `p`, to its end or that of the text. False if it is
  // Slack's ``` with text behind it on the line, which `code_span` reads.
  bool skip_fence(size_t p) noexcept {
    const char mark = text_[p];
    size_t length = 0;
    while (at(p + length) == mark)
      ++length;
    const auto line_end = text_.find('\n', p);
    const auto info = text_.substr(p + length, line_end - p - length);
    if (mark == '`' && info.find('`') != std::string_view::npos)
      return false;
    if (is(markup::slack)) {
      const auto close = text_.find("```", p + length);
      i_ = close == std::string_view::npos ? text_.size() : close + 3;
      words_.reset();
      return i_ < text_.size() && text_[i_] == '\n' ? (++i_, true) : true;
    }
    size_t line = line_end;
    while (line != std::string_view::npos) {
      size_t q = line + 1;
      while (is_blank(at(q)))
        ++q;
      size_t n = 0;
      while (at(q + n) == mark)
        ++n;
      line = text_.find('\n', q);
      if (n >= length) {
        i_ = line == std::string_view::npos ? text_.size() : line + 1;
        words_.reset();
        return true;
      }
    }
    i_ = text_.size();
    return true;
  }

  // -- code, tags, links ------------------------------------------------------

  void code_span() {
    size_t length = 0;
    while (at(i_ + length) == '`')
      ++length;
    const auto ticks = text_.substr(i_, length);
    const size_t start = i_ + length;
    size_t end = start;
    for (;;) {
      end = text_.find(ticks, end);
      if (end == std::string_view::npos ||
          end - start > (length < 3 ? max_code_span : 10 * max_code_span)) {
        i_ = start;
        return;
      }
      size_t run = 0;
      while (at(end + run) == '`')
        ++run;
      if (run == length)
        break;
      end += run;
    }
    if (is(markup::plain)) {
      i_ = start;
      return;
    }
    const auto inside = text_.substr(start, end - start);
    // `ENG-42` and `1a2b3c4` are names in code type; anything longer is code.
    const bool lone = length == 1 && !inside.empty() && inside.size() <= 40 &&
                      std::all_of(inside.begin(), inside.end(), [](char c) {
                        return is_alnum(c) || c == '-';
                      });
    if (lone) {
      i_ = start;
      code_ = true;
      while (i_ < end)
        word();
      code_ = false;
    }
    i_ = end + length;
  }

  void angle() {
    const auto rest = from(i_);
    if (is(markup::slack))
      return slack_angle();
    if (rest.starts_with("<!--")) {
      const auto end = text_.find("-->", i_ + 4);
      i_ = end == std::string_view::npos ? text_.size() : end + 3;
      return;
    }
    if (rest.starts_with("<http")) {
      ++i_;
      return;
    }
    if (is(markup::plain) || !(is_alpha(at(i_ + 1)) || at(i_ + 1) == '/')) {
      ++i_;
      return;
    }
    const auto end = find_near('>', i_);
    if (end == std::string_view::npos) {
      ++i_;
      return;
    }
    const auto tag = text_.substr(i_ + 1, end - i_ - 1);
    i_ = end + 1;
    for (std::string_view opaque : {"code", "pre", "blockquote", "script"})
      if (starts_with_folded(tag, opaque) && !is_alnum(tag_after(tag, opaque)))
        return skip_to_close(opaque);
    if (starts_with_folded(tag, "a "))
      anchor(tag);
  }

  size_t find_near(char c, size_t start) const noexcept {
    const auto found = text_.substr(start, max_tag).find(c);
    return found == std::string_view::npos ? found : start + found;
  }

  static char tag_after(std::string_view tag, std::string_view name) noexcept {
    return tag.size() > name.size() ? tag[name.size()] : '\0';
  }

  void skip_to_close(std::string_view name) {
    std::string close = "</";
    close.append(name);
    if (i_ >= unclosed_from_)
      return;
    const auto end = text_.find(close, i_);
    if (end == std::string_view::npos) {
      // Looked for once, so that many unclosed tags cost no more than one.
      unclosed_from_ = i_;
      return;
    }
    const auto past = text_.find('>', end);
    i_ = past == std::string_view::npos ? text_.size() : past + 1;
  }

  void anchor(std::string_view tag) {
    const auto href = tag.find("href=");
    if (href == std::string_view::npos || href + 6 >= tag.size())
      return;
    const char quote = tag[href + 5];
    const auto start = href + 6;
    const auto end = tag.find(quote, start);
    if ((quote != '"' && quote != '\'') || end == std::string_view::npos)
      return;
    url(tag.substr(start, end - start));
    skip_to_close("a");
  }

  void slack_angle() {
    const auto end = find_near('>', i_);
    if (end == std::string_view::npos ||
        text_.substr(i_, end - i_).find('\n') != std::string_view::npos) {
      ++i_;
      return;
    }
    const auto inside = text_.substr(i_ + 1, end - i_ - 1);
    const size_t start = i_ + 1;
    i_ = end + 1;
    if (!inside.starts_with("http"))
      return;
    const auto bar = inside.find('|');
    const auto target = inside.substr(0, bar);
    if (url(target) || bar == std::string_view::npos)
      return;
    label(start + bar + 1, end, target);
  }

  // The text of a link, unless its target says what it is about.
  void label(size_t start, size_t end, std::string_view target) {
    const auto inside = text_.substr(start, end - start);
    if (inside.size() > max_label)
      return;
    std::vector<reference> found;
    scan_options inner = options_;
    inner.how = markup::plain;
    scanner nested{inside, inner, found};
    nested.words_ = words_;
    nested.in_label_ = true;
    nested.run();
    for (auto& r : found) {
      // A number counts in the target's repository, which is not ours; an id
      // that the target repeats belongs to the target's tracker.
      if (r.shape == reference_shape::number ||
          contains_folded(target, r.matched))
        continue;
      r.at += start;
      words_.reference();
      out_.push_back(std::move(r));
    }
  }

  bool skip_image() noexcept {
    const auto close = matching(i_ + 1);
    if (close == std::string_view::npos || at(close + 1) != '(')
      return false;
    const auto end = find_near(')', close);
    if (end == std::string_view::npos)
      return false;
    i_ = end + 1;
    return true;
  }

  size_t matching(size_t open) const noexcept {
    int depth = 0;
    const size_t limit = std::min(text_.size(), open + max_label);
    for (size_t p = open; p < limit; ++p) {
      if (text_[p] == '[')
        ++depth;
      else if (text_[p] == ']' && --depth == 0)
        return p;
      else if (text_[p] == '\n' && at(p + 1) == '\n')
        break;
    }
    return std::string_view::npos;
  }

  void bracket() {
    const auto close =
        is(markup::markdown) ? matching(i_) : std::string_view::npos;
    if (close == std::string_view::npos || at(close + 1) != '(') {
      ++i_;
      return;
    }
    const auto start = close + 2;
    const auto end = find_near(')', start);
    if (end == std::string_view::npos ||
        text_.substr(start, end - start).find('\n') != text_.npos) {
      ++i_;
      return;
    }
    auto target = text_.substr(start, end - start);
    target = target.substr(0, target.find(' '));
    if (target.starts_with('<') && target.ends_with('>'))
      target = target.substr(1, target.size() - 2);
    const size_t open = i_;
    i_ = end + 1;
    if (!url(target))
      label(open + 1, close, target);
  }

  // ~~taken back~~; Slack's has one tilde.
  void strike() noexcept {
    const auto mark =
        is(markup::slack) ? text_.substr(i_, 1) : text_.substr(i_, 2);
    const auto line = text_.substr(i_, max_tag);
    const auto end = mark == "~" || mark == "~~" ? line.find(mark, mark.size())
                                                 : std::string_view::npos;
    if (is(markup::plain) || end == std::string_view::npos ||
        line.substr(0, end).find('\n') != line.npos ||
        is_blank(at(i_ + mark.size())))
      ++i_;
    else
      i_ += end + mark.size();
  }

  void entity() noexcept {
    const auto end = text_.substr(i_, 8).find(';');
    i_ += end == std::string_view::npos ? 1 : end + 1;
  }

  // -- references -------------------------------------------------------------

  // True if it was one that we know.
  bool url(std::string_view target) {
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
      resolve_thread(r);
      add(std::move(r), target);
    }
    return true;
  }

  // "https://acme.atlassian.net/browse/ENG-42"
  void note_foreign(std::string_view target) {
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

  void resolve_thread(reference& r) const {
    if (r.needs.empty() || !options_.known)
      return;
    if (const auto value = options_.known->value_of(r.needs)) {
      r.key = resolve_key(r.key, *value);
      r.needs.clear();
    }
  }

  void add(reference r, std::string_view matched) {
    r.rel = words_.current();
    r.matched = matched;
    r.at = static_cast<size_t>(matched.data() - text_.data());
    words_.reference();
    last_end_ = r.at + matched.size();
    out_.push_back(std::move(r));
  }

  size_t url_end(size_t start) const noexcept {
    size_t end = start;
    int round = 0;
    while (end < text_.size()) {
      const char c = text_[end];
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '<' ||
          c == '>' || c == '"' || c == '`' || c == '|' || c == '\\' ||
          c == '{' || c == '}' || c == '^' || c == '[' || c == ']' ||
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
      if (c == '.' || c == ',' || c == ';' || c == ':' || c == '!' ||
          c == '?' || c == '\'' || c == '*' || c == '_' || c == '~')
        --end;
      else
        break;
    }
    return end;
  }

  bool try_url(size_t start) {
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

  void word() {
    const size_t start = i_;
    const char c = text_[start];
    if ((c == 'h' || c == 'H' || c == 'g' || c == 'G' || c == 'l' || c == 'L' ||
         c == 'w') &&
        try_url(start))
      return;
    size_t end = start;
    bool hex = true;
    while (end < text_.size() && is_word(text_[end])) {
      const char x = text_[end];
      hex = hex &&
            (is_digit(x) || (x >= 'a' && x <= 'f') || (x >= 'A' && x <= 'F'));
      ++end;
    }
    const auto w = text_.substr(start, end - start);
    i_ = end;
    if (hex && w.size() >= 7 && sha(w, start))
      return;
    if (at(end) == '-' && is_digit(at(end + 1)) && linear_id(w, start))
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

  // "doesn't", "follow-up" and "e.g" are one word to the relations.
  void sentence_word(size_t start, size_t end) {
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
    const auto w = text_.substr(start, end - start);
    words_.word(w);
    i_ = end;
    // This full stop ends no sentence.
    if (at(end) == '.' && (starts_with_folded(w, "e.g") || w == "eg"))
      ++i_;
  }

  bool sha(std::string_view w, size_t start) {
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

  bool linear_id(std::string_view team, size_t start) {
    const size_t digits = start + team.size() + 1;
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
    const bool branch =
        right == '-' && is_alpha(at(end + 1)) && !in_label_ &&
        (left == '/' || !left || is_blank(left) || left == '\n' ||
         left == '`' || left == '(' || left == '"');
    constexpr std::string_view joined = "-./@$%&\\~+";
    if (left && joined.find(left) != joined.npos && !list_slash &&
        !(branch && left == '/'))
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
    const auto folded = upper(team);
    const auto trust = trust_in_id(folded, *number);
    const auto matched = text_.substr(start, end - start);
    const bool caps = team == folded;
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

  // GitHub reads GH-12 as #12.
  bool github_id(uint64_t n, std::string_view matched) {
    if (options_.repo.empty())
      return false;
    add_number(options_.repo, n, reference_shape::number, matched);
    i_ = static_cast<size_t>(matched.data() - text_.data()) + matched.size();
    return true;
  }

  void add_number(const repository& repo, uint64_t n, reference_shape shape,
                  std::string_view matched) {
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

  void number() {
    const size_t start = i_++;
    const char left = before(start);
    size_t end = i_;
    while (is_digit(at(end)))
      ++end;
    const auto n = parse_number(text_.substr(i_, end - i_));
    if (!n || code_ || is_word(left) || left == '/' || left == '#' ||
        left == '&' || left == '-' || left == '.' || left == '=' ||
        is_word(at(end)) || (at(end) == '-' && is_alnum(at(end + 1))) ||
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

  // "octo/repo#12" and "octo/repo@1a2b3c4…".
  bool owner_repo(size_t start) {
    const char left = before(start);
    if (left == '/' || left == '.' || left == '-' || left == '@' ||
        left == ':' || left == '#')
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
  size_t unclosed_from_ = std::string_view::npos;
  bool code_ = false;
  bool in_label_ = false;
};

} // namespace

void scan_text(std::string_view text, const scan_options& options,
               std::vector<reference>& out) {
  if (options.max_bytes && text.size() > options.max_bytes)
    text = text.substr(0, options.max_bytes);
  if (!text.empty())
    scanner{text, options, out}.run();
}

void scan_branch(std::string_view name, const scan_options& options,
                 std::vector<reference>& out) {
  if (name.starts_with("refs/heads/"))
    name.remove_prefix(11);
  for (std::string_view bot : {"dependabot/", "renovate/", "snyk-",
                               "gh-readonly-queue/", "pre-commit-ci"})
    if (name.starts_with(bot))
      return;
  const auto end_of_digits = [&](size_t i) {
    while (i < name.size() && is_digit(name[i]))
      ++i;
    return i;
  };
  // An id at the start of a segment is what the branch is for, and so are
  // those of the same team right behind it; others may be part of its title.
  std::vector<reference> later;
  bool at_start = true;
  bool sure = false;
  std::string run;
  size_t i = 0;
  while (i < name.size()) {
    const size_t start = i;
    while (i < name.size() && is_alnum(name[i]))
      ++i;
    const auto word = name.substr(start, i - start);
    const char sign = i < name.size() ? name[i] : '\0';
    const size_t end = sign == '-' ? end_of_digits(i + 1) : i;
    const auto number = end > i + 1
                            ? parse_number(name.substr(i + 1, end - i - 1))
                            : std::optional<uint64_t>{};
    const char right = end < name.size() ? name[end] : '\0';
    const bool whole =
        right == '\0' || right == '-' || right == '_' || right == '/';
    bool id = false;
    if (number && whole && !word.empty() && is_alpha(word[0]) &&
        word.size() <= max_team && end - i - 1 <= max_id_digits) {
      const auto team = upper(word);
      const auto trust = trust_in_id(team, *number);
      reference r;
      r.to = correlation_noun::issue;
      r.matched = name.substr(start, end - start);
      r.at = start;
      if (team == "ISSUE" || team == "ISSUES" || team == "GH") {
        if (!options.repo.empty() && at_start) {
          r.shape = reference_shape::number;
          r.rel = relation::part_of;
          r.key = issue_key(options.repo, *number);
          out.push_back(std::move(r));
          id = sure = true;
        }
      } else if (trust != id_trust::never) {
        r.shape = reference_shape::linear_id;
        r.key = linear_key(team, *number);
        r.known = options.known && options.known->knows_team(team);
        if (!r.known)
          r.needs = team_fact(team);
        if (at_start && (run.empty() || run == team)) {
          id = true;
          sure = sure || trust == id_trust::open;
          run = team;
          out.push_back(std::move(r));
        } else if (trust == id_trust::open) {
          later.push_back(std::move(r));
        }
      }
    }
    if (id)
      i = end;
    else if (sign != '/')
      at_start = false;
    if (i < name.size()) {
      if (name[i] == '/') {
        at_start = true;
        run.clear();
      }
      ++i;
    }
  }
  if (!sure && !later.empty())
    out.push_back(std::move(later.front()));
}

} // namespace eventweft::correlation
