// SPDX-License-Identifier: Apache-2.0
// The spellings that people and custom rules use, brought into the one form.
#include "correlation/keys.hpp"
#include "correlation/url_reference.hpp"
#include "messages/ascii.hpp"

#include <algorithm>
#include <cctype>

namespace eventweft::correlation {

namespace {

std::string_view without_zeros(std::string_view digits) noexcept {
  while (digits.size() > 1 && digits.front() == '0')
    digits.remove_prefix(1);
  return digits;
}

// "octo/repo#12" into its repository and number.
struct short_reference {
  repository repo;
  uint64_t number;
};

std::optional<short_reference> read_short(std::string_view text) {
  const auto hash = text.rfind('#');
  if (hash == std::string_view::npos)
    return std::nullopt;
  const auto number = parse_number(without_zeros(text.substr(hash + 1)));
  auto repo = repository_of_path(text.substr(0, hash));
  if (!number || !repo)
    return std::nullopt;
  return short_reference{std::move(*repo), *number};
}

std::optional<std::string> linear_spelling(std::string_view text) {
  const auto hyphen = text.rfind('-');
  if (hyphen == std::string_view::npos || hyphen == 0 || hyphen > 10)
    return std::nullopt;
  const auto team = text.substr(0, hyphen);
  const auto number = parse_number(text.substr(hyphen + 1));
  const bool ok = number && std::isalpha(static_cast<unsigned char>(team[0])) &&
                  std::all_of(team.begin(), team.end(), [](char c) {
                    return std::isalnum(static_cast<unsigned char>(c)) != 0;
                  });
  if (!ok)
    return std::nullopt;
  return linear_key(team, *number);
}

std::optional<std::string> read_sha(std::string_view hex,
                                    const sha_lookup& known) {
  if (auto key = sha_key(hex))
    return key;
  if (hex.size() < 7 || hex.size() > 40 || !is_hex(hex))
    return std::nullopt;
  if (known)
    if (auto full = known(lower(hex)))
      return sha_key(*full);
  return std::nullopt;
}

// Families that a person may spell in any case.
constexpr std::string_view folded_families[] = {
    "github:pr:", "github:issue:", "linear:issue:", "linear:id:",
    "git:sha:",   "git:branch:",   "slack:thread:", deployment_family};

std::string fold_family(std::string_view text) {
  std::string out{text};
  for (const auto family : folded_families)
    if (starts_with_folded(text, family))
      out.replace(0, family.size(), family);
  return out;
}

// What a variable has that was never set names nothing.
bool names_nothing(std::string_view key) {
  constexpr std::string_view trace = "trace:";
  if (key.starts_with(trace))
    return key.find_first_not_of('0', trace.size()) == key.npos;
  const auto id = own_id_in(key);
  return id && id->is_nil();
}

// Those whose keys have one form: a text that is not in it is no key.
bool is_strict(std::string_view text) noexcept {
  return text.starts_with("github:pr:") || text.starts_with("github:issue:") ||
         text.starts_with(sha_family);
}

// "octo/repo#12", also behind the address of its host, and the address of the
// thing itself.
std::optional<short_reference> read_numbered(std::string_view rest) {
  if (!rest.starts_with("https://") && !rest.starts_with("http://"))
    return read_short(rest);
  if (const auto url = read_url(rest)) {
    const std::string_view key = url->keys.front().key;
    for (const std::string_view family : {"github:pr:", "github:issue:"})
      if (key.starts_with(family))
        return read_short(key.substr(family.size()));
  }
  return read_short(rest.substr(rest.find("//") + 2));
}

std::optional<std::string> slack_spelling(std::string_view rest) {
  const auto team = rest.substr(0, rest.find(':'));
  rest.remove_prefix(std::min(rest.size(), team.size() + 1));
  const auto channel = rest.substr(0, rest.find(':'));
  rest.remove_prefix(std::min(rest.size(), channel.size() + 1));
  return slack_thread_key(team, channel, rest);
}

// "Octo/Repo#42"; an id alone stays as it is.
std::optional<std::string> read_deployment(std::string_view rest) {
  const auto hash = rest.find('#');
  if (hash == std::string_view::npos || hash + 1 == rest.size())
    return std::nullopt;
  const auto repo = repository_of_path(rest.substr(0, hash));
  if (!repo)
    return std::nullopt;
  return deployment_key(rest.substr(hash + 1), *repo);
}

std::optional<std::string> read_family(std::string_view text,
                                       const sha_lookup& known) {
  const auto after = [&](std::string_view family) {
    return text.substr(family.size());
  };
  if (text.starts_with("github:pr:") || text.starts_with("github:issue:")) {
    const bool pr = text.starts_with("github:pr:");
    if (auto found = read_numbered(after(pr ? "github:pr:" : "github:issue:")))
      return pr ? pr_key(found->repo, found->number)
                : issue_key(found->repo, found->number);
  } else if (text.starts_with("linear:issue:")) {
    const auto id = after("linear:issue:");
    const auto hyphen = id.rfind('-');
    if (hyphen == std::string_view::npos)
      return std::nullopt;
    return linear_spelling(std::string{id.substr(0, hyphen + 1)}.append(
        without_zeros(id.substr(hyphen + 1))));
  } else if (text.starts_with("linear:id:")) {
    return linear_id_key(after("linear:id:"));
  } else if (text.starts_with("git:sha:")) {
    const auto hex = after("git:sha:");
    if (auto key = read_sha(hex, known))
      return key;
    if (is_short_sha(text))
      return "git:sha:" + lower(hex);
  } else if (text.starts_with("git:branch:")) {
    const auto rest = after("git:branch:");
    const auto colon = rest.find(':');
    if (colon != std::string_view::npos && colon + 1 < rest.size())
      if (const auto repo = repository_of_path(rest.substr(0, colon)))
        return branch_key(*repo, rest.substr(colon + 1));
  } else if (text.starts_with("slack:thread:")) {
    return slack_spelling(after("slack:thread:"));
  } else if (text.starts_with(deployment_family)) {
    return read_deployment(after(deployment_family));
  } else if (text.starts_with("event:")) {
    return global_event_key(after("event:"));
  } else if (text.starts_with("trace:")) {
    const auto rest = after("trace:");
    if (rest.size() == 32 && is_hex(rest))
      return "trace:" + lower(rest);
    return trace_key(rest);
  }
  return std::nullopt;
}

} // namespace

std::optional<repository> repository_of_path(std::string_view path) {
  std::string_view host;
  if (std::count(path.begin(), path.end(), '/') == 2) {
    host = path.substr(0, path.find('/'));
    path.remove_prefix(host.size() + 1);
  }
  return repository_of(path, host);
}

std::optional<std::string> normalise_key(std::string_view text,
                                         const sha_lookup& known) {
  text = trim(text);
  if (text.empty() || text.size() > max_key_size ||
      std::any_of(text.begin(), text.end(),
                  [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return std::nullopt;
  const auto folded = fold_family(text);
  text = folded;
  if (names_nothing(text))
    return std::nullopt;
  if (auto key = read_family(text, known))
    return key->size() > max_key_size ? std::nullopt : std::move(key);
  if (is_strict(text))
    return std::nullopt;
  if (const auto url = read_url(text); url && !url->keys.empty()) {
    const std::string_view key = url->keys.front().key;
    if (is_short_sha(key))
      if (auto full = read_sha(key.substr(sha_family.size()), known))
        return full;
    return std::string{key};
  }
  if (auto key = trace_key(text))
    return key;
  if (const auto found = read_short(text))
    return pr_key(found->repo, found->number);
  // In lower case it may as well be a name of the user's own: "deploy-12".
  if (text == upper(text))
    if (auto key = linear_spelling(text))
      return key;
  if (auto key = sha_key(text))
    return key;
  if (known && text.size() >= 7 && text.size() < 40 && is_hex(text))
    if (auto key = read_sha(text, known))
      return key;
  return std::string{text};
}

} // namespace eventweft::correlation
