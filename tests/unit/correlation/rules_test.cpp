// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/correlation/support.hpp"

#include <gtest/gtest.h>

namespace eventweft::correlation {
namespace {

using testing::bench;
using testing::find;
using testing::make_event;
using key_set = std::set<std::string>;

const std::string head = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1";
const std::string base = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2";
const std::string merge = "ccccccccccccccccccccccccccccccccccccccc3";

const std::string repo_json = R"("repository":{"full_name":"Octo/Repo",
  "default_branch":"main","html_url":"https://github.com/Octo/Repo"})";

event github(std::string type, std::string members) {
  return make_event("github", std::move(type),
                    "{" + repo_json + "," + members + "}");
}

std::string pr(std::string extra = "") {
  return R"("pull_request":{"number":12,"title":"Login","body":null,
    "html_url":"https://github.com/Octo/Repo/pull/12","user":{"login":"al"},
    "head":{"ref":"alice/eng-42-login","sha":")" +
         head + R"(","repo":{"full_name":"Octo/Repo","default_branch":"main"}},
    "base":{"ref":"main","sha":")" +
         base + "\"}" + extra + "}";
}

TEST(github_rule, a_pull_request_is_its_number_head_and_issue) {
  bench b;
  const auto ev = github("pull_request:opened", pr());
  EXPECT_EQ(b.links(ev), (key_set{"github:pr:octo/repo#12", "git:sha:" + head,
                                  "git:branch:octo/repo:alice/eng-42-login",
                                  "linear:issue:ENG-42"}));
  const auto all = b.all(ev);
  EXPECT_TRUE(find(all, "github:pr:octo/repo#12")->is_identity());
  const auto* issue = find(all, "linear:issue:ENG-42");
  EXPECT_EQ(to_string(issue->type), "pr_to_issue");
  EXPECT_EQ(issue->rule, "github");
  EXPECT_EQ(issue->field, "pull_request.head.ref");
  EXPECT_EQ(issue->matched, "eng-42");
}

TEST(github_rule, a_deleted_forks_branch_is_nobodys) {
  bench b;
  auto text = pr();
  const std::string fork =
      R"("repo":{"full_name":"Octo/Repo","default_branch":"main"})";
  text.replace(text.find(fork), fork.size(), R"("repo":null)");
  const auto ev = github("pull_request:opened", text);
  EXPECT_EQ(b.links(ev), (key_set{"github:pr:octo/repo#12", "git:sha:" + head,
                                  "linear:issue:ENG-42"}));
}

TEST(github_rule, evidence_shows_the_word_before_the_id) {
  bench b;
  const auto shown = [&](const std::string& title, const std::string& key) {
    auto text = pr();
    text.replace(text.find("Login"), 5, title);
    const auto all = b.all(github("pull_request:opened", text));
    const auto* found = find(all, key);
    return found ? found->matched : "";
  };
  EXPECT_EQ(shown("Make it quick, fixes ENG-7", "linear:issue:ENG-7"),
            "fixes ENG-7");
  EXPECT_EQ(shown("Part of ENG-7: quick", "linear:issue:ENG-7"),
            "Part of ENG-7");
  EXPECT_EQ(shown("Closes ENG-7 and #8", "github:issue:octo/repo#8"),
            "Closes ENG-7 and #8");
  EXPECT_EQ(shown("ENG-7 is quick", "linear:issue:ENG-7"), "ENG-7");
  EXPECT_EQ(shown("Fixes nonsense near ENG-7", "linear:issue:ENG-7"), "ENG-7");
  EXPECT_EQ(shown("Does not fix ENG-7", "linear:issue:ENG-7"), "ENG-7");
}

TEST(github_rule, the_base_commit_is_not_the_pull_requests) {
  bench b;
  EXPECT_FALSE(
      b.links(github("pull_request:opened", pr())).contains("git:sha:" + base));
}

TEST(github_rule, the_merge_commit_counts_once_it_is_merged) {
  bench b;
  const auto sha = R"(,"merge_commit_sha":")" + merge + "\"";
  EXPECT_FALSE(b.links(github("pull_request:opened", pr(sha)))
                   .contains("git:sha:" + merge));
  EXPECT_TRUE(
      b.links(github("pull_request:closed",
                     pr(sha + R"(,"merged_at":"2026-01-31T12:00:00Z")")))
          .contains("git:sha:" + merge));
}

