// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/keys.hpp"
#include "messages/correlation_key.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::correlation {

/// A key that a URL stands for.
struct url_key {
  std::string key;
  correlation_noun to = correlation_noun::none;
  /// As in `correlation_key`.
  std::string needs;
};

/// What a URL of a platform that we know is about.
struct url_reference {
  /// The most specific last: a comment's pull request, then its commit.
  std::vector<url_key> keys;
  /// The repository in it, if it is one of GitHub's.
  repository repo;
};

/// Reads the URLs of pull requests, issues, commits and comments on them
/// (pages and API, github.com and hosts of one's own), of Linear issues and of
/// Slack messages. "https://" may be missing. Keys on hosts that may or may not
/// be a GitHub need the fact that they are one. Nothing for any other URL.
std::optional<url_reference> read_url(std::string_view url);

/// "ghe.acme.com" for "https://ghe.acme.com/octo/repo/pull/1".
std::string_view host_of(std::string_view url) noexcept;

/// The repository in a URL of GitHub's API or pages, whatever follows it.
repository repository_in(std::string_view url);

} // namespace eventweft::correlation
