// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/request.hpp"

#include "codec/json_text.hpp"
#include "messages/ascii.hpp"
#include "messages/url_escape.hpp"

#include <algorithm>

namespace eventweft::platforms {

namespace {

constexpr size_t max_fields = 1'000;

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// What a string of RFC 8941 (structured fields) holds; nothing if `text` is
// none.
std::optional<std::string> unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"')
    return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\') {
      if (++i == text.size() || (text[i] != '"' && text[i] != '\\'))
        return std::nullopt;
      c = text[i];
    } else if (c == '"' || c < 0x20 || c > 0x7e) {
      return std::nullopt;
    }
    out.push_back(c);
  }
  return out;
}

// Offsets in messages count from the start of the whole text.
expected<std::string> decode_component(std::string_view text, size_t offset) {
  auto plain = url_unescaped(text, plus_sign::is_blank);
  if (plain.stray_percent)
    return fail(ec::malformed,
                "form body: '%' without two hex digits at byte " +
                    std::to_string(offset + *plain.stray_percent));
  return std::move(plain.text);
}

} // namespace

request::request(const webhook& w)
    : webhook_(w), reader_(codec::thread_payload_reader()) {
  // nop
}

std::optional<std::string_view>
request::header(std::string_view name) const noexcept {
  const auto* value = find_header(webhook_.headers, name);
  if (!value)
    return std::nullopt;
  return trim(*value);
}

expected<std::string_view> request::need_header(std::string_view name,
                                                size_t limit) const {
  const auto value = header(name);
  if (!value || value->empty())
    return fail(ec::malformed, "header " + display_name(name) +
                                   (value ? " is empty" : " is missing"));
  if (value->size() > limit)
    return fail(ec::malformed, "header " + display_name(name) +
                                   " is longer than " + std::to_string(limit) +
                                   " bytes");
  if (!is_printable(*value))
    return fail(ec::malformed, "header " + display_name(name) +
                                   " holds control characters or is not UTF-8");
  return *value;
}

expected<std::string> request::idempotency_key(size_t limit) const {
  constexpr std::string_view name = "idempotency-key";
  if (!header(name))
    return std::string{};
  const auto value = need_header(name, limit);
  if (!value)
    return fail(value.error());
  auto key = unquoted(*value).value_or(std::string{*value});
  if (key.empty())
    return fail(ec::malformed, "header " + display_name(name) + " is empty");
  return key;
}

std::optional<std::string> request::query(std::string_view name) const {
  auto fields = parse_form(webhook_.query);
  if (!fields)
    return std::nullopt;
  for (auto& [key, value] : *fields)
    if (key == name)
      return std::move(value);
  return std::nullopt;
}

body_kind request::kind() const noexcept {
  const auto value = header("content-type");
  if (!value || value->empty())
    return body_kind::none;
  const auto type = trim(value->substr(0, value->find(';')));
  if (equals_ignoring_case(type, "application/json") ||
      equals_ignoring_case(type, "text/json") ||
      (type.size() > 5 &&
       equals_ignoring_case(type.substr(type.size() - 5), "+json")))
    return body_kind::json;
  if (equals_ignoring_case(type, "application/x-www-form-urlencoded"))
    return body_kind::form;
  return body_kind::other;
}

expected<shared_text> request::decode() const {
  const auto what = assume_json_ ? body_kind::json : kind();
  if (what == body_kind::none)
    return fail(ec::unsupported_media_type,
                "header Content-Type is missing; send application/json or "
                "application/x-www-form-urlencoded");
  if (what == body_kind::other)
    return fail(ec::unsupported_media_type,
                "Content-Type is neither application/json nor "
                "application/x-www-form-urlencoded");
  if (webhook_.body.empty())
    return fail(ec::malformed, "the body is empty");
  if (what == body_kind::json)
    return webhook_.body;
  auto fields = parse_form(body());
  if (!fields)
    return fail(std::move(fields.error()));
  for (auto& [key, value] : *fields) {
    if (key != "payload")
      continue;
    if (value.empty())
      return fail(ec::malformed, "form field payload is empty");
    return shared_text{std::move(value)};
  }
  if (!form_as_object_)
    return fail(ec::malformed, "form body without a field payload");
  std::string out = "{";
  for (size_t i = 0; i < fields->size(); ++i) {
    const auto& [key, value] = (*fields)[i];
    // Of several fields with one name the first counts, as for `payload`.
    const auto here = fields->begin() + static_cast<std::ptrdiff_t>(i);
    if (std::any_of(fields->begin(), here, [&wanted = key](const auto& f) {
          return f.first == wanted;
        }))
      continue;
    if (out.size() > 1)
      out.push_back(',');
    codec::append_quoted(out, key);
    out.push_back(':');
    codec::append_quoted(out, value);
  }
  out.push_back('}');
  return shared_text{std::move(out)};
}

expected<shared_text> request::payload() {
  if (!payload_)
    payload_ = decode();
  return *payload_;
}

expected<simdjson::dom::element> request::json() {
  if (!json_) {
    auto text = payload();
    if (!text)
      return fail(std::move(text.error()));
    json_ = reader_.parse(*text);
  }
  return *json_;
}

expected<simdjson::dom::element> request::object() {
  auto root = json();
  if (root && !root->is_object())
    return fail(ec::malformed, "body: not a JSON object (at byte 0)");
  return root;
}

void request::replace_payload(redaction with) {
  redactions_ = std::move(with.notes);
  payload_ = shared_text{std::move(with.text)};
  json_.reset();
}

const shared_text& request::readable() const noexcept {
  return reader_.readable();
}

expected<form_fields> parse_form(std::string_view text) {
  form_fields out;
  size_t start = 0;
  while (start < text.size()) {
    const auto end = std::min(text.find('&', start), text.size());
    const auto pair = text.substr(start, end - start);
    if (!pair.empty()) {
      if (out.size() == max_fields)
        return fail(ec::malformed, "form body: more than " +
                                       std::to_string(max_fields) + " fields");
      const auto equals = std::min(pair.find('='), pair.size());
      auto key = decode_component(pair.substr(0, equals), start);
      if (!key)
        return fail(std::move(key.error()));
      const auto from = std::min(equals + 1, pair.size());
      auto value = decode_component(pair.substr(from), start + from);
      if (!value)
        return fail(std::move(value.error()));
      out.emplace_back(std::move(*key), std::move(*value));
    }
    start = end + 1;
  }
  return out;
}

bool is_printable(std::string_view text) noexcept {
  return codec::is_utf8(text) &&
         std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7f;
         });
}

std::string display_name(std::string_view header) {
  // Words that their owners write in their own way.
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"github", "GitHub"}, {"pagerduty", "PagerDuty"}, {"id", "ID"},
      {"uuid", "UUID"},     {"hmac", "Hmac"},
  };
  std::string out;
  for (size_t start = 0; start <= header.size();) {
    const auto end = std::min(header.find('-', start), header.size());
    const auto word = header.substr(start, end - start);
    if (start > 0)
      out.push_back('-');
    const auto* own =
        std::find_if(std::begin(names), std::end(names),
                     [&](const auto& n) { return n.first == word; });
    if (own != std::end(names)) {
      out.append(own->second);
    } else if (!word.empty()) {
      const char c = word.front();
      out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A')
                                         : c);
      out.append(word.substr(1));
    }
    start = end + 1;
  }
  return out;
}

} // namespace eventweft::platforms