TEST(github_rule, what_bots_write_is_not_read_but_linears_link_is) {
  bench b;
  const auto comment = [&](std::string login, std::string body) {
    return b.links(
        github("issue_comment:created",
               R"("issue":{"number":12,"pull_request":{}},"comment":{"user":{
           "login":")" +
                   login + R"(","type":"Bot"},"body":")" + body + "\"}"));
  };
  EXPECT_EQ(comment("codecov[bot]", "Merging ENG-42"),
            key_set{"github:pr:octo/repo#12"});
  EXPECT_EQ(
      comment(
          "linear[bot]",
          R"(<p><a href=\"https://linear.app/a/issue/ENG-42/x\">ENG-42</a>)"),
      (key_set{"github:pr:octo/repo#12", "linear:issue:ENG-42"}));
}

TEST(github_rule, an_alert_belongs_to_the_commit_that_brought_it) {
  bench b;
  const auto alert = [&](std::string action) {
    return b.links(github("code_scanning_alert:" + action,
                          R"("action":")" + action +
                              R"(","alert":{"number":5},"commit_oid":")" +
                              merge + "\""));
  };
  const key_set alone{"github:code_scanning_alert:octo/repo#5"};
  EXPECT_EQ(alert("created"), (key_set{"github:code_scanning_alert:octo/repo#5",
                                       "git:sha:" + merge}));
  EXPECT_EQ(alert("fixed"), alone);
}

TEST(github_rule, what_an_agent_fixes_counts_and_what_it_mentions_does_not) {
  bench b;
  const auto issue = [&](std::string login, std::string body) {
    return b.links(
        github("issues:opened",
               R"("issue":{"number":7,"title":"x","user":{"login":")" + login +
                   R"(","type":"Bot"},"body":")" + body + "\"}"));
  };
  const key_set alone{"github:issue:octo/repo#7"};
  EXPECT_EQ(issue("claude[bot]", "Part of ENG-42; ENG-43 is like it"),
            (key_set{"github:issue:octo/repo#7", "linear:issue:ENG-42"}));
  EXPECT_EQ(issue("claude[bot]", "## Changelog\\n- Fixes ENG-42"), alone);
  EXPECT_EQ(issue("claude[bot]", "Fixes ENG-1, ENG-2, ENG-3 and ENG-4"), alone);
  EXPECT_EQ(issue("renovate[bot]", "Fixes ENG-42"), alone);
}

TEST(github_rule, a_comment_belongs_to_its_issue) {
  bench b;
  const auto ev =
      github("issue_comment:created",
             R"("issue":{"number":7},"comment":{"user":{"login":"al"},
         "body":"Fixed in #12"})");
  const auto all = b.all(ev);
  EXPECT_EQ(to_string(find(all, "github:issue:octo/repo#7")->type),
            "comment_to_issue");
  EXPECT_TRUE(b.links(ev).contains("github:pr:octo/repo#12"));
}

TEST(github_rule, an_enterprise_host_is_part_of_the_key_and_learned) {
  bench b;
  const auto ev = make_event("github", "issues:opened",
                             R"({"repository":{"full_name":"octo/repo",
      "html_url":"https://ghe.acme.com/octo/repo"},"issue":{"number":7}})");
  EXPECT_EQ(b.links(ev), key_set{"github:issue:ghe.acme.com/octo/repo#7"});
  EXPECT_EQ(b.facts(ev), key_set{"github:host:ghe.acme.com"});
}

TEST(commit_rule, a_push_takes_new_commits_and_never_before) {
  bench b;
  const auto ev = github(
      "push", R"("ref":"refs/heads/main","before":")" + base +
                  R"(","after":")" + merge + R"(","commits":[{"id":")" + merge +
                  R"x(","distinct":true,"message":"Login (#12)"},{"id":")x" +
                  head + R"(","distinct":false,"message":"Fixes #99"}])");
  EXPECT_EQ(b.links(ev), (key_set{"git:sha:" + merge, "github:pr:octo/repo#12",
                                  "github:issue:octo/repo#12"}));
}

