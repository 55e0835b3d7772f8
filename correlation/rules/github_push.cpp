// SPDX-License-Identifier: Apache-2.0
#include "correlation/rules/builtin.hpp"
#include "correlation/rules/github_parts.hpp"
#include "messages/ascii.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace eventweft::correlation {

namespace {

using simdjson::dom::element;

// So many of a push's new commits are read, the newest; GitHub's payload may
// have 2,048, and an event no more than `max_keys` keys.
constexpr size_t max_commits = 50;
// A push of more than these is no one's single piece of work: of its messages
// only the newest is read.
constexpr size_t max_read = 20;

class github_commits final : public rule {
 public:
  std::string_view name() const noexcept override { return "github-commit"; }

  bool wants(const event& ev) const override {
    if (ev.platform != "github")
      return false;
    const auto kind =
        std::string_view{ev.event_type}.substr(0, ev.event_type.find(':'));
    for (std::string_view mine :
         {"push", "check_run", "check_suite", "workflow_run", "workflow_job",
          "status", "deployment", "deployment_status", "deployment_review",
          "commit_comment", "merge_group", "pull_request", "page_build",
          "deployment_protection_rule"})
      if (kind == mine)
        return true;
    return false;
  }

  void apply(const rule_input& in, claims& out) const override {
    const auto github = github_context_of(in);
    if (!github || github->repo.empty())
      return;
    const auto& g = *github;
    if (g.kind == "push")
      push(g, out);
    else if (g.kind == "status")
      status(g, out);
    else if (g.kind == "commit_comment")
      commit_comment(g, out);
    else if (g.kind == "merge_group")
      merge_group(g, out);
    else if (g.kind == "pull_request")
      synchronize(g, out);
    else if (g.kind == "page_build") {
      out.subject(correlation_noun::deployment);
      if (const auto build = child(g.root, "build"))
        claim_commit(out, text_of(*build, "commit"), 1, "build.commit");
    } else {
      check(g, out);
      deployment(g, out);
    }
  }

 private:
  static void push(const github_context& g, claims& out) {
    out.subject(correlation_noun::commit);
    const auto ref = text_of(g.root, "ref");
    const bool tag = ref.starts_with("refs/tags/");
    const auto name =
        ref.starts_with("refs/heads/") ? ref.substr(11) : std::string_view{};
    const bool own_branch = !name.empty() && name != g.default_branch;
    claim_branch(out, g.repo, ref, g.default_branch, "ref");
    if (own_branch)
      out.branch_name(ref, g.repo, "ref");
    const bool one_work = own_branch && !is_shared_branch(name);
    // `before` is what the last push left: with it, all pushes to a branch
    // would be one thread. A branch that begins where main stands has nothing
    // to do with what was merged there last.
    if (!one_work)
      claim_commit(out, text_of(g.root, "after"), 1, "after");
    const auto fresh = tag ? std::vector<element>{} : new_commits(g.root);
    const bool several = are_merges_of_several(fresh);
    // "Fix login (#12)" and "Rate limits (#13)", merged together or picked for
    // a release: their works stay apart.
    if (several && !one_work)
      return claim_message(out, text_of(fresh.back(), "message"), g.repo,
                           "commits.message");
    claim_commits(fresh, out);
    if (several)
      return;
    // What many commits are about is not one thing.
    if (fresh.size() <= max_read)
      for (const auto& commit : fresh)
        claim_message(out, text_of(commit, "message"), g.repo,
                      "commits.message");
    else if (const auto head = child(g.root, "head_commit"))
      one_commit(g, *head, out);
  }

  // A merge of main brings main's commits along; those are not new. The newest
  // is the last.
  static std::vector<element> new_commits(element root) {
    std::vector<element> out;
    simdjson::dom::array commits;
    if (root["commits"].get(commits))
      return out;
    for (const auto commit : commits)
      if (is_distinct(commit))
        out.push_back(commit);
    return out;
  }

  static void claim_commits(const std::vector<element>& fresh, claims& out) {
    const auto first =
        fresh.size() - std::min<size_t>(fresh.size(), max_commits);
    for (size_t i = fresh.size(); i > first; --i)
      claim_commit(out, text_of(fresh[i - 1], "id"), 1, "commits.id");
  }

  // The number that a merge writes into its message: "Merge pull request #12
  // from …"; where none does so, the one that a squash appends: "… (#12)".
  static bool are_merges_of_several(const std::vector<element>& fresh) {
    std::set<uint64_t> merged;
    std::set<uint64_t> squashed;
    for (const auto& commit : fresh) {
      const auto message = text_of(commit, "message");
      const auto line = trim(message.substr(0, message.find('\n')));
      if (line.starts_with(merge_subject)) {
        const auto rest = line.substr(merge_subject.size());
        if (const auto n = parse_number(rest.substr(0, rest.find(' '))))
          merged.insert(*n);
      } else if (const auto at = line.rfind("(#");
                 at != line.npos && line.ends_with(')')) {
        if (const auto n =
                parse_number(line.substr(at + 2, line.size() - at - 3)))
          squashed.insert(*n);
      }
    }
    return (merged.empty() ? squashed : merged).size() > 1;
  }

