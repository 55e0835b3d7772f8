// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/text_template.hpp"

#include "crypto/digest.hpp"
#include "messages/ascii.hpp"
#include "messages/json_pointer.hpp"

#include <algorithm>

namespace eventweft::platforms {

namespace {

constexpr size_t max_template = 1'024;

bool is_header_name(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

} // namespace

expected<text_template> text_template::parse(std::string_view text) {
  if (text.size() > max_template)
    return fail(ec::malformed, "a template is longer than " +
                                   std::to_string(max_template) + " bytes");
  text_template out;
  out.source_ = text;
  const auto add = [&](char c) {
    if (out.parts_.empty() || out.parts_.back().what != kind::literal)
      out.parts_.push_back({});
    out.parts_.back().text.push_back(c);
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      add(c);
      ++i;
      continue;
    }
    if (c == '}')
      return fail(ec::malformed, "'}' without '{' in \"" + std::string{text} +
                                     "\" (write }} for a brace)");
    if (c != '{') {
      add(c);
      continue;
    }
    const auto end = text.find('}', i);
    if (end == std::string_view::npos)
      return fail(ec::malformed,
                  "'{' without '}' in \"" + std::string{text} + "\"");
    const auto place = text.substr(i + 1, end - i - 1);
    const auto colon = std::min(place.find(':'), place.size());
    const auto what = place.substr(0, colon);
    const auto name =
        colon < place.size() ? place.substr(colon + 1) : std::string_view{};
    const bool named = colon < place.size();
    const auto refuse = [&](std::string_view why) {
      return fail(ec::malformed,
                  "{" + std::string{place} + "}: " + std::string{why});
    };
    if (what == "body" && !named) {
      out.parts_.push_back({kind::body, {}});
    } else if (what == "digest" && !named) {
      out.parts_.push_back({kind::digest, {}});
    } else if (what == "timestamp" && !named) {
      out.parts_.push_back({kind::timestamp, {}});
    } else if (what == "header") {
      auto lower = lower_case(name);
      if (!is_header_name(lower))
        return refuse("not a header's name");
      out.parts_.push_back({kind::header, std::move(lower)});
    } else if (what == "query") {
      if (name.empty())
        return refuse("the parameter's name is missing");
      out.parts_.push_back({kind::query, std::string{name}});
    } else if (what == "json") {
      if (!is_json_pointer(name))
        return refuse("a JSON pointer " + std::string{json_pointer_form});
      out.parts_.push_back({kind::json, std::string{name}});
    } else {
      return refuse("not one of {body} {header:NAME} {query:NAME} "
                    "{json:/POINTER} {timestamp} {digest}");
    }
    i = end;
  }
  return out;
}

expected<std::vector<std::string_view>>
text_template::pieces(request& r, std::string_view timestamp,
                      std::deque<std::string>& storage) const {
  std::vector<std::string_view> out;
  out.reserve(parts_.size());
  for (const auto& p : parts_) {
    switch (p.what) {
    case kind::literal:
      out.push_back(p.text);
      break;
    case kind::body:
      out.push_back(r.body());
      break;
    case kind::digest:
      storage.push_back(
          crypto::to_hex(crypto::digest(crypto::hash::sha256, r.body())));
      out.push_back(storage.back());
      break;
    case kind::timestamp:
      if (timestamp.empty())
        return fail(ec::unauthorized,
                    "the signature's header has no timestamp");
      out.push_back(timestamp);
      break;
    case kind::header: {
      const auto value = r.header(p.text);
      if (!value || value->empty())
        return fail(ec::unauthorized,
                    "header " + display_name(p.text) + " is missing");
      if (value->size() > max_header_value)
        return fail(ec::unauthorized,
                    "header " + display_name(p.text) + " is too long");
      out.push_back(*value);
      break;
    }
    case kind::query: {
      auto value = r.query(p.text);
      if (!value)
        return fail(ec::unauthorized,
                    "query parameter " + p.text + " is missing");
      storage.push_back(std::move(*value));
      out.push_back(storage.back());
      break;
    }
    case kind::json: {
      const auto root = r.json();
      if (!root)
        return fail(root.error());
      storage.emplace_back();
      const auto value = codec::text_at(*root, p.text, storage.back());
      if (!value)
        return fail(ec::malformed, "body: nothing at " + p.text);
      out.push_back(*value);
      break;
    }
    }
  }
  return out;
}

std::vector<std::string_view> text_template::names(kind what) const {
  std::vector<std::string_view> out;
  for (const auto& p : parts_)
    if (p.what == what)
      out.push_back(p.text);
  return out;
}

std::vector<std::string_view> text_template::headers() const {
  return names(kind::header);
}

std::vector<std::string_view> text_template::pointers() const {
  return names(kind::json);
}

bool text_template::has_timestamp() const noexcept {
  return std::ranges::any_of(
      parts_, [](const auto& p) { return p.what == kind::timestamp; });
}

std::optional<std::string> text_template::render(request& r) const {
  std::deque<std::string> storage;
  const auto found = pieces(r, {}, storage);
  if (!found)
    return std::nullopt;
  std::string out;
  for (auto piece : *found)
    out.append(piece);
  return out;
}

std::string alternatives::render(request& r) const {
  for (const auto& t : templates)
    if (auto text = t.render(r); text && !text->empty())
      return std::move(*text);
  return {};
}

std::string alternatives::describe() const {
  std::string out;
  for (const auto& t : templates)
    out.append(out.empty() ? "" : " or ").append(t.source());
  return out;
}

} // namespace eventweft::platforms