// Where main stands is what was merged there last.
TEST(commit_rule, a_new_branch_without_commits_has_none) {
  bench b;
  EXPECT_EQ(b.links(github("push", R"("ref":"refs/heads/topic","created":true,
      "commits":[],"after":")" + merge +
                                       R"(","head_commit":{"id":")" + merge +
                                       R"x(","message":"Login (#12)"})x")),
            key_set{"git:branch:octo/repo:topic"});
  EXPECT_EQ(b.links(github("push", R"("ref":"refs/tags/v1","commits":[],
      "after":")" + merge + "\"")),
            key_set{"git:sha:" + merge});
}

TEST(commit_rule, a_push_of_several_merges_joins_none_of_them) {
  bench b;
  const auto push = [&](const std::string& branch, const std::string& first,
                        const std::string& second) {
    return b.links(
        github("push", R"("ref":"refs/heads/)" + branch + R"(","after":")" +
                           merge + R"(","commits":[{"id":")" + head +
                           R"(","message":")" + first + R"("},{"id":")" +
                           merge + R"(","message":")" + second + R"("}])"));
  };
  const key_set newest{"git:sha:" + merge, "github:pr:octo/repo#122",
                       "github:issue:octo/repo#122"};
  for (const std::string branch : {"main", "release/2.1"})
    EXPECT_EQ(push(branch, "Login (#121)", "Rate limits (#122)"), newest);
  EXPECT_EQ(push("main", "Merge pull request #121 from octo/a\\n\\nLogin",
                 "Merge pull request #122 from octo/b\\n\\nLimits"),
            (key_set{"git:sha:" + merge, "github:pr:octo/repo#122"}));
  // Picked for a branch of its own: its commits, but nobody's number.
  EXPECT_EQ(push("pick", "Login (#121)", "Rate limits (#122)"),
            (key_set{"git:branch:octo/repo:pick", "git:sha:" + head,
                     "git:sha:" + merge}));
  // A fork's commits come with the merge; its number is what counts.
  EXPECT_TRUE(push("main", "Login (#121)",
                   "Merge pull request #122 from octo/b\\n\\nLimits")
                  .contains("git:sha:" + head));
}

TEST(commit_rule, of_a_large_push_the_newest_commits_link) {
  bench b;
  const auto sha = [](int n) {
    const auto digits = std::to_string(n);
    return std::string(40 - digits.size(), 'a') + digits;
  };
  const auto push = [&](int commits) {
    std::string list;
    for (int n = 1; n <= commits; ++n)
      list += std::string{n == 1 ? "" : ","} + R"({"id":")" + sha(n) +
              R"(","message":"Fixes #)" + std::to_string(n) + "\"}";
    return b.links(github("push", R"("ref":"refs/heads/topic","after":")" +
                                      sha(commits) + R"(","commits":[)" + list +
                                      "]"));
  };
  const auto many = push(21);
  for (int n = 1; n <= 21; ++n)
    EXPECT_TRUE(many.contains("git:sha:" + sha(n))) << n;
  EXPECT_FALSE(many.contains("github:pr:octo/repo#1"));
  const auto more = push(60);
  EXPECT_TRUE(more.contains("git:sha:" + sha(60)));
  EXPECT_TRUE(more.contains("git:sha:" + sha(11)));
  EXPECT_FALSE(more.contains("git:sha:" + sha(10)));
  EXPECT_TRUE(push(2).contains("github:pr:octo/repo#1"));
}

TEST(commit_rule, a_merge_commit_names_its_pull_request_and_branch) {
  bench b;
  const auto ev =
      github("push", R"("ref":"refs/heads/main","after":")" + merge +
                         R"(","commits":[{"id":")" + merge +
                         R"(","message":"Merge pull request #12 from )"
                         R"(octo/alice/eng-42-login\n\nLogin"}])");
  const auto links = b.links(ev);
  EXPECT_TRUE(links.contains("github:pr:octo/repo#12"));
  EXPECT_TRUE(links.contains("linear:issue:ENG-42"));
  EXPECT_EQ(to_string(find(b.all(ev), "github:pr:octo/repo#12")->type),
            "commit_to_pr");
}

TEST(commit_rule, checks_belong_to_their_commit_and_pull_requests) {
  bench b;
  const std::string run = R"({"head_sha":")" + head +
                          R"(","head_branch":"topic","pull_requests":[
    {"number":12,"url":"https://api.github.com/repos/Octo/Repo/pulls/12"},
    {"number":3,"url":"https://api.github.com/repos/mallory/repo/pulls/3"}]})";
  const key_set expected{"git:sha:" + head, "github:pr:octo/repo#12"};
  for (std::string_view kind :
       {"check_suite", "workflow_run", "workflow_job"}) {
    const auto ev = github(std::string{kind} + ":completed",
                           "\"" + std::string{kind} + "\":" + run);
    EXPECT_EQ(b.links(ev), expected) << kind;
    EXPECT_EQ(to_string(find(b.all(ev), "git:sha:" + head)->type),
              "check_to_commit");
  }
  EXPECT_EQ(b.links(github("check_run:created",
                           R"("check_run":{"head_sha":")" + head +
                               R"(","check_suite":{"head_branch":"topic"}})")),
            key_set{"git:sha:" + head});
  EXPECT_EQ(b.links(github("status", R"("sha":")" + head + "\"")),
            key_set{"git:sha:" + head});
}

