// SPDX-License-Identifier: Apache-2.0
#include "correlation/url_reference.hpp"

#include "messages/ascii.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace eventweft::correlation {

namespace {

struct split_url {
  std::string_view host;
  // Path segments; as many as anything that we know has.
  std::array<std::string_view, 12> segments{};
  size_t count = 0;
  std::string_view query;
  std::string_view fragment;

  std::string_view at(size_t i) const noexcept {
    return i < count ? segments[i] : std::string_view{};
  }
  void drop_front(size_t n) noexcept {
    std::move(segments.begin() + static_cast<std::ptrdiff_t>(n), segments.end(),
              segments.begin());
    count -= std::min(n, count);
  }
};

std::string_view without_scheme(std::string_view url) noexcept {
  for (std::string_view scheme : {"https://", "http://", "//"})
    if (starts_with_folded(url, scheme))
      return url.substr(scheme.size());
  return url;
}

split_url split(std::string_view url) noexcept {
  split_url out;
  url = without_scheme(url);
  if (const auto hash = url.find('#'); hash != std::string_view::npos) {
    out.fragment = url.substr(hash + 1);
    url = url.substr(0, hash);
  }
  if (const auto mark = url.find('?'); mark != std::string_view::npos) {
    out.query = url.substr(mark + 1);
    url = url.substr(0, mark);
  }
  const auto slash = url.find('/');
  out.host = url.substr(0, slash);
  if (const auto user = out.host.rfind('@'); user != std::string_view::npos)
    out.host.remove_prefix(user + 1);
  if (const auto port = out.host.find(':'); port != std::string_view::npos)
    out.host = out.host.substr(0, port);
  while (slash != std::string_view::npos && !url.empty()) {
    const auto next = url.find('/');
    if (next == std::string_view::npos)
      break;
    url.remove_prefix(next + 1);
    const auto segment = url.substr(0, url.find('/'));
    if (!segment.empty() && out.count < out.segments.size())
      out.segments[out.count++] = segment;
  }
  return out;
}

// The number at the start of "42-title" or "42".
std::optional<uint64_t> leading_number(std::string_view text) noexcept {
  const auto end = text.find_first_not_of("0123456789");
  return parse_number(text.substr(0, end));
}

bool looks_like_github(std::string_view host) {
  const auto name = lower(host);
  if (name == "github.com" || name == "www.github.com" ||
      name == "api.github.com" || name == "redirect.github.com")
    return true;
  if (name.find("gist") != std::string::npos ||
      name.ends_with("githubusercontent.com") || name.ends_with(".github.io") ||
      name.ends_with("githubstatus.com") || name == "docs.github.com" ||
      (name.ends_with(".github.com") && !name.starts_with("api.")))
    return false;
  return name.starts_with("github.") || name.starts_with("ghe.") ||
         name.starts_with("ghes.") || name.ends_with(".ghe.com") ||
         name.find(".ghe.") != std::string::npos;
}

// Other forges whose paths look the same, and hosts of GitHub's that are not
// its pages.
bool is_known_other(std::string_view name) {
  for (std::string_view other :
       {"gitlab", "gitea", "forgejo", "codeberg", "bitbucket", "gitee", "gogs",
        "github.com", "github.io", "githubusercontent.com", "githubstatus"})
    if (name.find(other) != std::string_view::npos)
      return true;
  return false;
}

std::optional<url_reference> read_github(split_url url, bool sure) {
  std::string_view host = url.host;
  // api.github.com/repos/o/r/…, ghe.acme.com/api/v3/repos/o/r/…
  if (url.at(0) == "api" && url.at(1) == "v3")
    url.drop_front(2);
  if (url.at(0) == "repos" && url.count > 2)
    url.drop_front(1);
  if (url.count < 2)
    return std::nullopt;
  std::string full{url.at(0)};
  full.append("/").append(url.at(1));
  auto repo = repository_of(full, host);
  if (!repo)
    return std::nullopt;
  url_reference out;
  out.repo = *repo;
  const auto what = url.at(2);
  const auto number = leading_number(url.at(3));
  if ((what == "pull" || what == "pulls") && number) {
    out.keys.push_back({pr_key(*repo, *number), correlation_noun::pr, {}});
    if (url.at(4) == "commits" || url.at(4) == "changes")
      if (auto sha = sha_key(url.at(5)))
        out.keys.push_back({*sha, correlation_noun::commit, {}});
    return out;
  }
  const std::string doubt = sure ? std::string{} : host_fact(repo->host);
  if (what == "issues" && number) {
    out.keys.push_back(
        {issue_key(*repo, *number), correlation_noun::issue, doubt});
  } else if (what == "commit" || what == "commits" || what == "statuses" ||
             (what == "git" && url.at(3) == "commits")) {
    auto hex = what == "git" ? url.at(4) : url.at(3);
    for (std::string_view end : {".patch", ".diff"})
      if (hex.ends_with(end))
        hex.remove_suffix(end.size());
    if (auto sha = sha_key(hex))
      out.keys.push_back({*sha, correlation_noun::commit, doubt});
    else if (sure && hex.size() >= 7 && hex.size() < 40 && is_hex(hex))
      out.keys.push_back(
          {"git:sha:" + lower(hex), correlation_noun::commit, sha_fact(hex)});
  }
  return out;
}

std::optional<url_reference> read_linear(const split_url& url) {
  // linear.app/acme/issue/ENG-42/title, linear.app/issue/ENG-42
  const size_t at = url.at(0) == "issue" ? 0 : 1;
  if (url.at(at) != "issue")
    return std::nullopt;
  const auto id = url.at(at + 1);
  const auto hyphen = id.find('-');
  if (hyphen == std::string_view::npos || hyphen == 0 || hyphen > 10)
    return std::nullopt;
  const auto number = leading_number(id.substr(hyphen + 1));
  const bool ok =
      std::all_of(id.begin(), id.begin() + static_cast<std::ptrdiff_t>(hyphen),
                  [](unsigned char c) { return std::isalnum(c) != 0; });
  if (!number || !ok)
    return std::nullopt;
  url_reference out;
  out.keys.push_back(
      {linear_key(id.substr(0, hyphen), *number), correlation_noun::issue, {}});
  return out;
}

std::string_view query_value(std::string_view query,
                             std::string_view name) noexcept {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.size() > name.size() && pair.starts_with(name) &&
        pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
  }
  return {};
}

