// SPDX-License-Identifier: Apache-2.0
#include "codec/json_spans.hpp"

#include "codec/json_text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace eventweft::codec {

namespace {

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// Every step is bounded by the text's end, so that a text that is not JSON
// after all gives useless places but nothing worse.
class cursor {
 public:
  explicit cursor(std::string_view text) : text_(text) {}

  bool at_end() const noexcept { return pos_ >= text_.size(); }
  char peek() const noexcept { return at_end() ? '\0' : text_[pos_]; }
  void step() noexcept { ++pos_; }

  void skip_blanks() noexcept {
    while (!at_end() && is_blank(text_[pos_]))
      ++pos_;
  }

  std::string_view string() noexcept {
    const auto start = pos_++;
    while (!at_end() && text_[pos_] != '"')
      pos_ += text_[pos_] == '\\' ? 2 : 1;
    pos_ = std::min(pos_ + 1, text_.size());
    return text_.substr(start, pos_ - start);
  }

  std::string_view value() noexcept {
    const auto start = pos_;
    if (peek() == '"')
      return string();
    size_t depth = 0;
    while (!at_end()) {
      const char c = text_[pos_];
      if (c == '"') {
        string();
        continue;
      }
      if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        if (depth == 0)
          break;
        if (--depth == 0) {
          ++pos_;
          break;
        }
      } else if (depth == 0 && (c == ',' || is_blank(c))) {
        break;
      }
      ++pos_;
    }
    return text_.substr(start, pos_ - start);
  }

 private:
  std::string_view text_;
  size_t pos_ = 0;
};

std::string unescape(std::string_view quoted) {
  if (quoted.size() < 2)
    return {};
  if (quoted.find('\\') == std::string_view::npos)
    return std::string{quoted.substr(1, quoted.size() - 2)};
  boost::json::error_code failed;
  const auto value = boost::json::parse({quoted.data(), quoted.size()}, failed);
  // A lone surrogate in a key: no pointer can name it.
  if (failed || !value.is_string())
    return std::string{quoted};
  return std::string{value.get_string()};
}

// The first token of a pointer, taken off it.
std::optional<std::string> next_token(std::string_view& pointer) {
  if (pointer.empty() || pointer.front() != '/')
    return std::nullopt;
  pointer.remove_prefix(1);
  const auto end = std::min(pointer.find('/'), pointer.size());
  std::string out;
  for (size_t i = 0; i < end; ++i) {
    if (pointer[i] == '~' && i + 1 < end &&
        (pointer[i + 1] == '0' || pointer[i + 1] == '1'))
      out.push_back(pointer[++i] == '0' ? '~' : '/');
    else
      out.push_back(pointer[i]);
  }
  pointer.remove_prefix(end);
  return out;
}

// The members and items of all `places` that `fits(is_item, number, key)`.
template <class Fits>
std::vector<std::string_view>
one_step(const std::vector<std::string_view>& places, const Fits& fits) {
  std::vector<std::string_view> out;
  for (auto place : places) {
    cursor in{place};
    in.skip_blanks();
    const bool array = in.peek() == '[';
    const auto members = json_members(place);
    for (size_t i = 0; i < members.size(); ++i)
      if (fits(array, i, members[i].key))
        out.push_back(members[i].value);
  }
  return out;
}

std::optional<size_t> index_of(std::string_view digits) {
  size_t out = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, why] = std::from_chars(digits.data(), end, out);
  if (why != std::errc{} || stop != end)
    return std::nullopt;
  return out;
}

} // namespace

std::vector<json_member> json_members(std::string_view text) {
  std::vector<json_member> out;
  cursor in{text};
  in.skip_blanks();
  const char open = in.peek();
  if (open != '{' && open != '[')
    return out;
  in.step();
  while (true) {
    in.skip_blanks();
    if (in.at_end() || in.peek() == '}' || in.peek() == ']')
      return out;
    json_member m;
    if (open == '{') {
      if (in.peek() != '"')
        return out;
      m.key = unescape(in.string());
      in.skip_blanks();
      if (in.peek() != ':')
        return out;
      in.step();
      in.skip_blanks();
    }
    m.value = in.value();
    if (m.value.empty())
      return out;
    out.push_back(std::move(m));
    in.skip_blanks();
    if (in.peek() == ',')
      in.step();
  }
}

std::vector<std::string_view> json_places(std::string_view text,
                                          std::string_view pointer) {
  std::vector<std::string_view> found{text};
  while (!pointer.empty() && !found.empty()) {
    const auto token = next_token(pointer);
    if (!token)
      return {};
    found = one_step(found, [&](bool array, size_t i, const std::string& key) {
      return *token == "*" || *token == (array ? std::to_string(i) : key);
    });
  }
  return found;
}

std::optional<std::string> json_text_at(std::string_view text,
                                        std::string_view path) {
  std::vector<std::string_view> found{text};
  for (bool more = true; more && !found.empty();) {
    const auto end = path.find('.');
    const auto name = path.substr(0, end);
    const auto index = index_of(name);
    found = one_step(found, [&](bool array, size_t i, const std::string& key) {
      return array ? index == i : name == key;
    });
    more = end != path.npos;
    path.remove_prefix(more ? end + 1 : path.size());
  }
  if (found.empty() || found.back() == "null")
    return std::nullopt;
  const auto value = found.back();
  if (!value.starts_with('"') || value.size() < 2)
    return std::string{value};
  return unescaped{value.substr(1, value.size() - 2)}.text();
}

} // namespace eventweft::codec