TEST(github_rule, a_branch_is_its_own_for_as_long_as_one_says) {
  bench b;
  b.rules = engine{b.known, {.branch_window = 3'600}};
  const auto keys = b.all(github("pull_request:opened", pr()));
  EXPECT_EQ(find(keys, "git:branch:octo/repo:alice/eng-42-login")->window,
            3'600u);
  EXPECT_EQ(find(keys, "github:pr:octo/repo#12")->window, 0u);
  EXPECT_NE(b.rules.fingerprint(), bench{}.rules.fingerprint());
}

TEST(commit_rule, the_default_branch_joins_nothing) {
  bench b;
  EXPECT_EQ(b.links(github("check_suite:completed",
                           R"("check_suite":{"head_branch":"main",
                              "head_sha":")" +
                               head + "\"}")),
            key_set{"git:sha:" + head});
}

TEST(commit_rule, githubs_deployments_share_id_and_commit) {
  bench b;
  const auto ev = github("deployment_status:created",
                         R"("deployment_status":{"state":"success"},
      "deployment":{"id":145988746,"ref":"topic","sha":")" +
                             head + "\"}");
  EXPECT_EQ(b.links(ev),
            (key_set{"deployment:octo/repo#145988746", "deployment:145988746",
                     "git:sha:" + head, "git:branch:octo/repo:topic"}));
}

TEST(commit_rule, a_merge_group_names_its_pull_request) {
  bench b;
  const auto ev =
      github("merge_group:checks_requested",
             R"("merge_group":{"head_sha":")" + merge +
                 R"(","head_ref":"refs/heads/gh-readonly-queue/main/pr-104-)" +
                 base + R"("})");
  EXPECT_EQ(b.links(ev),
            (key_set{"git:sha:" + merge, "github:pr:octo/repo#104"}));
}

TEST(linear_rule, an_issue_has_both_its_ids_and_teaches_its_team) {
  bench b;
  const auto ev = make_event("linear", "Issue:create",
                             R"({"url":"https://linear.app/a/issue/PAY-7/slow",
    "data":{"id":"2174ADD1-f7c8-44e3-bbf3-2d60b5ea8bc9","number":7,
            "title":"Slow","team":{"key":"PAY"},
            "previousIdentifiers":["ENG-9"]}})");
  EXPECT_EQ(b.links(ev),
            (key_set{"linear:issue:PAY-7", "linear:issue:ENG-9",
                     "linear:id:2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9"}));
  EXPECT_EQ(b.facts(ev), key_set{"linear:team:PAY"});
  b.known->learn_team("PAY");
  EXPECT_EQ(b.facts(ev), key_set{});
}

TEST(linear_rule, comments_and_attachments_meet_their_issue) {
  bench b;
  EXPECT_EQ(b.links(make_event("linear", "Comment:create",
                               R"({"url":
      "https://linear.app/a/issue/ENG-42/x#comment-1","data":{
      "body":"see https://github.com/octo/repo/pull/12",
      "issue":{"id":"2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9"}}})")),
            (key_set{"linear:issue:ENG-42", "github:pr:octo/repo#12",
                     "linear:id:2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9"}));
  EXPECT_EQ(b.links(make_event("linear", "Attachment:create",
                               R"({"data":{
      "url":"https://github.com/octo/repo/pull/12",
      "issueId":"2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9"}})")),
            (key_set{"github:pr:octo/repo#12",
                     "linear:id:2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9"}));
}

TEST(linear_rule, what_has_no_data_names_its_issue_elsewhere) {
  bench b;
  const std::string id = "2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9";
  const std::string issue =
      R"({"id":")" + id + R"(","identifier":"PAY-7","team":{"key":"PAY"}})";
  const key_set both{"linear:issue:PAY-7", "linear:id:" + id};
  const auto of = [&](std::string type, std::string members) {
    return make_event("linear", std::move(type), "{" + members + "}");
  };
  const auto sla = of("IssueSLA:set", R"("issueData":)" + issue);
  EXPECT_EQ(b.links(sla), both);
  EXPECT_EQ(b.facts(sla), key_set{"linear:team:PAY"});
  EXPECT_EQ(to_string(find(b.all(sla), "linear:issue:PAY-7")->type),
            "event_to_issue");
  EXPECT_EQ(b.links(of("AppUserNotification:issueMention",
                       R"("notification":{"issue":)" + issue + "}")),
            both);
  EXPECT_EQ(
      b.links(of("AppUserNotification:issueNewComment",
                 R"("notification":{"comment":{"issueId":")" + id + "\"}}")),
      key_set{"linear:id:" + id});
  auto of_agent = both;
  of_agent.insert("linear:agentsession:s1");
  EXPECT_EQ(b.links(of("AgentSessionEvent:created",
                       R"("agentSession":{"id":"S1","issue":)" + issue + "}")),
            of_agent);
  EXPECT_EQ(b.links(of("AgentSessionEvent:prompted",
                       R"("agentSession":{"id":"S1"})")),
            key_set{"linear:agentsession:s1"});
  EXPECT_EQ(b.links(of("PermissionChange:update", R"("oauthClientId":"x")")),
            key_set{});
}