  static bool is_distinct(element commit) noexcept {
    bool distinct = true;
    return commit["distinct"].get(distinct) || distinct;
  }

  static void one_commit(const github_context& g, element commit, claims& out) {
    claim_commit(out, text_of(commit, "id"), 1, "commits.id");
    claim_message(out, text_of(commit, "message"), g.repo, "commits.message");
  }

  static void status(const github_context& g, claims& out) {
    out.subject(correlation_noun::check);
    claim_commit(out, text_of(g.root, "sha"), 1, "sha");
    if (const auto commit = child(g.root, "commit"))
      if (const auto inner = child(*commit, "commit"))
        claim_message(out, text_of(*inner, "message"), g.repo,
                      "commit.commit.message");
  }

  static void commit_comment(const github_context& g, claims& out) {
    out.subject(correlation_noun::comment);
    const auto comment = child(g.root, "comment");
    if (!comment)
      return;
    claim_commit(out, text_of(*comment, "commit_id"), 1, "comment.commit_id");
    const auto user = child(*comment, "user");
    if (!user || !is_bot(*user))
      out.text(text_of(*comment, "body"), text_source::github, markup::markdown,
               g.repo, "comment.body");
  }

  static void merge_group(const github_context& g, claims& out) {
    out.subject(correlation_noun::check);
    const auto group = child(g.root, "merge_group");
    if (!group)
      return;
    claim_commit(out, text_of(*group, "head_sha"), 1, "merge_group.head_sha");
    queue_branch(g, text_of(*group, "head_ref"), "merge_group.head_ref", out);
  }

  // "gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe64"
  static void queue_branch(const github_context& g, std::string_view ref,
                           std::string_view field, claims& out) {
    if (ref.find("gh-readonly-queue/") == std::string_view::npos)
      return;
    const auto at = ref.rfind("/pr-");
    if (at == std::string_view::npos)
      return;
    const auto digits = ref.substr(at + 4, ref.find('-', at + 4) - at - 4);
    if (const auto n = parse_number(digits))
      out.link(pr_key(g.repo, *n), correlation_noun::pr, 1, field, ref);
  }

  // The commit that a push replaced was the pull request's as well.
  static void synchronize(const github_context& g, claims& out) {
    out.subject(correlation_noun::pr);
    claim_commit(out, text_of(g.root, "before"), 1, "before");
    claim_commit(out, text_of(g.root, "after"), 1, "after");
  }

  static void check(const github_context& g, claims& out) {
    constexpr std::array<std::string_view, 4> kinds{
        "check_run", "check_suite", "workflow_job", "workflow_run"};
    for (auto kind : kinds) {
      const auto found = child(g.root, kind);
      if (!found)
        continue;
      out.subject(g.kind.starts_with("deployment")
                      ? correlation_noun::deployment
                      : correlation_noun::check);
      std::string field{kind};
      const auto base = field.size();
      const auto named = [&](std::string_view member) -> std::string_view {
        field.resize(base);
        return field.append(member);
      };
      claim_commit(out, text_of(*found, "head_sha"), 1, named(".head_sha"));
      auto branch = text_of(*found, "head_branch");
      const auto suite = child(*found, "check_suite");
      if (branch.empty() && suite)
        branch = text_of(*suite, "head_branch");
      claim_pull_requests(out, *found, g.repo, named(".pull_requests"));
      queue_branch(g, branch, named(".head_branch"), out);
      // The branch is none of its keys: at its head may stand a commit of
      // another work, from which it has only just begun.
      return;
    }
  }

  static void deployment(const github_context& g, claims& out) {
    const auto found = child(g.root, "deployment");
    if (!found)
      return;
    out.subject(correlation_noun::deployment);
    std::string scratch;
    if (const auto id = text_of(*found, "id", scratch); !id.empty())
      claim_deployment(out, id, g.repo, "deployment.id");
    claim_commit(out, text_of(*found, "sha"), 1, "deployment.sha");
    const auto ref = text_of(*found, "ref");
    if (ref.find('/') != std::string_view::npos || !is_hex(ref))
      claim_branch(out, g.repo, ref, g.default_branch, "deployment.ref");
    if (!claim_pull_requests(out, g.root, g.repo, "pull_requests"))
      claim_commits_pr(out, text_of(*found, "sha"), "deployment.sha");
  }
};

} // namespace

rule_ptr github_commit_rule() {
  return std::make_shared<github_commits>();
}

std::vector<rule_ptr> builtin_rules() {
  return {github_rule(), github_commit_rule(), linear_rule(),
          slack_rule(),  deployment_rule(),    trace_rule()};
}

bool is_builtin_rule(std::string_view name) {
  static const auto rules = builtin_rules();
  return std::ranges::any_of(
      rules, [&](const auto& each) { return each->name() == name; });
}

} // namespace eventweft::correlation
