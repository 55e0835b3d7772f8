// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/request.hpp"
#include "messages/errors.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::platforms {

/// Text with places to be filled in from a request:
/// `{body}` its bytes, `{header:NAME}`, `{query:NAME}`, `{json:/POINTER}` (RFC
/// 6901, into the payload), `{timestamp}` what came beside the signature,
/// `{digest}` the hexadecimal SHA-256 of the body; `{{` and `}}` stand for the
/// braces themselves.
class text_template {
 public:
  text_template() = default;

  /// `malformed` names the place that can't be read.
  static expected<text_template> parse(std::string_view text);

  /// The pieces whose concatenation is the text: views into the request, into
  /// this template or into `storage`. An error names the first place that the
  /// request does not fill: `unauthorized`, or what is wrong with the body.
  expected<std::vector<std::string_view>>
  pieces(request& r, std::string_view timestamp,
         std::deque<std::string>& storage) const;

  /// The text, or nothing if a place is not filled.
  std::optional<std::string> render(request& r) const;

  bool empty() const noexcept { return parts_.empty(); }

  /// The headers (lower case) that it holds.
  std::vector<std::string_view> headers() const;
  /// The JSON pointers that it holds.
  std::vector<std::string_view> pointers() const;
  bool has_timestamp() const noexcept;

  /// As it was parsed.
  const std::string& source() const noexcept { return source_; }

 private:
  enum class kind { literal, body, digest, header, query, json, timestamp };
  struct part {
    kind what = kind::literal;
    std::string text;
  };
  std::vector<std::string_view> names(kind what) const;

  std::vector<part> parts_;
  std::string source_;
};

/// Several templates of which the first that can be filled counts.
struct alternatives {
  std::vector<text_template> templates;

  bool empty() const noexcept { return templates.empty(); }
  /// Empty text if none can be filled.
  std::string render(request& r) const;
  /// For people: "{header:X} or {json:/y}".
  std::string describe() const;
};

} // namespace eventweft::platforms