TEST(slack_rule, links_of_blocks_and_attachments_are_read_beside_a_text) {
  bench b;
  const auto of = [&](std::string members) {
    auto found = b.links(
        make_event("slack", "message",
                   R"({"team_id":"T1","event":{"type":"message","channel":"C1",
        "ts":"1712345678.000100",)" +
                       members + "}}"));
    found.erase("slack:thread:T1:C1:1712345678.000100");
    return found;
  };
  const key_set twelve{"github:pr:octo/repo#12"};
  const std::string url = R"("https://github.com/octo/repo/pull/12")";
  // A summary; the text that the block repeats stays unread.
  EXPECT_EQ(of(R"("text":"A build failed","blocks":[{"type":"rich_text",
      "elements":[{"type":"rich_text_section","elements":[
      {"type":"text","text":"ENG-42 "},{"type":"link","url":)" +
               url + R"(}]}]}])"),
            twelve);
  EXPECT_EQ(
      of(R"("text":"not related to <https://github.com/octo/repo/pull/12>",
      "blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section",
      "elements":[{"type":"link","url":)" +
         url + "}]}]}]"),
      key_set{});
  EXPECT_EQ(of(R"("text":"x","blocks":[{"type":"section","accessory":
      {"type":"button","url":)" +
               url + "}}]"),
            twelve);
  EXPECT_EQ(of(R"("text":"x","blocks":[{"type":"actions","elements":
      [{"type":"button","url":)" +
               url + "}]}]"),
            twelve);
  EXPECT_EQ(of(R"("text":"x","attachments":[{"text":"y","actions":
      [{"type":"button","url":)" +
               url + "}]}]"),
            twelve);
  for (const std::string link : {"author_link", "title_link"})
    EXPECT_EQ(of(R"("text":"x","attachments":[{"text":"y",")" + link +
                 "\":" + url + "}]"),
              twelve)
        << link;
  EXPECT_EQ(of(R"("text":"x","attachments":[{"fallback":"fixes ENG-42"}])"),
            key_set{"linear:issue:ENG-42"});
  EXPECT_EQ(of(R"("text":"x","attachments":[{"text":"y",
      "fallback":"fixes ENG-42"}])"),
            key_set{});
}

TEST(slack_rule, replies_edits_and_reactions_meet_their_message) {
  bench b;
  const std::string parent = "slack:thread:T1:C1:1712345678.000100";
  const auto slack = [&](std::string inner) {
    return b.links(make_event("slack", "message",
                              R"({"team_id":"T1","event":)" + inner + "}"));
  };
  EXPECT_EQ(slack(R"({"type":"message","channel":"C1",
      "ts":"1712345678.000100","text":"hi"})"),
            key_set{parent});
  EXPECT_TRUE(slack(R"({"type":"message","channel":"C1","text":"yes",
      "ts":"1712345699.000200","thread_ts":"1712345678.000100"})")
                  .contains(parent));
  EXPECT_EQ(slack(R"({"type":"message","subtype":"message_changed",
      "channel":"C1","ts":"1712349999.0003","message":{
      "ts":"1712345678.000100","text":"see ENG-42"}})"),
            (key_set{parent, "linear:issue:ENG-42"}));
  EXPECT_EQ(slack(R"({"type":"reaction_added","item":{"channel":"C1",
      "ts":"1712345678.000100"}})"),
            key_set{parent});
}

TEST(slack_rule, reads_blocks_attachments_and_unfurls) {
  bench b;
  const auto slack = [&](std::string members) {
    auto links = b.links(
        make_event("slack", "message",
                   R"({"team_id":"T1","event":{"type":"message","channel":"C1",
           "ts":"1712345678.000100",)" +
                       members + "}}"));
    links.erase("slack:thread:T1:C1:1712345678.000100");
    return links;
  };
  const key_set pr12{"github:pr:octo/repo#12"};
  EXPECT_EQ(slack(R"("blocks":[{"type":"rich_text","elements":[
    {"type":"rich_text_section","elements":[{"type":"text","text":"fixes "},
     {"type":"text","text":"PAY-7"}]},
    {"type":"rich_text_quote","elements":[{"type":"text","text":"ENG-1"}]}]}])"),
            key_set{"linear:issue:PAY-7"});
  EXPECT_EQ(slack(R"("blocks":[{"type":"section","text":{"type":"mrkdwn",
    "text":"<https://github.com/octo/repo/pull/12|Login>"}}])"),
            pr12);
  EXPECT_EQ(slack(R"("text":"","attachments":[{
    "from_url":"https://github.com/octo/repo/pull/12","title":"#12 Login",
    "text":"Fixes ENG-42"}])"),
            pr12);
  EXPECT_EQ(slack(R"("attachments":[{"text":"Deployed ENG-42"}])"),
            key_set{"linear:issue:ENG-42"});
}

