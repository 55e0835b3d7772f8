// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/sanitiser.hpp"

#include "codec/json_spans.hpp"
#include "codec/json_text.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace eventweft::platforms {

namespace {

enum class alphabet { word, dotted, base64, digits_upper };

/// A token: a fixed start, then so many characters of an alphabet.
struct shape {
  std::string_view owner;
  std::string_view start;
  alphabet letters;
  size_t min_length; ///< of what follows `start`
};

// As their owners document them, for secret scanners.
constexpr std::array shapes_known{
    shape{"github", "ghp_", alphabet::word, 36},
    shape{"github", "gho_", alphabet::word, 36},
    shape{"github", "ghu_", alphabet::word, 36},
    shape{"github", "ghs_", alphabet::word, 36},
    shape{"github", "ghr_", alphabet::word, 36},
    shape{"github", "github_pat_", alphabet::word, 60},
    shape{"gitlab", "glpat-", alphabet::word, 20},
    shape{"gitlab", "gldt-", alphabet::word, 20},
    shape{"gitlab", "glrt-", alphabet::word, 20},
    shape{"slack", "xoxb-", alphabet::word, 20},
    shape{"slack", "xoxp-", alphabet::word, 20},
    shape{"slack", "xoxa-", alphabet::word, 20},
    shape{"slack", "xoxs-", alphabet::word, 20},
    shape{"slack", "xoxr-", alphabet::word, 20},
    shape{"slack", "xoxe-", alphabet::word, 20},
    shape{"slack", "xoxe.", alphabet::dotted, 20},
    shape{"slack", "xapp-", alphabet::word, 20},
    shape{"slack", "hooks.slack.com/services/", alphabet::base64, 20},
    shape{"aws", "AKIA", alphabet::digits_upper, 16},
    shape{"aws", "ASIA", alphabet::digits_upper, 16},
    shape{"stripe", "sk_live_", alphabet::word, 20},
    shape{"stripe", "rk_live_", alphabet::word, 20},
    shape{"stripe", "sk_test_", alphabet::word, 20},
    shape{"stripe", "rk_test_", alphabet::word, 20},
    shape{"stripe", "whsec_", alphabet::base64, 24},
    shape{"google", "AIza", alphabet::word, 35},
    shape{"linear", "lin_api_", alphabet::word, 32},
    shape{"npm", "npm_", alphabet::word, 36},
    shape{"jwt", "eyJ", alphabet::dotted, 40},
    shape{"private_key", "-----BEGIN ", alphabet::word, 0},
};

constexpr std::array<std::string_view, 10> owners{
    "github", "gitlab", "slack", "aws", "stripe",
    "google", "linear", "npm",   "jwt", "private_key"};

bool fits(alphabet letters, char c) noexcept {
  const bool digit = c >= '0' && c <= '9';
  const bool upper = c >= 'A' && c <= 'Z';
  const bool lower = c >= 'a' && c <= 'z';
  switch (letters) {
  case alphabet::digits_upper:
    return digit || upper;
  case alphabet::word:
    return digit || upper || lower || c == '_' || c == '-';
  case alphabet::dotted:
    return digit || upper || lower || c == '_' || c == '-' || c == '.';
  case alphabet::base64:
    return digit || upper || lower || c == '+' || c == '/' || c == '=';
  }
  return false;
}

uint32_t bit_of(std::string_view owner) noexcept {
  const auto* found = std::find(owners.begin(), owners.end(), owner);
  return found == owners.end()
             ? 0
             : 1u << static_cast<unsigned>(found - owners.begin());
}

// The length of a private key in PEM from its first line to its last; one that
// is cut short ends with the text.
size_t pem_length(std::string_view text) noexcept {
  const auto label_end = text.find("-----", 11);
  if (label_end == std::string_view::npos ||
      text.substr(0, label_end).find("PRIVATE KEY") == std::string_view::npos)
    return 0;
  const auto last = text.find("-----END ", label_end);
  if (last == std::string_view::npos)
    return text.size();
  const auto end = text.find("-----", last + 9);
  return end == std::string_view::npos ? text.size() : end + 5;
}

// Whether the dot at `at` is the end of a sentence, not a part of a token.
bool is_full_stop(const shape& s, std::string_view text, size_t at) noexcept {
  return at + 1 >= text.size() || text[at + 1] == '.' ||
         !fits(s.letters, text[at + 1]);
}

size_t token_length(const shape& s, std::string_view text) noexcept {
  if (s.owner == "private_key")
    return pem_length(text);
  const bool is_jwt = s.owner == "jwt";
  size_t dots = 0;
  size_t end = s.start.size();
  for (; end < text.size() && fits(s.letters, text[end]); ++end) {
    if (!is_jwt || text[end] != '.')
      continue;
    // A JSON Web Token has three parts. What has more is not read to its end,
    // for each part may begin like a token.
    if (dots == 2 && !is_full_stop(s, text, end))
      return 0;
    if (dots == 2)
      break;
    ++dots;
  }
  if (end - s.start.size() < s.min_length || (is_jwt && dots != 2))
    return 0;
  return end;
}

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
    if (pointer.empty() || pointer.front() != '/')
      return fail(ec::bad_configuration,
                  std::string{where} + " redact: \"" + pointer +
                      "\" is not a JSON pointer (it starts with '/')");
    out.pointers_.push_back(pointer);
  }
  for (const auto& name : settings.redact_tokens) {
    const auto bit = name == "all" ? (1u << owners.size()) - 1 : bit_of(name);
    if (bit == 0) {
      std::string known;
      for (auto owner : owners)
        known.append(owner).append(", ");
      return fail(ec::bad_configuration,
                  std::string{where} + " redact_tokens: \"" + name +
                      "\" is not one of " + known + "all");
    }
    out.shapes_ |= bit;
  }
  for (const auto& s : shapes_known)
    if ((bit_of(s.owner) & out.shapes_) != 0)
      out.starts_[static_cast<unsigned char>(s.start.front())] = true;
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

sanitiser::token sanitiser::find_token(std::string_view text) const noexcept {
  for (const auto& s : shapes_known)
    if ((bit_of(s.owner) & shapes_) != 0 && text.starts_with(s.start))
      if (const auto length = token_length(s, text); length > 0)
        return {s.owner, length};
  return {};
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
    const auto found = candidate ? find_token(text.substr(i)) : token{};
    if (found.length == 0) {
      within_word = fits(alphabet::word, text[i]);
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
