// SPDX-License-Identifier: Apache-2.0
#include "correlation/keys.hpp"

#include "messages/ascii.hpp"
#include "messages/trace_context.hpp"

#include <algorithm>
#include <cctype>

namespace eventweft::correlation {

namespace {

bool repository_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool is_plain(std::string_view text, std::string_view also) noexcept {
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || also.find(static_cast<char>(c)) != also.npos;
  });
}

constexpr std::string_view commit_pr = "git:pr:";
constexpr std::string_view linear_issue = "linear:issue:";
constexpr std::string_view slack_thread = "slack:thread:";
constexpr std::string_view teamless_thread = "slack:thread::";

// 26 of Crockford's digits; the first is a number below eight.
bool is_ulid(std::string_view text) noexcept {
  if (text.size() != 26 || text[0] < '0' || text[0] > '7')
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto low = eventweft::lower(c);
    return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z' && low != 'i' &&
                                      low != 'l' && low != 'o' && low != 'u');
  });
}

std::string numbered(std::string_view family, const repository& repo,
                     uint64_t number) {
  std::string out{family};
  out.append(repo.path()).append("#").append(std::to_string(number));
  return out;
}

} // namespace

std::string lower(std::string_view text) {
  return lower_case(text);
}

std::string upper(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 32);
  return out;
}

bool is_digits(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
}

std::optional<uint64_t> parse_number(std::string_view digits) noexcept {
  if (!is_digits(digits) || digits.size() > 9 || digits.front() == '0')
    return std::nullopt;
  uint64_t n = 0;
  for (char c : digits)
    n = n * 10 + static_cast<uint64_t>(c - '0');
  return n;
}

std::string repository::path() const {
  return host.empty() ? name : host + '/' + name;
}

std::string canonical_host(std::string_view host) {
  if (host.empty())
    return {};
  std::string out = lower(host);
  // In any order, so that what comes of it stays as it is.
  for (bool more = true; more;) {
    more = false;
    for (std::string_view prefix : {"redirect.", "www.", "api."})
      if (out.starts_with(prefix)) {
        out.erase(0, prefix.size());
        more = true;
      }
  }
  // github.dev shows the same repositories in an editor.
  if (out == "github.com" || out == "uploads.github.com" || out == "github.dev")
    return {};
  return out;
}

std::optional<repository> repository_of(std::string_view full_name,
                                        std::string_view host) {
  auto name = lower(full_name);
  if (host.size() > 253 || !is_plain(host, ".-:[]"))
    return std::nullopt;
  const auto slash = name.find('/');
  if (slash == std::string::npos || slash == 0 || slash > 64 ||
      slash + 1 == name.size() || name.size() - slash > 110)
    return std::nullopt;
  for (size_t i = 0; i < name.size(); ++i)
    if (i != slash && !repository_char(name[i]))
      return std::nullopt;
  while (name.ends_with(".git"))
    name.erase(name.size() - 4);
  const auto repo = std::string_view{name}.substr(slash + 1);
  if (repo.empty() || repo == "." || repo == "..")
    return std::nullopt;
  return repository{canonical_host(host), std::move(name)};
}

std::string pr_key(const repository& repo, uint64_t number) {
  return numbered("github:pr:", repo, number);
}

std::string issue_key(const repository& repo, uint64_t number) {
  return numbered("github:issue:", repo, number);
}

std::string linear_key(std::string_view team, uint64_t number) {
  std::string out = "linear:issue:";
  out.append(upper(team)).append("-").append(std::to_string(number));
  return out;
}

std::string linear_id_key(std::string_view id) {
  return "linear:id:" + lower(trim(id));
}

std::optional<std::string> sha_key(std::string_view hex) {
  if (hex.size() != 40 || !is_hex(hex) ||
      hex.find_first_not_of('0') == std::string_view::npos)
    return std::nullopt;
  return "git:sha:" + lower(hex);
}

std::string branch_key(const repository& repo, std::string_view name) {
  while (name.starts_with("refs/heads/"))
    name.remove_prefix(11);
  std::string out = "git:branch:";
  out.append(repo.path()).append(":").append(name);
  return out;
}

std::optional<std::string> slack_thread_key(std::string_view team,
                                            std::string_view channel,
                                            std::string_view ts) {
  std::string seconds;
  std::string fraction;
  if (ts.starts_with('p') && is_digits(ts.substr(1)) && ts.size() > 7) {
    seconds = ts.substr(1, ts.size() - 7);
    fraction = ts.substr(ts.size() - 6);
  } else {
    const auto point = ts.find('.');
    seconds = ts.substr(0, point);
    if (point != std::string_view::npos)
      fraction = ts.substr(point + 1);
    if (!is_digits(seconds) || seconds.size() > 12 || fraction.size() > 12 ||
        (!fraction.empty() && !is_digits(fraction)))
      return std::nullopt;
    fraction.resize(6, '0');
  }
  if (channel.empty() || channel.size() > 32 || !is_plain(channel, {}) ||
      !is_plain(team, {}) || seconds.size() > 12)
    return std::nullopt;
  std::string out = "slack:thread:";
  out.append(upper(team)).append(":").append(upper(channel)).append(":");
  out.append(seconds).append(".").append(fraction);
  return out;
}