TEST(slack_rule, reads_tables_and_markdown) {
  bench b;
  const auto blocks = [&](const std::string& list) {
    auto links = b.links(
        make_event("slack", "message",
                   R"({"team_id":"T1","event":{"type":"message","channel":"C1",
           "ts":"1712345678.000100","text":"This week","blocks":)" +
                       list + "}}"));
    links.erase("slack:thread:T1:C1:1712345678.000100");
    return links;
  };
  EXPECT_EQ(blocks(R"([{"type":"markdown",
    "text":"**Done:** [the fix](https://github.com/octo/repo/pull/12)\n\n> ENG-1"}])"),
            key_set{"github:pr:octo/repo#12"});
  EXPECT_EQ(blocks(R"([{"type":"table","rows":[
    [{"type":"raw_text","text":"Issue"},{"type":"raw_text","text":"PR"}],
    [{"type":"raw_text","text":"ENG-42"},
     {"type":"rich_text","elements":[{"type":"rich_text_section","elements":[
       {"type":"text","text":"see octo/repo#13"},
       {"type":"link","url":"https://linear.app/acme/issue/ENG-43/x",
        "text":"the other"}]}]}]]}])"),
            (key_set{"linear:issue:ENG-42", "linear:issue:ENG-43",
                     "github:pr:octo/repo#13", "github:issue:octo/repo#13"}));
}

TEST(slack_rule, a_permalink_waits_until_its_channel_is_known) {
  bench b;
  const auto ev = make_event("linear", "Attachment:create", R"({"data":{
      "url":"https://acme.slack.com/archives/C1/p1712345678000100",
      "issueId":"2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9"}})");
  const auto all = b.all(ev);
  const auto* waiting = find(all, "slack:thread::C1:1712345678.000100");
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->needs, "slack:channel:C1");
  b.known->learn("slack:channel:C1", "T1");
  EXPECT_TRUE(b.links(ev).contains("slack:thread:T1:C1:1712345678.000100"));
}

