// SPDX-License-Identifier: Apache-2.0
#include "codec/json_text.hpp"
#include "correlation/rule.hpp"
#include "tests/unit/correlation/support.hpp"

#include <gtest/gtest.h>

namespace eventweft::correlation {
namespace {

/// What a pull request's body in octo/repo links to.
std::set<std::string> body(std::string text) {
  testing::bench b;
  std::string json = R"({"action":"opened","number":1,"repository":
    {"full_name":"octo/repo","default_branch":"main",
     "html_url":"https://github.com/octo/repo"},
    "pull_request":{"number":1,"title":"","body":)";
  codec::append_quoted(json, text);
  json += "}}";
  auto links = b.links(
      testing::make_event("github", "pull_request:opened", std::move(json)));
  links.erase("github:pr:octo/repo#1");
  return links;
}

std::set<std::string> chat(std::string text) {
  testing::bench b;
  std::string json = R"({"team_id":"T1","event":{"type":"message",
    "channel":"C1","ts":"1712345678.000100","text":)";
  codec::append_quoted(json, text);
  json += "}}";
  auto links =
      b.links(testing::make_event("slack", "message", std::move(json)));
  links.erase("slack:thread:T1:C1:1712345678.000100");
  return links;
}

using key_set = std::set<std::string>;
const key_set nothing;
const key_set eng42{"linear:issue:ENG-42"};

std::vector<reference> branch(std::string_view name) {
  vocabulary known;
  for (std::string_view team : {"ENG", "API"})
    known.learn_team(team);
  scan_options options;
  options.known = &known;
  std::vector<reference> out;
  scan_branch(name, options, out);
  return out;
}

key_set branch_keys(std::string_view name) {
  key_set out;
  for (const auto& r : branch(name))
    if (r.known)
      out.insert(r.key);
  return out;
}

TEST(text, known_teams_link_wherever_they_stand) {
  EXPECT_EQ(body("See ENG-42."), eng42);
  EXPECT_EQ(body("(ENG-42)"), eng42);
  EXPECT_EQ(body("**ENG-42**: login"), eng42);
  EXPECT_EQ(body("_fixes ENG-42_"), eng42);
  EXPECT_EQ(body("ENG-42's tests"), eng42);
  EXPECT_EQ(chat("can someone look at eng-42?"), eng42);
  EXPECT_EQ(body("ENG-41/ENG-42"),
            (key_set{"linear:issue:ENG-41", "linear:issue:ENG-42"}));
}

TEST(text, lookalikes_do_not_link_even_behind_a_magic_word) {
  for (std::string_view text :
       {"Fixes UTF-8 handling", "closes RFC-9110 gap", "fix COVID-19 page",
        "resolves SHA-256 mismatch", "Fixes ISO-8601 dates",
        "Fixes CVE-2024-3094", "fix GPT-4 prompts", "fixes NODE-18 build",
        "fix STEP-3", "Fixes X-509 parsing", "closes TOP-10",
        "implements SHA3-256 hashing", "Fixes X86-64 builds",
        "implements CURVE-25519", "closes BUG-12", "resolves TICKET-5"})
    EXPECT_EQ(body(std::string{text}), nothing) << text;
}

TEST(text, unknown_teams_need_a_magic_word_or_a_url) {
  EXPECT_EQ(body("See FOO-7 and PAY-12"), nothing);
  EXPECT_EQ(body("Fixes PAY-12"), key_set{"linear:issue:PAY-12"});
  EXPECT_EQ(body("https://linear.app/acme/issue/PAY-12/slow-checkout"),
            key_set{"linear:issue:PAY-12"});
}

TEST(text, parts_of_other_names_are_no_ids) {
  for (std::string_view text :
       {"ENG-42.md", "docs/ENG-42/x", "ENG-42.5", "XENG-42", "ENG-0042",
        "image:ENG-42.png", "my_ENG-42x", "eng-42.internal:80", "eng-42@host",
        "ENG-42-43"})
    EXPECT_EQ(body(std::string{text}), nothing) << text;
}

TEST(text, code_quotes_and_comments_are_left_out) {
  EXPECT_EQ(body("```\nENG-42\n```\n"), nothing);
  EXPECT_EQ(body("~~~\nENG-42\n~~~"), nothing);
  EXPECT_EQ(body("a `fixes ENG-42 when` b"), nothing);
  EXPECT_EQ(body("done in `ENG-42`"), eng42);
  // Hyphens that join nothing.
  EXPECT_EQ(body("with `--verbose`, `-`, `-1`, `a-`, `a--b`: `ENG-42`"), eng42);
  EXPECT_EQ(body("> ENG-42 was bad\n\nyes"), nothing);
  EXPECT_EQ(body("<!-- Fixes ENG-42 -->"), nothing);
  EXPECT_EQ(body("text\n\n    ENG-42 in code\n"), nothing);
  EXPECT_EQ(chat("```fixes ENG-42```"), nothing);
  EXPECT_EQ(chat("&gt; ENG-42\nok"), nothing);
  EXPECT_EQ(body("<pre>ENG-42</pre> text"), nothing);
  EXPECT_EQ(body("```\ncode\n```\nENG-42"), eng42);
}

TEST(text, links_speak_for_their_labels) {
  EXPECT_EQ(body("[ENG-42](https://acme.atlassian.net/browse/ENG-42)"),
            nothing);
  EXPECT_EQ(body("[ENG-42](https://linear.app/acme/issue/ENG-42)"), eng42);
  EXPECT_EQ(body("https://example.com/x/ENG-42"), nothing);
  EXPECT_EQ(chat("<https://acme.atlassian.net/browse/ENG-42|ENG-42>"), nothing);
  EXPECT_EQ(body("Fixes [#12](https://github.com/other/repo/issues/12)"),
            (key_set{"github:issue:other/repo#12", "github:pr:other/repo#12"}));
  EXPECT_EQ(body("![ENG-42](https://img.example/ENG-42.png)"), nothing);
}

TEST(text, numbers_link_by_what_is_said) {
  EXPECT_EQ(body("see #12"), nothing);
  EXPECT_EQ(body("Fixes issue #12"), key_set{"github:issue:octo/repo#12"});
  EXPECT_TRUE(body("Closes #12").contains("github:issue:octo/repo#12"));
  EXPECT_TRUE(body("Part of #12").contains("github:issue:octo/repo#12"));
  EXPECT_TRUE(body("Fixes GH-12").contains("github:issue:octo/repo#12"));
  EXPECT_TRUE(
      body("Fixes: #1, #12 and #13").contains("github:issue:octo/repo#13"));
  EXPECT_TRUE(
      body("Fixes:\n- #12\n- #13\n").contains("github:issue:octo/repo#13"));
  EXPECT_EQ(body("colour #123456, entity &#39;, C#12"), nothing);
}

TEST(text, denials_and_other_work_do_not_link) {
  for (std::string_view text :
       {"This does not fix ENG-42", "doesn't close ENG-42",
        "unrelated to ENG-42", "not related to ENG-42", "skip ENG-42",
        "depends on ENG-42", "blocked by ENG-42", "ids such as ENG-42",
        "e.g. ENG-42", "Depends on #12"})
    EXPECT_EQ(body(std::string{text}), nothing) << text;
  EXPECT_EQ(body("Does not close ENG-41 but fixes ENG-42"), eng42);
  EXPECT_EQ(body("looks like ENG-42 is back"), eng42);
}

TEST(text, chat_links_by_url) {
  EXPECT_EQ(chat("<https://github.com/octo/repo/pull/9>"),
            key_set{"github:pr:octo/repo#9"});
  EXPECT_EQ(chat("pls review <https://github.com/octo/repo/pull/9/files|this>"),
            key_set{"github:pr:octo/repo#9"});
  EXPECT_EQ(chat("octo/repo#9 is up"),
            (key_set{"github:pr:octo/repo#9", "github:issue:octo/repo#9"}));
}

TEST(text, a_list_of_many_things_is_about_none_of_them) {
  EXPECT_EQ(chat("today: ENG-1, ENG-2, ENG-3, ENG-4"), nothing);
  EXPECT_EQ(chat("ENG-1, ENG-2 and ENG-3").size(), 3u);
  EXPECT_EQ(body("Fixes ENG-1, ENG-2, ENG-3, ENG-4 and ENG-5").size(), 5u);
}

TEST(text, branches_begin_with_their_issue) {
  EXPECT_EQ(branch_keys("alice/eng-42-fix-login"), eng42);
  EXPECT_EQ(branch_keys("feature/ENG-42"), eng42);
  EXPECT_EQ(branch_keys("eng-42-support-api-2"), eng42);
  EXPECT_EQ(branch_keys("feature/login-eng-42"), eng42);
  EXPECT_EQ(branch_keys("eng-42-eng-43-both"),
            (key_set{"linear:issue:ENG-42", "linear:issue:ENG-43"}));
  EXPECT_EQ(branch_keys("renovate/api-2"), nothing);
  EXPECT_EQ(branch_keys("dependabot/npm/eng-42"), nothing);
  EXPECT_EQ(branch_keys("fix-utf-8"), nothing);
  EXPECT_EQ(branch_keys("eng-42.1"), nothing);
}

TEST(text, what_is_found_does_not_depend_on_what_is_known) {
  for (std::string_view text :
       {"ENG-42", "eng-42 please", "alice/eng-42-x", "fixes NODE-3", "`eng-42`",
        "ENG-1, ENG-2, ENG-3, ENG-4"}) {
    vocabulary known;
    known.learn_team("ENG");
    known.learn_team("NODE");
    scan_options with;
    with.known = &known;
    std::vector<reference> a;
    std::vector<reference> b;
    scan_text(text, with, a);
    scan_text(text, {}, b);
    ASSERT_EQ(a.size(), b.size()) << text;
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].key, b[i].key) << text;
      EXPECT_FALSE(b[i].needs.empty()) << text;
    }
  }
}

TEST(text, long_hostile_texts_end_soon) {
  const auto repeat = [](std::string_view unit) {
    std::string out;
    while (out.size() < 256u << 10)
      out += unit;
    return out;
  };
  for (std::string_view unit :
       {"<code>", "<a href=\"", "[", "[](", "`", "``` `", "<", "![", "a-",
        "fixes ", "ENG-", "#", "a/b", "&", "http://", "\n>", "'"}) {
    std::vector<reference> out;
    scan_text(repeat(unit), {}, out);
    scan_options slack;
    slack.how = markup::slack;
    scan_text(repeat(unit), slack, out);
    EXPECT_TRUE(out.empty()) << unit;
  }
}

} // namespace
} // namespace eventweft::correlation
