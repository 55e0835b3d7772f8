// SPDX-License-Identifier: Apache-2.0
#include "auth/principal.hpp"
#include "auth/redact.hpp"
#include "auth/scope.hpp"

#include <gtest/gtest.h>

namespace eventweft::auth {
namespace {

using enum permission;

principal with(std::string_view scopes) {
  principal out;
  out.how = principal::kind::api_key;
  out.id = "x";
  out.scopes = *parse_scopes(scopes);
  return out;
}

bool may(const principal& who, permission p, std::string_view stream = "") {
  return decide(who, p, stream, timestamp{}).allowed;
}

TEST(scopes, are_read_and_written) {
  const auto s = parse_scopes(" ingest  stream:pr_* read read admin manage");
  ASSERT_TRUE(s);
  EXPECT_EQ(to_string(*s), "ingest stream:pr_* read admin manage");
  EXPECT_TRUE(parse_scopes("")->empty());
}

TEST(scopes, that_are_none_are_refused) {
  std::string many;
  for (int i = 0; i < 65; ++i)
    many += "stream:s" + std::to_string(i) + " ";
  const std::vector<std::string> none{
      "stream",     "stream:",
      "stream:a/b", "stream:a b:c",
      "Read",       "write",
      "admin,read", "read\n",
      many,         "stream:" + std::string(129, 'x')};
  for (const auto& text : none) {
    const auto s = parse_scopes(text);
    ASSERT_FALSE(s) << text;
    EXPECT_EQ(s.error().code, ec::unprocessable);
  }
  EXPECT_EQ(parse_scope("root").error().message.substr(0, 30),
            "scopes: \"root\" is none of \"ing");
}

TEST(decide, knows_what_each_scope_covers) {
  struct row {
    const char* scopes;
    bool ingest, read, pr, other, manage, admin;
  };
  for (const auto& r :
       {row{"", false, false, false, false, false, false},
        row{"ingest", true, false, false, false, false, false},
        row{"read", false, true, true, true, false, false},
        row{"stream:pr_events", false, false, true, false, false, false},
        row{"stream:pr_*", false, false, true, false, false, false},
        row{"stream:*", false, false, true, true, false, false},
        row{"manage", false, false, false, false, true, false},
        row{"admin", true, true, true, true, true, true},
        row{"ingest manage", true, false, false, false, true, false}}) {
    const auto who = with(r.scopes);
    EXPECT_EQ(may(who, ingest), r.ingest) << r.scopes;
    EXPECT_EQ(may(who, read), r.read) << r.scopes;
    EXPECT_EQ(may(who, stream, "pr_events"), r.pr) << r.scopes;
    EXPECT_EQ(may(who, stream, "all_events"), r.other) << r.scopes;
    EXPECT_EQ(may(who, manage), r.manage) << r.scopes;
    EXPECT_EQ(may(who, admin), r.admin) << r.scopes;
  }
}

TEST(decide, says_what_is_missing) {
  const auto d = decide(with("ingest"), stream, "pr_events", timestamp{});
  EXPECT_EQ(d.code, ec::forbidden);
  EXPECT_EQ(d.reason, "this needs the scope \"stream:pr_events\"");
}

TEST(decide, refuses_whoever_has_expired) {
  auto who = with("admin");
  who.expires = timestamp{std::chrono::seconds{10}};
  const auto at = [&](int s) {
    return decide(who, read, "", timestamp{std::chrono::seconds{s}});
  };
  EXPECT_TRUE(at(9).allowed);
  EXPECT_FALSE(at(10).allowed);
  EXPECT_EQ(at(10).code, ec::unauthorized);
}

TEST(decide, a_forced_filter_reads_but_does_not_manage) {
  auto who = with("admin");
  who.forced = filter{};
  who.forced->source_names = {"octo/*"};
  EXPECT_TRUE(may(who, read));
  EXPECT_TRUE(may(who, stream, "all_events"));
  EXPECT_TRUE(may(who, ingest));
  EXPECT_FALSE(may(who, manage));
  EXPECT_FALSE(may(who, admin));
  EXPECT_EQ(visible_to(who), *who.forced);
  EXPECT_TRUE(visible_to(with("read")).empty());
}

TEST(decide, everyone_may_do_everything) {
  EXPECT_TRUE(may(everyone(), admin));
  EXPECT_EQ(everyone().how, principal::kind::anonymous);
}

TEST(redacted_target, hides_secrets_only) {
  EXPECT_EQ(redacted_target("/ws/events/x"), "/ws/events/x");
  EXPECT_EQ(redacted_target("/a?ticket=ewt_1&since=5&Token=x&access_token=y"),
            "/a?ticket=[redacted]&since=5&Token=[redacted]&access_token="
            "[redacted]");
  EXPECT_EQ(redacted_target("/a?tick%65t=ewt_1"), "/a?tick%65t=[redacted]");
  EXPECT_EQ(redacted_target("/a?ticket"), "/a?ticket");
  EXPECT_EQ(redacted_target("/a?"), "/a?");
  EXPECT_EQ(redacted_target("/a?&&x=1&"), "/a?&&x=1&");
  EXPECT_EQ(redacted_target("/a?x=1&ticket=a=b"), "/a?x=1&ticket=[redacted]");
  EXPECT_EQ(redacted_target("/a?%=1&%zz=2&%6=3"), "/a?%=1&%zz=2&%6=3");
}

} // namespace
} // namespace eventweft::auth