TEST(deployment_rule, names_commit_branch_and_pull_request) {
  bench b;
  const auto with = [&](std::string number) {
    return b.links(
        make_event("deployments", "deployment:success",
                   R"({"deployment_id":"dep-1","environment":"production",
        "repository_name":"Octo/Repo","branch_name":"alice/eng-42-x",
        "commit_sha":")" +
                       head + R"(","pull_request":)" + number + "}"));
  };
  const key_set expected{"deployment:octo/repo#dep-1",
                         "deployment:dep-1",
                         "git:sha:" + head,
                         "git:branch:octo/repo:alice/eng-42-x",
                         "linear:issue:ENG-42",
                         "github:pr:octo/repo#12"};
  EXPECT_EQ(with(R"({"number":12})"), expected);
  EXPECT_EQ(with("12"), expected);
  EXPECT_EQ(with(R"("#12")"), expected);
  EXPECT_EQ(with(R"("https://github.com/octo/repo/pull/12")"), expected);
}

TEST(deployment_rule, a_number_counts_where_the_pull_request_is_null) {
  bench b;
  EXPECT_TRUE(b.links(make_event("deployments", "deployment:success",
                                 R"({"deployment_id":"dep-1","pull_request":
        null,"pull_request_number":33,"repository_name":"octo/repo"})"))
                  .contains("github:pr:octo/repo#33"));
}

TEST(deployment_rule, a_repository_may_stand_behind_its_host) {
  bench b;
  const auto of =
      [&](const std::string& name) {
        return b.links(make_event("deployments", "deployment:success",
                                  R"({"deployment_id":"42","pull_request":12,
        "repository_name":")" + name + "\"}"));
      };
  const key_set expected{"deployment:ghe.acme.com/octo/repo#42",
                         "github:pr:ghe.acme.com/octo/repo#12"};
  EXPECT_EQ(of("ghe.acme.com/octo/repo"), expected);
  EXPECT_EQ(of("https://ghe.acme.com/octo/repo"), expected);
  EXPECT_EQ(of("git@ghe.acme.com:octo/repo.git"), expected);
  EXPECT_EQ(of("ssh://git@ghe.acme.com:22/octo/repo"), expected);
  EXPECT_EQ(of("github.com/Octo/Repo"),
            (key_set{"deployment:octo/repo#42", "github:pr:octo/repo#12"}));
  EXPECT_EQ(of("group/sub/project"), key_set{"deployment:42"});
}

TEST(deployment_rule, a_counter_is_nothing_without_its_repository) {
  bench b;
  EXPECT_EQ(b.links(make_event("deployments", "deployment:success",
                               R"({"deployment_id":"42",
        "repository_name":"Octo/Repo"})")),
            key_set{"deployment:octo/repo#42"});
  EXPECT_EQ(b.links(make_event("deployments", "deployment:success",
                               R"({"deployment_id":"dep-1"})")),
            key_set{"deployment:dep-1"});
}

TEST(deployment_rule, a_commit_leads_to_its_pull_request) {
  bench b;
  const auto by_commit =
      make_event("deployments", "deployment:success",
                 R"({"deployment_id":"dep-1","commit_sha":")" + merge + "\"}");
  const auto keys = b.all(by_commit);
  const auto* waits = find(keys, "git:pr:" + merge);
  ASSERT_TRUE(waits);
  EXPECT_EQ(to_string(waits->type), "deployment_to_pr");
  EXPECT_EQ(waits->needs, waits->key);
  EXPECT_EQ(waits->field, "commit_sha");
  EXPECT_EQ(resolve_key(waits->key, "github:pr:octo/repo#12"),
            "github:pr:octo/repo#12");
  // Its pull request says so: of its head, and of what it was merged as.
  const auto told = b.all(
      github("pull_request:closed", pr(R"(,"merged_at":"2026-01-31T12:00:00Z",)"
                                       R"("merge_commit_sha":")" +
                                       merge + "\"")));
  for (const auto& sha : {head, merge}) {
    const auto* fact = find(told, "git:pr:" + sha);
    ASSERT_TRUE(fact);
    EXPECT_TRUE(fact->is_fact());
    EXPECT_EQ(fact->matched, "github:pr:octo/repo#12");
  }
  // They are the store's to know.
  b.known->learn("git:pr:" + merge, "github:pr:octo/repo#12");
  EXPECT_FALSE(b.known->knows("git:pr:" + merge));
  // What says its pull request need not be found by its commit.
  EXPECT_FALSE(find(b.all(make_event("deployments", "deployment:success",
                                     R"({"repository_name":"octo/repo",)"
                                     R"("pull_request":12,"commit_sha":")" +
                                         merge + "\"}")),
                    "git:pr:" + merge));
  EXPECT_TRUE(
      find(b.all(github("deployment_status:created",
                        R"("deployment":{"id":7,"sha":")" + head + "\"}")),
           "git:pr:" + head));
}

TEST(trace_rule, reads_what_cloudevents_say_of_each_other) {
  bench b;
  const auto ev = make_event(
      "cloudevents", "order.placed", R"({"a":1})",
      R"({"cloudevents":{"id":"evt-0001","source":"/shop","traceparent":
          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          "correlationid":"order-17","causationid":"evt-0000"}})");
  EXPECT_EQ(
      b.links(ev),
      (key_set{"trace:0af7651916cd43dd8448eb211c80319c", "correlation:order-17",
               "event:/shop evt-0000", "event:/shop evt-0001"}));
  EXPECT_EQ(to_string(find(b.all(ev), "event:/shop evt-0000")->type),
            "cause_to_event");
}

// An id of zeros is no id: those that have it have nothing in common.
TEST(trace_rule, an_id_that_was_never_set_is_none) {
  bench b;
  const std::string unset = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(
      b.links(make_event("cloudevents", "t", "{}",
                         R"({"cloudevents":{"id":"o-1","source":"/a",)"
                         R"("correlationid":")" +
                             unset + R"(","causationid":")" + unset + "\"}}")),
      key_set{"event:/a o-1"});
  auto own = make_event("custom", "t", "{}");
  own.correlation_id = own.parent_event_id = uuid{};
  EXPECT_EQ(b.links(own), key_set{});
}

