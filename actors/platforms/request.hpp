// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/sanitiser.hpp"
#include "codec/payload.hpp"
#include "messages/errors.hpp"
#include "messages/webhook.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::platforms {

/// Longest value of a header that a platform looks at, in bytes.
inline constexpr size_t max_header_value = 4'096;

enum class body_kind { json, form, other, none };

/// One webhook while its platform looks at it: its body is decoded and parsed
/// once, when first asked for, with a reader that belongs to the thread. Use
/// it on one thread, one at a time; it must not outlive the webhook.
class request {
 public:
  explicit request(const webhook& w);
  request(const request&) = delete;
  request& operator=(const request&) = delete;

  const webhook& raw() const noexcept { return webhook_; }

  /// The bytes as they came, which signatures cover.
  std::string_view body() const noexcept { return webhook_.body.view(); }

  /// The first value of the header (lower case), without blanks around it.
  std::optional<std::string_view> header(std::string_view name) const noexcept;

  /// The same for a header without which nothing goes: `malformed` when it is
  /// missing, empty, longer than `limit` bytes, or not printable UTF-8.
  expected<std::string_view> need_header(std::string_view name,
                                         size_t limit) const;

  /// The header `Idempotency-Key`, empty if there is none. A value in quotes is
  /// the one within them (RFC 8941, as the header's draft has it). `malformed`
  /// as above.
  expected<std::string> idempotency_key(size_t limit) const;

  /// The decoded value of a parameter of the query.
  std::optional<std::string> query(std::string_view name) const;

  /// What `Content-Type` says.
  body_kind kind() const noexcept;

  /// The JSON text that the webhook brings: the body, or the form's field
  /// `payload`, or (`form_as_object`) a JSON object made of the form's fields.
  /// `malformed` naming the place; `unsupported_media_type`.
  expected<shared_text> payload();

  /// The parsed payload; valid as long as the request.
  expected<simdjson::dom::element> json();

  /// The same; `malformed` unless it is a JSON object.
  expected<simdjson::dom::element> object();

  /// What was taken out of the payload; empty if it is as it was sent.
  const std::vector<std::string>& redactions() const noexcept {
    return redactions_;
  }

  /// From now on this is the payload.
  void replace_payload(redaction with);

  /// See `codec::payload_reader::readable`.
  const shared_text& readable() const noexcept;

  /// Lets forms without a field `payload` be read as an object of strings.
  void form_as_object() noexcept { form_as_object_ = true; }

  /// Takes the body for JSON, whatever `Content-Type` says.
  void assume_json() noexcept { assume_json_ = true; }

 private:
  expected<shared_text> decode() const;

  const webhook& webhook_;
  codec::payload_reader& reader_;
  bool form_as_object_ = false;
  bool assume_json_ = false;
  std::optional<expected<shared_text>> payload_;
  std::optional<expected<simdjson::dom::element>> json_;
  std::vector<std::string> redactions_;
};

using form_fields = std::vector<std::pair<std::string, std::string>>;

/// Reads `application/x-www-form-urlencoded` text. `malformed` names the byte
/// offset; at most 1,000 fields.
expected<form_fields> parse_form(std::string_view text);

/// Printable means: valid UTF-8 without control characters.
bool is_printable(std::string_view text) noexcept;

/// "x-github-event" as people write it: "X-GitHub-Event".
std::string display_name(std::string_view header);

} // namespace eventweft::platforms
