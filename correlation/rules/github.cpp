// SPDX-License-Identifier: Apache-2.0
#include "correlation/rules/bot_text.hpp"
#include "correlation/rules/builtin.hpp"
#include "correlation/rules/github_parts.hpp"
#include "correlation/url_reference.hpp"
#include "messages/ascii.hpp"

#include <array>

namespace eventweft::correlation {

namespace {

using simdjson::dom::element;

class github final : public rule {
 public:
  std::string_view name() const noexcept override { return "github"; }

  bool wants(const event& ev) const override { return ev.platform == "github"; }

  void apply(const rule_input& in, claims& out) const override {
    const auto context = github_context_of(in);
    if (!context || context->repo.empty())
      return;
    if (!context->repo.host.empty())
      out.fact(host_fact(context->repo.host), {}, "repository.html_url");
    const auto& root = context->root;
    if (const auto pr = child(root, "pull_request"); pr && pr->is_object())
      pull_request(*context, *pr, out);
    else if (const auto issue = child(root, "issue"))
      issue_or_comment(*context, *issue, out);
    else if (context->kind == "create" || context->kind == "delete")
      branch(*context, out);
    else
      numbered(*context, out);
  }

 private:
  static void pull_request(const github_context& g, element pr, claims& out) {
    const auto number = number_of(pr, "number");
    if (!number)
      return;
    const bool itself =
        g.kind == "pull_request" || g.kind == "pull_request_target";
    const bool review = g.kind.starts_with("pull_request_review");
    out.subject(itself   ? correlation_noun::pr
                : review ? correlation_noun::review
                         : correlation_noun::event);
    std::string scratch;
    const auto shown = text_of(pr, "html_url");
    if (itself)
      out.identity(pr_key(g.repo, *number), "pull_request.number", shown);
    else
      out.link(pr_key(g.repo, *number), correlation_noun::pr, 1,
               "pull_request.number", shown);
    out.subject(itself ? correlation_noun::pr : out.subject());
    // The merge commit of an open pull request is GitHub's own test merge.
    const auto merged = text_of(pr, "merged_at").empty()
                            ? std::string_view{}
                            : text_of(pr, "merge_commit_sha");
    claim_commit(out, merged, 1, "pull_request.merge_commit_sha");
    const auto head = child(pr, "head");
    if (head)
      pull_head(g, *head, out);
    if (itself) {
      const auto tell = [&](std::string_view sha, std::string_view field) {
        if (const auto name = pr_of_commit(sha))
          out.fact(*name, pr_key(g.repo, *number), field);
      };
      tell(merged, "pull_request.merge_commit_sha");
      if (head)
        tell(text_of(*head, "sha"), "pull_request.head.sha");
      const auto title = text_of(pr, "title");
      out.text(title, text_source::title, markup::plain, g.repo,
               "pull_request.title");
      // "hotfix/ENG-47": the branch's name, left as it is.
      if (title.find(' ') == std::string_view::npos)
        out.branch_name(title, g.repo, "pull_request.title");
      body(g, pr, "pull_request.body", out);
      return;
    }
    for (std::string_view part : {"review", "comment"})
      if (const auto said = child(g.root, part))
        comment(g, *said, part, out);
  }

  static void pull_head(const github_context& g, element head, claims& out) {
    claim_commit(out, text_of(head, "sha"), 1, "pull_request.head.sha");
    const auto ref = text_of(head, "ref");
    auto repo = g.repo;
    std::string_view default_branch = g.default_branch;
    if (const auto from = child(head, "repo")) {
      if (auto read = repository_of(text_of(*from, "full_name")))
        repo.name = std::move(read->name);
      default_branch = text_of(*from, "default_branch");
    }
    // Of a fork that was deleted nobody knows the repository: forks that have
    // branches of one name must not be taken for one.
    if (!is_null(head, "repo"))
      claim_branch(out, repo, ref, default_branch, "pull_request.head.ref");
    if (ref != default_branch)
      out.branch_name(ref, g.repo, "pull_request.head.ref");
  }