TEST(trace_rule, an_id_counts_within_its_source) {
  bench b;
  const auto of = [&](std::string id, std::string source, std::string cause) {
    return b.links(make_event("cloudevents", "t", "{}",
                              R"({"cloudevents":{"id":")" + id +
                                  R"(","source":")" + source +
                                  R"(","causationid":")" + cause + "\"}}"));
  };
  // However short it is.
  EXPECT_EQ(of("o-2", "/a", "o-1"), (key_set{"event:/a o-1", "event:/a o-2"}));
  EXPECT_EQ(of("o-2", "/b", "/a#o-1"),
            (key_set{"event:/b /a#o-1", "event:/a o-1", "event:/b o-2"}));
  // An id that nobody else makes counts everywhere.
  const std::string uuid_1 = "0190163d-8694-739b-aea5-966c26f8ad91";
  EXPECT_EQ(
      of("1", "/a", "0190163D-8694-739B-AEA5-966C26F8AD91"),
      (key_set{"event:/a 1", "event:/a 0190163D-8694-739B-AEA5-966C26F8AD91",
               "event:" + uuid_1}));
  EXPECT_EQ(of("01ARZ3NDEKTSV4RRFFQ69G5FAV", "/a", ""),
            (key_set{"event:/a 01ARZ3NDEKTSV4RRFFQ69G5FAV",
                     "event:01ARZ3NDEKTSV4RRFFQ69G5FAV"}));
}

TEST(trace_rule, reads_the_payload_of_events_of_ones_own) {
  bench b;
  const std::string traced =
      R"({"traceparent":"00-0af7651916cd43dd8448eb211c80319c-)"
      R"(b7ad6b7169203331-01"})";
  EXPECT_EQ(b.links(make_event("shop", "order", traced)),
            key_set{"trace:0af7651916cd43dd8448eb211c80319c"});
  EXPECT_EQ(b.links(make_event("github", "ping", traced)), key_set{});
  EXPECT_EQ(b.links(make_event("shop", "order", R"({"traceparent":"00-x"})")),
            key_set{});
}

TEST(trace_rule, reads_the_metadata_and_members_of_any_event) {
  bench b;
  auto ev = make_event("github", "ping", "{}",
                       R"({"traceparent":
          "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})");
  EXPECT_EQ(b.links(ev), key_set{"trace:0af7651916cd43dd8448eb211c80319c"});
  ev.metadata = "{}";
  ev.correlation_id = uuid::parse("0190163d-8694-739b-aea5-966c26f8ad91");
  ev.parent_event_id = uuid::parse("0190163D-8694-739B-AEA5-966C26F8AD92");
  EXPECT_EQ(b.links(ev),
            (key_set{"correlation:0190163d-8694-739b-aea5-966c26f8ad91",
                     "event:0190163d-8694-739b-aea5-966c26f8ad92"}));
}

TEST(rules, a_text_of_very_many_references_is_read_up_to_a_limit) {
  std::string body;
  for (int i = 1; i <= 9'000; ++i)
    body += "ENG-" + std::to_string(i) + " ";
  bench b;
  const auto ev = github("issue_comment:created",
                         R"("issue":{"number":7,"title":"List","body":null},)"
                         R"("comment":{"id":1,"user":{"login":"al"},"body":")" +
                             body + R"("})");
  size_t most = 0;
  for (const auto& report : b.rules.explain(ev, b.reader)) {
    EXPECT_EQ(report.error, "");
    most = std::max(most, report.keys.size());
  }
  EXPECT_GE(most, max_references);
  EXPECT_LT(most, max_references + 100);
  // What the event is comes from elsewhere, and stays.
  EXPECT_TRUE(b.links(ev).contains("github:issue:octo/repo#7"));
}

TEST(rules, what_is_stored_late_is_found_by_its_id) {
  bench b;
  const auto ev = make_event("events", "order:paid", "{}");
  codec::payload_reader reader;
  EXPECT_TRUE(b.rules.keys(ev, reader).empty());
  const auto keys = b.rules.keys_of_late(ev, reader);
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].key, "event:" + to_string(ev.id));
  EXPECT_TRUE(keys[0].is_identity());
}

TEST(rules, garbage_gives_no_keys_and_no_crash) {
  bench b;
  for (std::string_view platform :
       {"github", "linear", "slack", "deployments", "events"})
    for (
        std::string_view payload :
        {"", "null", "[]", "17", "\"x\"", "{}", "{\"data\":[]}",
         R"({"event":[],"repository":7,"pull_request":"x","data":{"issue":1}})",
         R"({"repository":{"full_name":"a/b"},"issue":[],"commits":{}})"})
      for (std::string_view type : {"push", "pull_request:opened",
                                    "Issue:create", "message", "check_run"})
        b.all(make_event(std::string{platform}, std::string{type},
                         std::string{payload}, "no json"));
  for (const auto& r : b.rules.rules())
    EXPECT_EQ(r.failures, 0u) << r.name;
}

} // namespace
} // namespace eventweft::correlation
