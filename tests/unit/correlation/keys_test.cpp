// SPDX-License-Identifier: Apache-2.0
#include "correlation/keys.hpp"
#include "correlation/url_reference.hpp"

#include <gtest/gtest.h>

namespace eventweft::correlation {
namespace {

const std::string sha40 = "0123456789abcdef0123456789abcdef01234567";

std::string first_key(std::string_view url) {
  const auto found = read_url(url);
  return found && !found->keys.empty() ? found->keys.front().key : "";
}

TEST(keys, what_was_never_set_names_nothing) {
  EXPECT_EQ(normalise_key("trace:" + std::string(32, '0')), std::nullopt);
  EXPECT_EQ(normalise_key("00-" + std::string(32, '0') + "-" +
                          std::string(15, '0') + "1-01")
                .value_or("")
                .starts_with("trace:"),
            false);
  const std::string nil = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(normalise_key("correlation:" + nil), std::nullopt);
  EXPECT_EQ(normalise_key("event:" + nil), std::nullopt);
  EXPECT_EQ(normalise_key("trace:order-1"), "trace:order-1");
}

TEST(keys, fold_the_case_that_platforms_ignore) {
  EXPECT_EQ(normalise_key("github:pr:Octo/Repo#12"), "github:pr:octo/repo#12");
  EXPECT_EQ(normalise_key(" linear:issue:eng-42\n"), "linear:issue:ENG-42");
  for (const auto* spelling :
       {"GITHUB:PR:Octo/Repo#12", "github:pr:octo/repo#0012",
        "github:pr:https://github.com/Octo/Repo#12", "Octo/Repo#012",
        "GitHub:pr:https://github.com/octo/repo/pull/12/files"})
    EXPECT_EQ(normalise_key(spelling), "github:pr:octo/repo#12") << spelling;
  EXPECT_EQ(normalise_key("LINEAR:ISSUE:eng-0042"), "linear:issue:ENG-42");
  EXPECT_EQ(normalise_key("Slack:thread:t1:c1:1712345678.0001"),
            "slack:thread:T1:C1:1712345678.000100");
  EXPECT_EQ(normalise_key("Deployment:Octo/Repo#Dep-1"),
            "deployment:octo/repo#Dep-1");
  EXPECT_EQ(normalise_key("deployment:Dep-1"), "deployment:Dep-1");
  EXPECT_EQ(normalise_key("github:pr:api.www.git.example/octo/repo#1"),
            "github:pr:git.example/octo/repo#1");
  for (const auto* none : {"git:sha:12", "git:sha:nothing", "github:pr:12",
                           "github:issue:octo/repo"})
    EXPECT_EQ(normalise_key(none), std::nullopt) << none;
  EXPECT_EQ(normalise_key("git:sha:" + upper(sha40)), "git:sha:" + sha40);
  EXPECT_EQ(normalise_key("git:branch:Octo/Repo:Feature/X"),
            "git:branch:octo/repo:Feature/X");
}

TEST(keys, read_the_forms_that_people_write) {
  EXPECT_EQ(normalise_key("octo/repo#12"), "github:pr:octo/repo#12");
  EXPECT_EQ(normalise_key("ENG-42"), "linear:issue:ENG-42");
  EXPECT_EQ(normalise_key(sha40), "git:sha:" + sha40);
  EXPECT_EQ(normalise_key("https://github.com/Octo/Repo/issues/7"),
            "github:issue:octo/repo#7");
  EXPECT_EQ(normalise_key("deploy-12"), "deploy-12");
  EXPECT_EQ(normalise_key("deployment_pr_12"), "deployment_pr_12");
}

TEST(keys, refuse_what_is_no_key) {
  EXPECT_EQ(normalise_key("  "), std::nullopt);
  EXPECT_EQ(normalise_key("a\x01z"), std::nullopt);
  EXPECT_EQ(normalise_key(std::string(max_key_size + 1, 'x')), std::nullopt);
}

TEST(keys, resolve_short_shas_through_what_is_known) {
  const sha_lookup known =
      [](std::string_view prefix) -> std::optional<std::string> {
    return std::string_view{sha40}.starts_with(prefix) ? std::optional{sha40}
                                                       : std::nullopt;
  };
  EXPECT_EQ(normalise_key("git:sha:0123456", known), "git:sha:" + sha40);
  EXPECT_EQ(normalise_key("0123456789AB", known), "git:sha:" + sha40);
  EXPECT_EQ(normalise_key("fffffff", known), "fffffff");
  EXPECT_EQ(normalise_key("https://github.com/octo/repo/commit/0123456", known),
            "git:sha:" + sha40);
  EXPECT_EQ(normalise_key("https://github.com/octo/repo/commit/fffffff", known),
            "git:sha:fffffff");
}

TEST(keys, keep_hosts_apart) {
  EXPECT_EQ(first_key("https://ghe.acme.com/Octo/Repo/pull/12/files"),
            "github:pr:ghe.acme.com/octo/repo#12");
  EXPECT_EQ(first_key("https://ghe.acme.com/api/v3/repos/octo/repo/pulls/12"),
            "github:pr:ghe.acme.com/octo/repo#12");
  EXPECT_EQ(first_key("https://api.github.com/repos/octo/repo/pulls/12"),
            "github:pr:octo/repo#12");
  EXPECT_EQ(first_key("https://WWW.github.com/octo/repo/pull/12?w=1"),
            "github:pr:octo/repo#12");
}

TEST(keys, an_unknown_host_must_prove_that_it_is_a_github) {
  const auto found = read_url("https://git.acme.com/octo/repo/issues/3");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->keys[0].needs, "github:host:git.acme.com");
  EXPECT_FALSE(read_url("https://gitlab.com/octo/repo/issues/3"));
  EXPECT_FALSE(read_url("https://docs.github.com/en/rest/pull/3"));
  EXPECT_FALSE(read_url("https://github.com/octo/repo/pulls"));
}

TEST(keys, urls_of_commits) {
  const auto both =
      read_url("https://github.com/octo/repo/pull/5/commits/" + sha40);
  ASSERT_TRUE(both);
  ASSERT_EQ(both->keys.size(), 2u);
  EXPECT_EQ(both->keys[1].key, "git:sha:" + sha40);
  const auto brief = read_url("https://github.com/octo/repo/commit/0123456");
  ASSERT_TRUE(brief);
  EXPECT_EQ(brief->keys[0].key, "git:sha:0123456");
  EXPECT_EQ(brief->keys[0].needs, "git:sha7:0123456");
}

TEST(keys, slack_permalinks_and_time_stamps) {
  EXPECT_EQ(slack_thread_key("t1", "c2", "1712345678.0001"),
            "slack:thread:T1:C2:1712345678.000100");
  EXPECT_EQ(slack_thread_key("T1", "C2", "p1712345678000100"),
            "slack:thread:T1:C2:1712345678.000100");
  EXPECT_EQ(slack_thread_key("T1", "C2", "yesterday"), std::nullopt);
  const auto reply =
      read_url("https://acme.slack.com/archives/C2/p1712349999000200"
               "?thread_ts=1712345678.000100&cid=C2");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->keys[0].needs, "slack:channel:C2");
  EXPECT_EQ(resolve_key(reply->keys[0].key, "T1"),
            "slack:thread:T1:C2:1712345678.000100");
}

