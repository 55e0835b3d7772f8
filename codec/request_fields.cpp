// SPDX-License-Identifier: Apache-2.0
#include "codec/request_fields.hpp"

#include "codec/boost_text.hpp"
#include "codec/filter.hpp"
#include "codec/payload.hpp"
#include "messages/complaint.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace eventweft::codec {

namespace {

namespace json = boost::json;

constexpr size_t max_format = 100;
constexpr size_t max_path_name = 100;

/// In any text or name of it. The depth of what was read is bounded.
bool holds_nul(const json::value& v) {
  const auto in_text = [](json::string_view text) {
    return text.find('\0') != json::string_view::npos;
  };
  if (const auto* text = v.if_string())
    return in_text(*text);
  if (const auto* list = v.if_array())
    return std::ranges::any_of(*list, holds_nul);
  const auto* object = v.if_object();
  return object != nullptr &&
         std::ranges::any_of(*object, [&](const auto& member) {
           return in_text(member.key()) || holds_nul(member.value());
         });
}

} // namespace

bool is_path_name(std::string_view name) noexcept {
  // Clients take these out of paths (RFC 3986, 5.2.4): nobody could ask for it.
  if (name == "." || name == "..")
    return false;
  return !name.empty() && name.size() <= max_path_name &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
         });
}

expected<request_fields> request_fields::read(std::string_view body) {
  boost::system::error_code code;
  auto root = json::parse(view(body), code);
  if (code)
    return fail(ec::malformed, "body: not JSON: " + code.message());
  if (!root.is_object())
    return fail(ec::malformed, "body: expected a JSON object");
  // This library keeps the last of several members with one name. The other
  // one, which shows all of them, reads U+0000 as something else.
  payload_reader reader;
  const auto raw = reader.parse(body);
  if (!raw)
    return fail(ec::malformed, "body: " + raw.error().message);
  const simdjson::dom::object members = raw->get_object();
  if (const auto twice = repeated_member(members))
    return fail(ec::malformed, complaint(*twice, "is given twice"));
  request_fields out{std::move(root.as_object())};
  for (const auto& member : members) {
    simdjson::dom::object inner;
    if (member.key == "filter")
      out.filter_ = simdjson::minify(member.value);
    else if (member.key == "match")
      out.match_ = simdjson::minify(member.value);
    else if (member.value.get(inner) != simdjson::SUCCESS)
      continue;
    else if (const auto again = repeated_member(inner))
      return fail(ec::malformed, complaint(member.key, std::string{*again} +
                                                           " is given twice"));
  }
  return out;
}

const json::value* request_fields::find(std::string_view name) {
  known_.push_back(name);
  const auto* found = members_.if_contains(view(name));
  return found != nullptr && found->is_null() ? nullptr : found;
}

void request_fields::text(std::string_view name, size_t most,
                          std::optional<std::string>& out) {
  const auto* x = find(name);
  if (x == nullptr)
    return;
  if (!x->is_string() || x->as_string().size() > most)
    note(name,
         "expected a string of at most " + std::to_string(most) + " bytes");
  else if (x->as_string().find('\0') != json::string::npos)
    note(name, "must not hold U+0000");
  else
    out = std::string{view(x->as_string())};
}

void request_fields::flag(std::string_view name, std::optional<bool>& out) {
  const auto* x = find(name);
  if (x == nullptr)
    return;
  if (!x->is_bool())
    note(name, "expected true or false");
  else
    out = x->as_bool();
}

void request_fields::whole(std::string_view name, uint32_t most,
                           std::optional<uint32_t>& out) {
  const auto* x = find(name);
  if (x == nullptr)
    return;
  boost::system::error_code code;
  const auto number = x->to_number<uint32_t>(code);
  if (code || number > most)
    note(name, "expected a whole number from 0 to " + std::to_string(most));
  else
    out = number;
}

void request_fields::number(std::string_view name, uint32_t most,
                            std::optional<double>& out) {
  const auto* x = find(name);
  if (x == nullptr)
    return;
  boost::system::error_code code;
  const auto value = x->to_number<double>(code);
  if (code || !std::isfinite(value) || value < 0 || value > most)
    note(name, "expected a number from 0 to " + std::to_string(most));
  else
    out = value;
}

void request_fields::filter(std::optional<eventweft::filter>& out) {
  const auto* x = find("filter");
  if (x == nullptr)
    return;
  if (holds_nul(*x)) {
    note("filter", "must not hold U+0000");
    return;
  }
  auto read = parse_kept_filter(filter_);
  if (read)
    out = std::move(*read);
  else if (!fault_)
    fault_ = read.error();
}

void request_fields::match(std::optional<eventweft::filter>& out) {
  const auto* x = find("match");
  if (x == nullptr)
    return;
  if (holds_nul(*x)) {
    note("match", "must not hold U+0000");
    return;
  }
  auto read = parse_filter(match_);
  if (read)
    out = std::move(*read);
  else if (!fault_)
    fault_ = error{read.error().code,
                   complaint("match", read.error().message, "filter")};
}

void request_fields::format(std::string_view name,
                            std::optional<wire_format>& out) {
  std::optional<std::string> text_of;
  text(name, max_format, text_of);
  if (!text_of)
    return;
  if (*text_of == "native")
    out = wire_format::native;
  else if (*text_of == "cloudevents")
    out = wire_format::cloudevents;
  else
    note(name, R"(expected "native" or "cloudevents")");
}

void request_fields::since(std::string_view name,
                           std::optional<start_point>& out) {
  const auto* x = find(name);
  if (x == nullptr)
    return;
  const auto text_of =
      x->is_string() ? std::string{view(x->as_string())} : json::serialize(*x);
  auto read = parse_since(text_of);
  if (!read)
    note(name, read.error().message);
  else
    out = *read;
}

void request_fields::headers(std::string_view name,
                             std::optional<outgoing::header_list>& out) {
  const auto* x = find(name);
  if (x == nullptr)
    return;
  if (!x->is_object()) {
    note(name, "expected an object of strings");
    return;
  }
  outgoing::header_list list;
  for (const auto& [key, value] : x->as_object()) {
    if (!value.is_string()) {
      note(name, "expected an object of strings");
      return;
    }
    list.emplace_back(std::string{key.data(), key.size()},
                      std::string{view(value.as_string())});
  }
  out = std::move(list);
}

void request_fields::note(std::string_view name, std::string_view what) {
  if (!fault_)
    fault_ = error{ec::unprocessable, complaint(name, what)};
}

expected<void> request_fields::finish() const {
  if (fault_)
    return fail(*fault_);
  for (const auto& member : members_) {
    const std::string_view name{member.key().data(), member.key().size()};
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      return fail(ec::unprocessable,
                  "unknown member \"" + std::string{name} + '"');
  }
  return {};
}

} // namespace eventweft::codec
