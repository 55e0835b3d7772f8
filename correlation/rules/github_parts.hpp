// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/rule.hpp"

namespace eventweft::correlation {

/// What all of GitHub's payloads share.
struct github_context {
  simdjson::dom::element root;
  repository repo;
  std::string_view default_branch;
  /// "pull_request" of "pull_request:opened".
  std::string_view kind;
};

/// Nothing if there is no payload. `repo` may be empty.
std::optional<github_context> github_context_of(const rule_input& in);

/// Adds the branch as a key unless it is a shared one; below the threshold if
/// its name is used again and again.
void claim_branch(claims& out, const repository& repo, std::string_view name,
                  std::string_view default_branch, std::string_view field);

/// The commit, if it has 40 digits.
void claim_commit(claims& out, std::string_view sha, float confidence,
                  std::string_view field);

/// The commit's pull request, once an event of that has told which it is.
void claim_commits_pr(claims& out, std::string_view sha,
                      std::string_view field);

/// What a deployment is found by: its id in its repository and, for those who
/// name none, its id alone. The subject has to be `deployment`.
void claim_deployment(claims& out, std::string_view id, const repository& repo,
                      std::string_view field);

/// How a merge's message begins; the number and " from …" follow.
inline constexpr std::string_view merge_subject = "Merge pull request #";

/// The texts of a commit's message, with what merges and squashes write.
void claim_message(claims& out, std::string_view message,
                   const repository& repo, std::string_view field);

/// A `pull_requests` array, as checks and workflow runs have it. Whether there
/// was any in it.
bool claim_pull_requests(claims& out, simdjson::dom::element owner,
                         const repository& repo, std::string_view field);

/// A program's account: "dependabot[bot]". What it writes is about many things.
bool is_bot(simdjson::dom::element author) noexcept;

} // namespace eventweft::correlation