  // What a pull request's or an issue's author says of it.
  static void body(const github_context& g, element thing,
                   std::string_view field, claims& out) {
    const auto text = text_of(thing, "body");
    const auto user = child(thing, "user");
    if (!user || !is_bot(*user))
      out.text(text, text_source::github, markup::markdown, g.repo, field);
    else if (!quotes_releases(text_of(*user, "login")))
      out.text(above_releases(text), text_source::bot, markup::markdown, g.repo,
               field);
  }

  static void comment(const github_context& g, element said,
                      std::string_view part, claims& out) {
    std::string field{part};
    field += ".body";
    const auto body = text_of(said, "body");
    const auto user = child(said, "user");
    if (!user || !is_bot(*user)) {
      out.text(body, text_source::github, markup::markdown, g.repo, field);
      return;
    }
    // Linear's own app names its issue by URL; other bots report on much else.
    if (text_of(*user, "login").starts_with("linear"))
      out.text(body, text_source::github, markup::markdown, {}, field);
  }

  static void issue_or_comment(const github_context& g, element issue,
                               claims& out) {
    const auto number = number_of(issue, "number");
    if (!number)
      return;
    const bool is_pr = child(issue, "pull_request").has_value();
    const bool itself = g.kind == "issues";
    auto key = is_pr ? pr_key(g.repo, *number) : issue_key(g.repo, *number);
    const auto what = is_pr ? correlation_noun::pr : correlation_noun::issue;
    const auto shown = text_of(issue, "html_url");
    if (itself) {
      out.subject(what);
      out.identity(std::move(key), "issue.number", shown);
      out.text(text_of(issue, "title"), text_source::title, markup::plain,
               g.repo, "issue.title");
      body(g, issue, "issue.body", out);
    } else {
      out.subject(correlation_noun::comment);
      out.link(std::move(key), what, 1, "issue.number", shown);
      if (const auto said = child(g.root, "comment"))
        comment(g, *said, "comment", out);
    }
    transferred(g, out);
  }

  // An issue that moved is still the same one.
  static void transferred(const github_context& g, claims& out) {
    const auto changes = child(g.root, "changes");
    if (!changes)
      return;
    for (std::string_view part : {"new_issue", "old_issue"})
      if (const auto moved = child(*changes, part))
        out.url(text_of(*moved, "html_url"), 1, "changes.issue.html_url");
  }

  static void branch(const github_context& g, claims& out) {
    if (text_of(g.root, "ref_type") != "branch")
      return;
    out.subject(correlation_noun::branch);
    const auto ref = text_of(g.root, "ref");
    claim_branch(out, g.repo, ref, g.default_branch, "ref");
    if (ref != g.default_branch)
      out.branch_name(ref, g.repo, "ref");
  }

