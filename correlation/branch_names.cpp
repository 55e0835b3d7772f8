// SPDX-License-Identifier: Apache-2.0
#include "correlation/rule.hpp"

#include <algorithm>

namespace eventweft::correlation {

namespace {

constexpr std::string_view heads = "refs/heads/";

bool is_one_of(std::string_view name,
               std::initializer_list<std::string_view> names) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool starts_with_any(std::string_view name,
                     std::initializer_list<std::string_view> starts) noexcept {
  return std::any_of(starts.begin(), starts.end(),
                     [&](auto start) { return name.starts_with(start); });
}

// "v2", "1.x", "v1.2", "4-stable"
bool is_version(std::string_view name) noexcept {
  if (name.ends_with("-stable"))
    name.remove_suffix(7);
  if (name.starts_with('v'))
    name.remove_prefix(1);
  return !name.empty() && name[0] >= '0' && name[0] <= '9' &&
         name.size() <= 12 &&
         name.find_first_not_of("0123456789.x") == std::string_view::npos;
}

// "patch-1", "al-patch-12": what GitHub calls a branch for an edit on its
// pages. An issue's id in front of it makes it one's own.
bool is_web_edit(std::string_view name) noexcept {
  const auto digits = name.find_last_not_of("0123456789");
  if (digits == std::string_view::npos || digits + 1 == name.size())
    return false;
  auto start = name.substr(0, digits + 1);
  if (!start.ends_with("patch-"))
    return false;
  start.remove_suffix(6);
  if (start.empty())
    return true;
  if (!start.ends_with('-') || start.find('/') != std::string_view::npos)
    return false;
  start.remove_suffix(1);
  const auto last = start.rfind('-');
  return last == std::string_view::npos || !is_digits(start.substr(last + 1));
}

} // namespace

bool is_shared_branch(std::string_view name) noexcept {
  if (name.starts_with(heads))
    name.remove_prefix(heads.size());
  return is_one_of(name, {"main",        "master",      "trunk",   "develop",
                          "development", "dev",         "staging", "stage",
                          "production",  "prod",        "preprod", "pre-prod",
                          "release",     "next",        "beta",    "alpha",
                          "canary",      "gh-pages",    "stable",  "nightly",
                          "preview",     "qa",          "test",    "testing",
                          "uat",         "integration", "sandbox", "edge",
                          "lts",         "default",     "HEAD"}) ||
         starts_with_any(name,
                         {"release/", "release-", "releases/", "env/",
                          "stable/", "stable-", "support/", "maintenance/"}) ||
         is_version(name);
}

bool is_reused_branch(std::string_view name) noexcept {
  if (name.starts_with(heads))
    name.remove_prefix(heads.size());
  return is_web_edit(name) ||
         is_one_of(name,
                   {"hotfix",       "hotfixes",     "bugfix",
                    "bugfixes",     "fix",          "fixes",
                    "feature",      "features",     "patch",
                    "update",       "updates",      "wip",
                    "tmp",          "temp",         "draft",
                    "experiment",   "docs",         "ci",
                    "deps",         "dependencies", "refactor",
                    "cleanup",      "chore",        "demo",
                    "backmerge",    "sync",         "translations",
                    "version-bump", "bump-version", "version-packages"}) ||
         starts_with_any(name, {"renovate/",
                                "changeset-release/",
                                "create-pull-request/",
                                "pre-commit-ci-",
                                "release-please",
                                "l10n_",
                                "l10n-",
                                "crowdin",
                                "weblate",
                                "transifex",
                                "lokalise",
                                "template-sync",
                                "repo-sync",
                                "auto-update",
                                "automated-",
                                "automated/",
                                "update-flake-lock",
                                "update_flake_lock",
                                "nightly-",
                                "daily-",
                                "weekly-",
                                "monthly-"});
}

} // namespace eventweft::correlation