std::string deployment_key(std::string_view id, const repository& repo) {
  id = trim(id);
  std::string out{deployment_family};
  if (!repo.empty())
    out.append(repo.path()).append("#");
  return out.append(id);
}

bool counts_in_repository(std::string_view id) noexcept {
  id = trim(id);
  return is_digits(id) && id.size() < 7;
}

bool is_bare_deployment(std::string_view key) noexcept {
  return key.starts_with(deployment_family) &&
         key.find('#') == std::string_view::npos;
}

std::optional<std::string> trace_key(std::string_view traceparent) {
  if (const auto id = trace_id_of(traceparent))
    return "trace:" + lower(*id);
  return std::nullopt;
}

std::string correlation_id_key(std::string_view id) {
  id = trim(id);
  if (const auto ours = uuid::parse(id))
    return correlation_id_key(*ours);
  return std::string{correlation_family}.append(id);
}

std::string correlation_id_key(const uuid& id) {
  return std::string{correlation_family}.append(to_string(id));
}

std::optional<std::string> event_key(std::string_view source,
                                     std::string_view id) {
  source = trim(source);
  if (source.empty() || id.empty() ||
      source.find(' ') != std::string_view::npos)
    return std::nullopt;
  std::string out = "event:";
  out.append(source).append(" ").append(id);
  return out;
}

std::optional<std::string> global_event_key(std::string_view id) {
  if (const auto known = uuid::parse(id))
    return known->is_nil() ? std::nullopt
                           : std::optional{"event:" + to_string(*known)};
  if (is_ulid(id))
    return "event:" + upper(id);
  return std::nullopt;
}

bool is_global_event(std::string_view key) noexcept {
  return key.starts_with(event_family) &&
         key.find(' ') == std::string_view::npos;
}

std::optional<uuid> own_id_in(std::string_view key) {
  for (const auto family : {correlation_family, event_family})
    if (key.starts_with(family))
      return uuid::parse(key.substr(family.size()));
  return std::nullopt;
}

std::string other_name_of(std::string_view key, const uuid& id) {
  if (key.starts_with(event_family))
    return correlation_id_key(id);
  return std::string{event_family}.append(to_string(id));
}

std::string team_fact(std::string_view team) {
  return "linear:team:" + upper(team);
}

std::string channel_fact(std::string_view channel) {
  return "slack:channel:" + upper(channel);
}

std::string host_fact(std::string_view host) {
  return "github:host:" + lower(host);
}

std::string sha_fact(std::string_view hex) {
  return "git:sha7:" + lower(hex.substr(0, 7));
}

std::optional<std::string> pr_of_commit(std::string_view hex) {
  const auto sha = sha_key(hex);
  if (!sha)
    return std::nullopt;
  return std::string{commit_pr}.append(
      std::string_view{*sha}.substr(sha_family.size()));
}

bool is_pr_of_commit(std::string_view name) noexcept {
  return name.starts_with(commit_pr);
}

bool is_full_sha(std::string_view key) noexcept {
  return key.starts_with(sha_family) && key.size() == sha_family.size() + 40;
}

bool is_short_sha(std::string_view key) noexcept {
  if (!key.starts_with(sha_family))
    return false;
  const auto hex = key.substr(sha_family.size());
  return hex.size() >= 7 && hex.size() < 40 && is_hex(hex);
}

bool is_of_a_family(std::string_view key) noexcept {
  constexpr std::string_view families[] = {
      "github:",    "linear:",         "git:",   slack_thread,
      event_family, deployment_family, "trace:", correlation_family};
  return std::any_of(
      std::begin(families), std::end(families),
      [key](std::string_view family) { return key.starts_with(family); });
}

std::optional<std::pair<std::string, std::string>>
as_it_waits(std::string_view key) {
  if (key.starts_with(linear_issue)) {
    const auto id = key.substr(linear_issue.size());
    return std::pair{team_fact(id.substr(0, id.rfind('-'))), std::string{key}};
  }
  if (!key.starts_with(slack_thread))
    return std::nullopt;
  const auto team = key.substr(slack_thread.size());
  const auto rest = team.substr(std::min(team.find(':'), team.size()));
  auto waits = std::string{slack_thread}.append(rest);
  auto fact = needed_fact(waits);
  return std::pair{std::move(fact), std::move(waits)};
}

std::string needed_fact(std::string_view key) {
  if (is_short_sha(key))
    return sha_fact(key.substr(sha_family.size()));
  if (key.starts_with(teamless_thread)) {
    const auto rest = key.substr(teamless_thread.size());
    return channel_fact(rest.substr(0, rest.find(':')));
  }
  return {};
}

std::string resolve_key(std::string_view key, std::string_view value) {
  constexpr std::string_view thread = teamless_thread;
  if (key.starts_with(thread)) {
    std::string out = "slack:thread:";
    out.append(value).append(":").append(key.substr(thread.size()));
    return out;
  }
  if ((key.starts_with(sha_family) && value.starts_with(sha_family)) ||
      is_pr_of_commit(key))
    return std::string{value};
  return std::string{key};
}

} // namespace eventweft::correlation