  // Things of their own that come back under the same number.
  static void numbered(const github_context& g, claims& out) {
    struct family {
      std::string_view member;
      std::string_view id;
    };
    constexpr std::array<family, 7> families{
        {{"discussion", "number"},
         {"release", "id"},
         {"alert", "number"},
         {"milestone", "number"},
         {"security_advisory", "ghsa_id"},
         {"repository_advisory", "ghsa_id"},
         {"package", "id"}}};
    for (const auto& f : families) {
      const auto it = child(g.root, f.member);
      if (!it)
        continue;
      std::string scratch;
      const auto id = text_of(*it, f.id, scratch);
      if (id.empty())
        return;
      // Alerts of different scanners count on their own.
      std::string key = "github:";
      key.append(f.member == "alert"
                     ? g.kind.substr(0, g.kind.rfind("_location"))
                     : f.member);
      key.append(":").append(g.repo.path()).append("#").append(id);
      std::string field{f.member};
      field.append(".").append(f.id);
      out.identity(std::move(key), field, text_of(*it, "html_url"));
      // What was found later may be of any commit before.
      if (g.kind == "code_scanning_alert" &&
          text_of(g.root, "action") == "created") {
        out.subject(correlation_noun::event);
        claim_commit(out, text_of(g.root, "commit_oid"), 1, "commit_oid");
      }
      if (f.member == "discussion") {
        out.subject(correlation_noun::event);
        const auto said = child(g.root, "comment");
        comment(g, said ? *said : *it, said ? "comment" : "discussion", out);
      }
      return;
    }
  }
};

} // namespace

std::optional<github_context> github_context_of(const rule_input& in) {
  if (!in.payload)
    return std::nullopt;
  github_context g{.root = *in.payload,
                   .repo = {},
                   .default_branch = {},
                   .kind = in.ev.event_type};
  g.kind = g.kind.substr(0, g.kind.find(':'));
  if (const auto repo = child(g.root, "repository")) {
    if (auto read = repository_of(text_of(*repo, "full_name"),
                                  host_of(text_of(*repo, "html_url"))))
      g.repo = std::move(*read);
    g.default_branch = text_of(*repo, "default_branch");
  }
  return g;
}

void claim_branch(claims& out, const repository& repo, std::string_view name,
                  std::string_view default_branch, std::string_view field) {
  if (name.starts_with("refs/heads/"))
    name.remove_prefix(11);
  if (name.empty() || name == default_branch || is_shared_branch(name) ||
      name.starts_with("refs/") || name.starts_with("gh-readonly-queue/"))
    return;
  // Of a name that comes again and again it is evidence, but no link.
  out.link(branch_key(repo, name), correlation_noun::branch,
           is_reused_branch(name) ? 0.5F : 1, field, name,
           out.input().branch_window);
}

void claim_commit(claims& out, std::string_view sha, float confidence,
                  std::string_view field) {
  if (auto key = sha_key(sha))
    out.link(std::move(*key), correlation_noun::commit, confidence, field, sha);
}

void claim_commits_pr(claims& out, std::string_view sha,
                      std::string_view field) {
  if (const auto name = pr_of_commit(sha))
    out.unresolved(*name, correlation_noun::pr, *name, field, sha);
}

void claim_deployment(claims& out, std::string_view id, const repository& repo,
                      std::string_view field) {
  out.identity(deployment_key(id, repo), field, id);
  if (!repo.empty() && !counts_in_repository(id))
    out.link(deployment_key(id, {}), correlation_noun::deployment, 1, field,
             id);
}

void claim_message(claims& out, std::string_view message,
                   const repository& repo, std::string_view field) {
  out.text(message, text_source::commit, markup::plain, repo, field);
  if (!message.starts_with(merge_subject))
    return;
  // "Merge pull request #12 from octo/alice/eng-42-fix"
  const auto line = message.substr(0, message.find('\n'));
  const auto from = line.find(" from ");
  if (from == std::string_view::npos)
    return;
  const auto branch = line.substr(from + 6);
  const auto slash = branch.find('/');
  if (slash != std::string_view::npos)
    out.branch_name(trim(branch.substr(slash + 1)), repo, field);
}

bool claim_pull_requests(claims& out, element owner, const repository& repo,
                         std::string_view field) {
  simdjson::dom::array prs;
  if (owner["pull_requests"].get(prs))
    return false;
  bool found = false;
  for (const auto pr : prs) {
    const auto number = number_of(pr, "number");
    if (!number)
      continue;
    // Forks share commits, so another repository's may be in the list.
    const auto in_repo = repository_in(text_of(pr, "url"));
    if (!in_repo.empty() && in_repo.name != repo.name)
      continue;
    out.link(pr_key(repo, *number), correlation_noun::pr, 1, field,
             text_of(pr, "url"));
    found = true;
  }
  return found;
}

bool is_bot(element author) noexcept {
  return text_of(author, "type") == "Bot" ||
         text_of(author, "login").ends_with("[bot]");
}

rule_ptr github_rule() {
  return std::make_shared<github>();
}

} // namespace eventweft::correlation
