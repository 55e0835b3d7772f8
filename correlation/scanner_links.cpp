// SPDX-License-Identifier: Apache-2.0
#include "correlation/scanner.hpp"

#include <algorithm>

namespace eventweft::correlation::detail {

namespace {

bool contains_folded(std::string_view text, std::string_view what) {
  return lower(text).find(lower(what)) != std::string::npos;
}

} // namespace

void scanner::code_span() {
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
                    std::all_of(inside.begin(), inside.end(),
                                [](char c) { return is_alnum(c) || c == '-'; });
  if (lone) {
    i_ = start;
    code_ = true;
    while (i_ < end)
      step();
    code_ = false;
  }
  i_ = end + length;
}

void scanner::angle() {
  const auto rest = from(i_);
  if (is(markup::slack))
    return slack_angle();
  if (rest.starts_with("<!--")) {
    const auto end = text_.find("-->", i_ + 4);
    i_ = end == std::string_view::npos ? text_.size() : end + 3;
    return;
  }
  if (starts_with_folded(rest, "<http")) {
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
  if (options_.skip_details && starts_with_folded(tag, "details") &&
      !is_alnum(tag_after(tag, "details")))
    return skip_details();
  if (starts_with_folded(tag, "a "))
    anchor(tag);
}

size_t scanner::find_near(char c, size_t start) const noexcept {
  const auto found = text_.substr(start, max_tag).find(c);
  return found == std::string_view::npos ? found : start + found;
}

char scanner::tag_after(std::string_view tag, std::string_view name) noexcept {
  return tag.size() > name.size() ? tag[name.size()] : '\0';
}

void scanner::skip_to_close(std::string_view name) {
  auto& unclosed = unclosed_[static_cast<size_t>(name[0] - 'a')];
  if (unclosed)
    return;
  std::string close = "</";
  close.append(name);
  const auto end = text_.find(close, i_);
  if (end == std::string_view::npos) {
    unclosed = true;
    return;
  }
  const auto past = text_.find('>', end);
  i_ = past == std::string_view::npos ? text_.size() : past + 1;
}

void scanner::skip_details() {
  for (size_t depth = 1; depth > 0; ++i_) {
    i_ = text_.find('<', i_);
    if (i_ == std::string_view::npos) {
      i_ = text_.size();
      return;
    }
    const auto rest = from(i_);
    if (starts_with_folded(rest, "</details"))
      --depth;
    else if (starts_with_folded(rest, "<details"))
      ++depth;
  }
  const auto past = text_.find('>', i_);
  i_ = past == std::string_view::npos ? text_.size() : past + 1;
}

void scanner::anchor(std::string_view tag) {
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

void scanner::slack_angle() {
  const auto end = find_near('>', i_);
  if (end == std::string_view::npos ||
      text_.substr(i_, end - i_).find('\n') != std::string_view::npos) {
    ++i_;
    return;
  }
  const auto inside = text_.substr(i_ + 1, end - i_ - 1);
  const size_t start = i_ + 1;
  i_ = end + 1;
  if (!starts_with_folded(inside, "http"))
    return;
  const auto bar = inside.find('|');
  const auto target = inside.substr(0, bar);
  if (url(target) || bar == std::string_view::npos)
    return;
  label(start + bar + 1, end, target);
}

void scanner::label(size_t start, size_t end, std::string_view target) {
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

bool scanner::skip_image() noexcept {
  const auto close = matching(i_ + 1);
  if (close == std::string_view::npos || at(close + 1) != '(')
    return false;
  const auto end = find_near(')', close);
  if (end == std::string_view::npos)
    return false;
  i_ = end + 1;
  return true;
}

size_t scanner::matching(size_t open) const noexcept {
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

void scanner::bracket() {
  // "- [x] #12"
  if (at(i_ + 2) == ']' && at(i_ + 3) != '(') {
    i_ += 3;
    return;
  }
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

void scanner::strike() noexcept {
  const auto mark =
      is(markup::slack) ? text_.substr(i_, 1) : text_.substr(i_, 2);
  const auto line = text_.substr(i_, max_tag);
  // What closes stands right behind a word: "~5 min, then ~10" strikes nothing.
  const auto closing = [&] {
    auto p = line.find(mark, mark.size());
    while (p != line.npos && is_blank(line[p - 1]))
      p = line.find(mark, p + mark.size());
    return p;
  };
  const auto end =
      mark == "~" || mark == "~~" ? closing() : std::string_view::npos;
  if (is(markup::plain) || end == std::string_view::npos ||
      line.substr(0, end).find('\n') != line.npos ||
      is_blank(at(i_ + mark.size())))
    ++i_;
  else
    i_ += end + mark.size();
}

void scanner::entity() noexcept {
  const auto rest = text_.substr(i_, 8);
  const auto end = rest.find(';');
  const bool named =
      end != std::string_view::npos && end > 1 &&
      (is_alpha(rest[1]) || rest[1] == '#') &&
      std::all_of(rest.begin() + 2, rest.begin() + static_cast<ptrdiff_t>(end),
                  is_alnum);
  // "#31 & #32; …" has none.
  i_ += named ? end + 1 : 1;
}

} // namespace eventweft::correlation::detail
