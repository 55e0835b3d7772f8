// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/sanitiser.hpp"

#include "codec/json_spans.hpp"
#include "codec/json_text.hpp"
#include "config/token_owners.hpp"
#include "messages/json_pointer.hpp"

#include <algorithm>
#include <span>

namespace eventweft::platforms {

namespace {

// How many texts within one another are unescaped.
constexpr unsigned max_depth = 4;

void note(redaction& r, std::string what) {
  if (std::find(r.notes.begin(), r.notes.end(), what) == r.notes.end())
    r.notes.push_back(std::move(what));
}

} // namespace

expected<sanitiser> sanitiser::make(const config::platform_settings& settings,
                                    std::string_view where) {
  sanitiser out;
  for (const auto& pointer : settings.redact) {
    if (!is_json_pointer(pointer))
      return fail(ec::bad_configuration,
                  std::string{where} + " redact: \"" + pointer +
                      "\" is not a JSON pointer (it " +
                      std::string{json_pointer_form} + ")");
    out.pointers_.push_back(pointer);
  }
  for (const auto& name : settings.redact_tokens) {
    const auto set = name == "all" ? all_owners : owner_of(name);
    if (set == 0) {
      std::string known;
      for (auto owner : config::token_owners)
        known.append(owner).append(", ");
      return fail(ec::bad_configuration,
                  std::string{where} + " redact_tokens: \"" + name +
                      "\" is not one of " + known + "all");
    }
    out.shapes_ |= set;
  }
  out.starts_ = first_bytes(out.shapes_);
  return out;
}

std::optional<redaction> sanitiser::pointers(std::string_view json) const {
  struct place {
    std::string_view value;
    const std::string* pointer;
  };
  std::vector<place> places;
  for (const auto& pointer : pointers_)
    for (auto value : codec::json_places(json, pointer))
      // What holds nothing has nothing to hide.
      if (value != "null" && value != "\"[redacted]\"")
        places.push_back({value, &pointer});
  if (places.empty())
    return std::nullopt;
  // Outer values come before the inner ones that start where they do.
  std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) {
    return a.value.data() != b.value.data() ? a.value.data() < b.value.data()
                                            : a.value.size() > b.value.size();
  });
  redaction out;
  size_t copied = 0;
  for (const auto& p : places) {
    const auto start = static_cast<size_t>(p.value.data() - json.data());
    if (start < copied)
      continue; // within a value that is gone already
    out.text.append(json, copied, start - copied);
    out.text.append("\"").append(redacted_text).append("\"");
    copied = start + p.value.size();
    note(out, *p.pointer);
  }
  out.text.append(json, copied, std::string_view::npos);
  return out;
}

// Of texts in texts, as senders quote JSON in JSON, the inner ones too: what
// stands in them starts after an escape of their own (`\\n`).
void sanitiser::find_tokens(std::string_view text, unsigned depth,
                            std::vector<token_place>& places) const {
  if (depth < max_depth && text.find('\\') != std::string_view::npos) {
    const codec::unescaped plain{text};
    const auto known = places.size();
    find_tokens(plain.text(), depth + 1, places);
    for (auto& p : std::span{places}.subspan(known)) {
      p.start = plain.source(p.start);
      p.end = plain.source(p.end);
    }
    if (depth == 0)
      return;
  }
  // A token starts a word.
  bool within_word = false;
  for (size_t i = 0; i < text.size();) {
    const bool candidate =
        !within_word && starts_[static_cast<unsigned char>(text[i])];
    const auto found = candidate ? find_token(text, i, shapes_) : found_token{};
    if (found.length == 0) {
      within_word = is_word_byte(text[i]);
      ++i;
      continue;
    }
    places.push_back({i, i + found.length, found.owner});
    i += found.length;
    within_word = false;
  }
}

std::optional<redaction> sanitiser::shapes(std::string_view text) const {
  if (shapes_ == 0)
    return std::nullopt;
  // Strings are looked through one by one; what is between them has neither
  // tokens nor escapes, and takes the same way.
  std::vector<token_place> places;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && text[end] != '"')
      end = std::min(end + (text[end] == '\\' ? 2 : 1), text.size());
    const auto known = places.size();
    find_tokens(text.substr(i, end - i), 0, places);
    for (auto& p : std::span{places}.subspan(known)) {
      p.start += i;
      p.end += i;
    }
    i = end + 1;
  }
  if (places.empty())
    return std::nullopt;
  std::ranges::sort(places, {}, &token_place::start);
  redaction out;
  size_t copied = 0;
  for (const auto& p : places) {
    note(out, "token:" + std::string{p.owner});
    if (p.end <= copied)
      continue; // within one that is gone already
    if (p.start >= copied) {
      out.text.append(text, copied, p.start - copied);
      out.text.append(redacted_text);
    }
    copied = p.end;
  }
  out.text.append(text, copied, std::string_view::npos);
  return out;
}

std::optional<redaction> sanitiser::apply(std::string_view json) const {
  auto by_pointer = pointers(json);
  auto by_shape = shapes(by_pointer ? by_pointer->text : json);
  if (!by_pointer || !by_shape)
    return by_pointer ? std::move(by_pointer) : std::move(by_shape);
  for (auto& what : by_shape->notes)
    by_pointer->notes.push_back(std::move(what));
  by_pointer->text = std::move(by_shape->text);
  return by_pointer;
}

std::string with_redactions(std::string metadata,
                            const std::vector<std::string>& notes) {
  std::string list = "\"redacted\":[";
  for (const auto& what : notes) {
    if (list.back() != '[')
      list.push_back(',');
    codec::append_quoted(list, what);
  }
  list.push_back(']');
  // The sender's own member of that name would make two.
  const auto members = codec::json_members(metadata);
  if (std::ranges::any_of(members,
                          [](const auto& m) { return m.key == "redacted"; })) {
    std::string rest = "{";
    for (const auto& m : members) {
      if (m.key == "redacted")
        continue;
      if (rest.back() != '{')
        rest.push_back(',');
      codec::append_quoted(rest, m.key);
      rest.append(1, ':').append(m.value);
    }
    metadata = rest + '}';
  }
  return with_member(std::move(metadata), std::move(list));
}

std::string with_member(std::string metadata, std::string member) {
  const auto end = metadata.rfind('}');
  const auto last = end == std::string::npos
                        ? std::string::npos
                        : metadata.find_last_not_of(" \t\r\n", end - 1);
  if (last == std::string::npos)
    return "{" + member + "}";
  if (metadata[last] != '{')
    member.insert(member.begin(), ',');
  metadata.insert(last + 1, member);
  return metadata;
}

} // namespace eventweft::platforms