TEST(keys, traceparent_as_w3c_says) {
  EXPECT_EQ(
      trace_key("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
      "trace:0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(
      normalise_key("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
      "trace:0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(
      trace_key("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
      std::nullopt);
  EXPECT_EQ(
      trace_key("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
      std::nullopt);
  EXPECT_EQ(
      trace_key("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"),
      std::nullopt);
}

TEST(keys, ids_of_deployments_count_in_their_repository) {
  const auto repo = *repository_of("Octo/Repo");
  EXPECT_EQ(deployment_key("dep_8fj2", repo), "deployment:octo/repo#dep_8fj2");
  EXPECT_EQ(deployment_key(" 42 ", repo), "deployment:octo/repo#42");
  EXPECT_EQ(deployment_key("145988746", {}), "deployment:145988746");
  EXPECT_TRUE(is_bare_deployment(deployment_key("dep_8fj2", {})));
  EXPECT_FALSE(is_bare_deployment(deployment_key("dep_8fj2", repo)));
  EXPECT_TRUE(counts_in_repository("999999"));
  EXPECT_FALSE(counts_in_repository("145988746"));
  EXPECT_FALSE(counts_in_repository("dep_8fj2"));
}

TEST(keys, types_have_names_that_read_back) {
  const correlation_type type{correlation_noun::pr, correlation_noun::issue};
  EXPECT_EQ(to_string(type), "pr_to_issue");
  EXPECT_EQ(parse_correlation_type("pr_to_issue"), type);
  EXPECT_EQ(to_string(correlation_type{}), "identity");
  EXPECT_EQ(parse_correlation_type("identity"), correlation_type{});
  EXPECT_EQ(parse_correlation_type("pr_and_issue"), std::nullopt);
}

} // namespace
} // namespace eventweft::correlation
