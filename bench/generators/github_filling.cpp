// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/github_filling.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>

namespace eventweft::bench {

namespace {

constexpr std::array<std::string_view, 9> of_owners{
    "followers",     "following", "gists",  "starred",        "subscriptions",
    "organizations", "repos",     "events", "received_events"};

constexpr std::array<std::string_view, 36> of_repositories{
    "forks",         "keys",         "collaborators", "teams",
    "hooks",         "issue_events", "events",        "assignees",
    "branches",      "tags",         "blobs",         "git_tags",
    "git_refs",      "trees",        "statuses",      "languages",
    "stargazers",    "contributors", "subscribers",   "subscription",
    "commits",       "git_commits",  "comments",      "issue_comment",
    "contents",      "compare",      "merges",        "archive",
    "downloads",     "issues",       "pulls",         "milestones",
    "notifications", "labels",       "releases",      "deployments"};

// Like GitHub's ids: nine digits.
uint32_t number_of(std::string_view hex) {
  uint32_t n = 0;
  std::from_chars(hex.data(), hex.data() + 7, n, 16);
  return 100'000'000 + n;
}

// "forks_url":"https://api.github.com/repos/octo/shop/forks",…
template <size_t N>
void append_urls(std::string& out, const std::array<std::string_view, N>& names,
                 std::string_view of, std::string_view name) {
  for (const auto each : names)
    fmt::format_to(std::back_inserter(out),
                   R"(,"{}_url":"https://api.github.com/{}/{}/{}")", each, of,
                   name, each);
}

void append_repository(std::string& out, std::string_view owner,
                       std::string_view repo, std::string_view salt) {
  fmt::format_to(
      std::back_inserter(out),
      R"({{"id":{},"node_id":"R_{}","name":"{}","full_name":"{}/{}",)"
      R"("private":false,"owner":{{"login":"{}","id":{},)"
      R"("node_id":"U_{}","gravatar_id":"","type":"User",)"
      R"("site_admin":false)",
      number_of(salt), salt, repo, owner, repo, owner,
      number_of(salt.substr(4)), salt.substr(4));
  append_urls(out, of_owners, "users", owner);
  out += R"(},"description":null,"fork":false)";
  append_urls(out, of_repositories, "repos", fmt::format("{}/{}", owner, repo));
  fmt::format_to(std::back_inserter(out),
                 R"(,"homepage":null,"language":"C++","has_issues":true,)"
                 R"("has_projects":true,"has_wiki":true,"has_pages":false,)"
                 R"("archived":false,"disabled":false,"license":null,)"
                 R"("topics":[],"visibility":"public","default_branch":"main",)"
                 R"("git_url":"git://github.com/{0}/{1}.git",)"
                 R"("ssh_url":"git@github.com:{0}/{1}.git",)"
                 R"("clone_url":"https://github.com/{0}/{1}.git"}})",
                 owner, repo);
}

} // namespace

std::string github_filling(std::string_view repo, std::string_view salt,
                           size_t bytes) {
  constexpr std::array<std::string_view, 4> forkers{"frank", "grace", "heidi",
                                                    "ivan"};
  const auto slash = repo.find('/');
  const auto name = repo.substr(slash + 1);
  std::string out = "[";
  for (size_t n = 0; out.size() < bytes; ++n) {
    if (n > 0)
      out += ',';
    const auto owner =
        n == 0 ? repo.substr(0, slash) : forkers[(n - 1) % forkers.size()];
    append_repository(out, owner, name, salt.substr(n % 4, 16));
  }
  return out += ']';
}

} // namespace eventweft::bench
