// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::codec {

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8
/// become U+FFFD, so that the result is always valid JSON.
void append_quoted(std::string& out, std::string_view text);

/// `text` as a JSON string.
inline std::string quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

/// Append `"name":`, with its value or without, to an object that `{` or a
/// member ends, with a comma where one is due. `name` is one of ours: it needs
/// no escapes.
void append_name(std::string& out, std::string_view name);
void append_member(std::string& out, std::string_view name,
                   std::string_view text);
void append_member(std::string& out, std::string_view name, uint64_t value);

/// True if `text` is valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text) noexcept;

/// How many bytes of `text` are valid UTF-8 before the first that is not, which
/// may begin a character that goes wrong later; all of them if it is valid.
size_t utf8_length(std::string_view text) noexcept;

/// At most `most` bytes of its beginning, of UTF-8 without a part of a
/// character at the end. Takes any bytes.
std::string_view utf8_prefix(std::string_view text, size_t most) noexcept;

/// If the JSON text holds `\u0000` or the escape of a lone surrogate, which
/// JSON allows and most SQL engines can't read back: a copy with `\ufffd` in
/// each one's place. `text` must be valid JSON but for such escapes.
std::optional<std::string> readable_escapes(std::string_view text);

/// If the JSON text holds anything that SQL engines can't read back, such
/// escapes or numbers out of reach (`readable_numbers`): a copy that they can.
std::optional<std::string> readable_json(std::string_view text);

/// The text that JSON escapes stand for, and where each part of it stood. For
/// what is between the quotes of a string; an escape that is none stands for
/// itself, a lone surrogate for U+FFFD.
class unescaped {
 public:
  explicit unescaped(std::string_view escaped);

  const std::string& text() const noexcept { return text_; }

  /// Where the character at `offset` of the text stands in the escaped one;
  /// the whole length for the text's end.
  size_t source(size_t offset) const noexcept;

 private:
  /// From here on, up to the next one, both go on in step.
  struct stretch {
    size_t offset;
    size_t source;
  };

  std::string text_;
  std::vector<stretch> stretches_;
};

} // namespace eventweft::codec
