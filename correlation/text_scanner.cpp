// SPDX-License-Identifier: Apache-2.0
#include "correlation/scanner.hpp"

#include <algorithm>

namespace eventweft::correlation::detail {

void scanner::step() {
  const char c = text_[i_];
  if (c == '\n') {
    end_of_line();
  } else if (is_alnum(c)) {
    word();
  } else if (const auto dash = c == '-' || c == '\xe2' ? dash_at(i_) : 0) {
    words_.mark('-');
    i_ += dash;
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
      if (c != '-' && !(c == '.' && is_alnum(at(i_ + 1))))
        words_.mark(c);
      ++i_;
    }
  }
}

size_t scanner::dash_at(size_t start) const noexcept {
  const auto rest = from(start);
  const bool em = rest.starts_with("\xe2\x80\x94");
  const size_t length = em || rest.starts_with("\xe2\x80\x93") ? 3
                        : rest.starts_with("--")               ? 2
                        : rest.starts_with('-')                ? 1
                                                               : 0;
  // "#12-#14", "ENG-1", and what begins a list's line.
  const bool between = is_blank(before(start)) && is_blank(at(start + length));
  return length != 0 && (em || between) ? length : 0;
}

void scanner::end_of_line() {
  ++i_;
  words_.line_end(blank_line_);
  if (!blank_line_)
    first_line_ = false;
  after_blank_ = blank_line_;
  start_of_line();
}

void scanner::start_of_line() {
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
        in_list_ =
            in_list_ || rest.substr(0, 4).find(". ") != std::string_view::npos;
      else if (indent == 0)
        in_list_ = false;
      return;
    }
    if (i_ >= text_.size())
      return;
  }
}

bool scanner::is_trailer(std::string_view line) noexcept {
  if (line.empty() || line[0] < 'A' || line[0] > 'Z')
    return false;
  const auto colon = line.substr(0, 24).find(':');
  return colon != std::string_view::npos &&
         line.substr(0, colon).ends_with("-by");
}

void scanner::skip_line() noexcept {
  const auto end = text_.find('\n', i_);
  i_ = end == std::string_view::npos ? text_.size() : end + 1;
  words_.reset();
}

bool scanner::skip_fence(size_t p) noexcept {
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
    // What closes says nothing: "```cpp" in a block is one of its lines.
    const auto after = text_.substr(q + n, line - q - n);
    if (n >= length && after.find_first_not_of(" \t\r") == after.npos) {
      i_ = line == std::string_view::npos ? text_.size() : line + 1;
      words_.reset();
      return true;
    }
  }
  i_ = text_.size();
  return true;
}

} // namespace eventweft::correlation::detail

namespace eventweft::correlation {

void scan_text(std::string_view text, const scan_options& options,
               std::vector<reference>& out) {
  if (options.max_bytes && text.size() > options.max_bytes)
    text = text.substr(0, options.max_bytes);
  if (!text.empty())
    detail::scanner{text, options, out}.run();
}

} // namespace eventweft::correlation