std::optional<url_reference> read_slack(const split_url& url) {
  // acme.slack.com/archives/C024BE91L/p1712345678000100?thread_ts=…
  if (url.at(0) != "archives" || url.count < 3)
    return std::nullopt;
  const auto channel = url.at(1);
  auto ts = query_value(url.query, "thread_ts");
  if (ts.empty())
    ts = url.at(2);
  // The URL has the team's domain, never its id.
  auto key = slack_thread_key("", channel, ts);
  if (!key)
    return std::nullopt;
  url_reference out;
  out.keys.push_back(
      {std::move(*key), correlation_noun::thread, channel_fact(channel)});
  return out;
}

std::optional<url_reference> read_any(std::string_view url) {
  const auto parts = split(url);
  if (parts.host.empty() || parts.count == 0)
    return std::nullopt;
  if (looks_like_github(parts.host))
    return read_github(parts, true);
  const auto host = lower(parts.host);
  if (host == "linear.app" || host == "www.linear.app")
    return read_linear(parts);
  if (host.ends_with(".slack.com"))
    return read_slack(parts);
  // No other forge has "/owner/repo/pull/N"; the other paths are common.
  const auto what = parts.at(2);
  if ((what == "pull" || what == "issues" || what == "commit") &&
      host.find('.') != std::string::npos && !is_known_other(host))
    return read_github(parts, false);
  return std::nullopt;
}

} // namespace

std::string_view host_of(std::string_view url) noexcept {
  return split(url).host;
}

std::optional<url_reference> read_url(std::string_view url) {
  auto found = read_any(url);
  if (found && found->keys.empty())
    found.reset();
  return found;
}

repository repository_in(std::string_view url) {
  auto parts = split(url);
  if (parts.at(0) == "api" && parts.at(1) == "v3")
    parts.drop_front(2);
  if (parts.at(0) == "repos")
    parts.drop_front(1);
  if (parts.count < 2)
    return {};
  std::string full{parts.at(0)};
  full.append("/").append(parts.at(1));
  return repository_of(full, parts.host).value_or(repository{});
}

} // namespace eventweft::correlation
