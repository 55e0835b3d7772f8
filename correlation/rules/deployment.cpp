// SPDX-License-Identifier: Apache-2.0
#include "correlation/rules/builtin.hpp"
#include "correlation/rules/github_parts.hpp"
#include "correlation/url_reference.hpp"
#include "messages/ascii.hpp"

namespace eventweft::correlation {

namespace {

using simdjson::dom::element;

class deployment final : public rule {
 public:
  std::string_view name() const noexcept override { return "deployment"; }

  bool wants(const event& ev) const override {
    return ev.platform == "deployments" || ev.platform == "deployment" ||
           ev.event_type.starts_with("deployment:");
  }

  void apply(const rule_input& in, claims& out) const override {
    if (!in.payload || in.ev.platform == "github")
      return;
    const auto root = *in.payload;
    out.subject(correlation_noun::deployment);
    auto named = text_of(root, "repository_name");
    if (named.empty())
      named = text_of(root, "repository");
    const auto repo = repository_named(named);
    std::string scratch;
    if (const auto id = text_of(root, "deployment_id", scratch); !id.empty())
      claim_deployment(out, id, repo, "deployment_id");
    const auto sha = text_of(root, "commit_sha");
    if (!pull_request(root, repo, out))
      claim_commits_pr(out, sha, "commit_sha");
    commit(sha, out);
    const auto branch = text_of(root, "branch_name");
    if (!repo.empty())
      claim_branch(out, repo, branch, {}, "branch_name");
    out.branch_name(branch, repo, "branch_name");
    out.url(text_of(root, "deployment_url"), 0.9F, "deployment_url");
    for (std::string_view member : {"description", "commit_message"})
      if (const auto text = text_of(root, member); !text.empty())
        claim_message(out, text, repo, member);
  }

 private:
  static repository repository_named(std::string_view named) {
    // A group of others may have groups in it: "group/sub/project".
    const bool hosted =
        named.substr(0, named.find('/')).find('.') != named.npos;
    if (auto repo = hosted ? repository_of_path(named) : repository_of(named))
      return *repo;
    if (named.starts_with("http"))
      return repository_in(named);
    // "git@github.com:octo/repo.git", "ssh://git@github.com/octo/repo.git"
    const auto user = named.find('@');
    if (user == named.npos)
      return {};
    std::string path{named.substr(user + 1)};
    if (const auto colon = path.find(':');
        colon != path.npos && !named.starts_with("ssh://"))
      path[colon] = '/';
    return repository_in(path);
  }

  static void commit(std::string_view sha, claims& out) {
    claim_commit(out, sha, 1, "commit_sha");
    if (sha.size() >= 7 && sha.size() < 40 && is_hex(sha))
      out.unresolved("git:sha:" + lower(sha), correlation_noun::commit,
                     sha_fact(sha), "commit_sha", sha);
  }

  // A number, an object with one, or a URL; false if it names none.
  static bool pull_request(element root, const repository& repo, claims& out) {
    auto found = child(root, "pull_request");
    if (!found)
      found = child(root, "pull_request_number");
    if (!found)
      return false;
    const auto pr = *found;
    uint64_t number = 0;
    if (pr.is_object()) {
      for (std::string_view url : {"html_url", "url"})
        out.url(text_of(pr, url), 1, "pull_request.url");
      number = number_of(pr, "number").value_or(0);
      for (std::string_view sha : {"head_sha", "merge_commit_sha"})
        claim_commit(out, text_of(pr, sha), 1, "pull_request.sha");
      if (const auto head = child(pr, "head"); head && head->is_object())
        claim_commit(out, text_of(*head, "sha"), 1, "pull_request.head.sha");
    } else if (std::string_view text; !pr.get(text)) {
      out.url(text, 1, "pull_request");
      if (text.starts_with('#'))
        text.remove_prefix(1);
      number = parse_number(text).value_or(0);
    } else if (pr.get(number)) {
      number = 0;
    }
    if (number == 0 || repo.empty())
      return false;
    out.link(pr_key(repo, number), correlation_noun::pr, 1, "pull_request",
             "#" + std::to_string(number));
    return true;
  }
};

} // namespace

rule_ptr deployment_rule() {
  return std::make_shared<deployment>();
}

} // namespace eventweft::correlation
