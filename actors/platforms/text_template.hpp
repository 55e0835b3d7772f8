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
/// 6901, into the payload), `{timestamp}` what came beside the signature;
/// `{{` and `}}` stand for the braces themselves.
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

  /// Whether any place needs the body as JSON.
  bool reads_json() const noexcept;

 private:
  enum class kind { literal, body, header, query, json, timestamp };
  struct part {
    kind what = kind::literal;
    std::string text;
  };
  std::vector<part> parts_;
};

/// Several templates of which the first that can be filled counts.
struct alternatives {
  std::vector<text_template> templates;

  bool empty() const noexcept { return templates.empty(); }
  /// Empty text if none can be filled.
  std::string render(request& r) const;
};

} // namespace eventweft::platforms
