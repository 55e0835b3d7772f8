// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/custom.hpp"
#include "actors/platforms/github.hpp"
#include "actors/platforms/sanitiser.hpp"
#include "codec/json_spans.hpp"
#include "tests/unit/platforms/support.hpp"

namespace eventweft::platforms {
namespace {

sanitiser make(std::vector<std::string> pointers,
               std::vector<std::string> shapes = {}) {
  config::platform_settings s;
  s.redact = std::move(pointers);
  s.redact_tokens = std::move(shapes);
  return sanitiser::make(s, "[platforms.x]").value();
}

TEST(json_places, finds_values_by_pointer) {
  constexpr std::string_view text =
      R"( {"a":{"b/c":[1,{"d~e":"x\"]}"},null]},"a":2, "u\u00e9":true} )";
  const auto one = [&](std::string_view pointer) {
    const auto found = codec::json_places(text, pointer);
    return found.empty() ? std::string_view{"-"} : found.front();
  };
  EXPECT_EQ(one("/a/b~1c/0"), "1");
  EXPECT_EQ(one("/a/b~1c/1/d~0e"), R"("x\"]}")");
  EXPECT_EQ(one("/a/b~1c/2"), "null");
  EXPECT_EQ(one("/u\xC3\xA9"), "true");
  EXPECT_EQ(one("/a/x"), "-");
  EXPECT_EQ(one("/a/b~1c/3"), "-");
  EXPECT_EQ(one("a"), "-");
  // A repeated key has two values.
  EXPECT_EQ(codec::json_places(text, "/a").size(), 2u);
  EXPECT_EQ(codec::json_places(text, "/*").size(), 3u);
  EXPECT_EQ(codec::json_places(text, "/a/*/*").size(), 3u);
}

TEST(json_places, is_safe_with_texts_that_are_not_json) {
  for (std::string_view text :
       {"", "{", "[", "{\"", "{\"a", "{\"a\"", "{\"a\":", "[1,", "{\"a\":\"\\",
        "]", "{]", "[,]", "{\"a\":}"}) {
    codec::json_places(text, "/a");
    codec::json_places(text, "/0/*");
  }
}

TEST(sanitiser, replaces_values_by_pointer) {
  const auto out = make({"/sender/email", "/commits/*/author"})
                       .apply(R"({"sender":{"email" : "a@b", "id":1},)"
                              R"("commits":[{"author":{"name":"x"},"id":2}]})");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->text, R"({"sender":{"email" : "[redacted]", "id":1},)"
                       R"("commits":[{"author":"[redacted]","id":2}]})");
  EXPECT_EQ(out->notes,
            (std::vector<std::string>{"/sender/email", "/commits/*/author"}));
}

TEST(sanitiser, replaces_outer_values_with_all_that_is_in_them) {
  const auto out = make({"/a/b", "/a"}).apply(R"({"a":{"b":1},"c":2})");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->text, R"({"a":"[redacted]","c":2})");
  EXPECT_EQ(out->notes, (std::vector<std::string>{"/a"}));
}

TEST(sanitiser, leaves_alone_what_does_not_match) {
  EXPECT_FALSE(make({"/x", "/a/b"}).apply(R"({"a":1,"y":null})"));
  EXPECT_FALSE(make({"/y"}).apply(R"({"y":null})"));
  EXPECT_FALSE(make({}, {"all"}).apply(R"({"a":"ghp_short","b":"AKIAx"})"));
  EXPECT_FALSE(make({}).apply(R"({"a":1})"));
}

TEST(sanitiser, replaces_known_shapes_of_tokens) {
  const std::string github = "ghp_" + std::string(36, 'a');
  const std::string jwt = "eyJ" + std::string(20, 'a') + "." +
                          std::string(20, 'b') + "." + std::string(10, 'c');
  const std::string slack = "xoxb-" + std::string(30, '1');
  const auto all = make({}, {"all"});
  const auto in = [&](const std::string& token) {
    const auto out = all.apply(R"({"a":"see )" + token + R"( there"})");
    return out ? out->text : std::string{"-"};
  };
  const std::string gone = R"({"a":"see [redacted] there"})";
  EXPECT_EQ(in(github), gone);
  EXPECT_EQ(in(jwt), gone);
  EXPECT_EQ(in(slack), gone);
  EXPECT_EQ(in("AKIA" + std::string(16, 'Z')), gone);
  EXPECT_EQ(in("sk_live_" + std::string(24, 'z')), gone);
  EXPECT_EQ(in("glpat-" + std::string(20, 'z')), gone);
  EXPECT_EQ(in("lin_api_" + std::string(40, 'z')), gone);
  EXPECT_EQ(in("-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE "
               "KEY-----"),
            gone);
  EXPECT_EQ(in("-----BEGIN PUBLIC KEY-----\\nMIIE\\n-----END PUBLIC KEY-----"),
            "-");
  // At the start of a line, after an escape.
  EXPECT_EQ(in("\\n" + github), R"({"a":"see \n[redacted] there"})");
  EXPECT_EQ(in("\\u00e9" + github), R"({"a":"see \u00e9[redacted] there"})");
  // An escape's own letter starts nothing.
  EXPECT_EQ(in("\\npm_" + std::string(40, 'a')), "-");
  // A key that is cut short ends with its string, escaped quotes and all.
  EXPECT_EQ(in(R"(-----BEGIN PRIVATE KEY-----a\"b\\)"),
            R"({"a":"see [redacted]"})");
  // Not within a longer word.
  EXPECT_EQ(in("x" + github), "-");
}

TEST(sanitiser, knows_the_shapes_of_many_owners) {
  const auto all = make({}, {"all"});
  const auto of = [](std::string start, size_t n) {
    return std::move(start) + std::string(n, '7');
  };
  for (const auto& token :
       {of("lin_oauth_", 64),
        of("lin_wh_", 40),
        of("GOCSPX-", 28),
        of("ya29.", 60),
        of("1//0", 60),
        of("github_pat_", 82),
        of("ghs_", 36),
        of("glpat-", 20),
        of("glptt-", 40),
        of("xoxc-", 30),
        of("xoxe.xoxp-", 40),
        of("sk_live_", 24),
        of("ASIA", 16),
        of("npm_", 36),
        of("pypi-AgEIcHlwaS5vcmc", 60),
        of("SG." + std::string(22, 'a') + ".", 43),
        of("SK", 32),
        of("sk-proj-", 60),
        of("sk-ant-api03-", 80),
        of("shpat_", 32),
        of("dop_v1_", 64),
        of("hf_", 34),
        of("vcp_", 56),
        of("dckr_pat_", 27),
        of("glsa_", 41),
        of("rubygems_", 48),
        of("sntryu_", 64),
        of("sbp_", 40),
        of("figd_", 40),
        of("dapi", 32),
        of("cfut_", 48),
        of("discord.com/api/webhooks/1/", 68),
        of("hooks.slack.com/commands/T1/2/", 24),
        of("hooks.slack.com/triggers/T1/2/", 24),
        "MTIzNDU2Nzg5MDEyMzQ1Njc4.GAbCdE." + std::string(38, 'x')}) {
    const auto out = all.shapes("see " + token + ", there");
    ASSERT_TRUE(out) << token;
    EXPECT_EQ(out->text, "see [redacted], there") << token;
  }
  // A bot's id is no secret.
  const auto bot = all.shapes("bot123456789:AA" + std::string(33, 'x') + "/m");
  ASSERT_TRUE(bot);
  EXPECT_EQ(bot->text, "bot123456789:[redacted]/m");
  EXPECT_EQ(bot->notes, (std::vector<std::string>{"token:telegram"}));
  for (const auto* word :
       {"MyVeryOwnConfigurationName.method.and_a_long_name_of_something_else",
        "SKIPPED", "hf_transformers_and_more_of_the_same_kind",
        "https://hooks.slack.com/services",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "sk-learn-and-other-libraries-of-that-kind-and-name-are-no-keys",
        "secret_of_the_long_name_that_is_none_of_the_known_tokens"})
    EXPECT_FALSE(all.shapes(word)) << word;
}

TEST(sanitiser, sees_a_web_token_before_a_full_stop) {
  const auto clean = make({}, {"jwt"});
  const auto token = "eyJ" + std::string(20, 'a') + "." + std::string(20, 'b') +
                     "." + std::string(20, 'c');
  for (std::string_view after : {".", "...", ". Then", ".\\n"}) {
    const auto out = clean.shapes(token + std::string{after});
    ASSERT_TRUE(out) << after;
    EXPECT_EQ(out->text, std::string{redacted_text} + std::string{after});
  }
  // Four parts are something else.
  EXPECT_FALSE(clean.shapes(token + ".d"));
}

// Each part may begin a token: looked at to the end of the text for each of
// them, this one would take minutes.
TEST(sanitiser, reads_a_text_of_many_parts_a_few_times_only) {
  std::string text;
  for (int i = 0; i < 200'000; ++i)
    text += "eyJ.";
  EXPECT_FALSE(make({}, {"jwt"}).shapes(text + "eyJ"));
}

TEST(sanitiser, sees_tokens_however_they_are_escaped) {
  const auto clean = make({}, {"all"});
  const auto in = [&](std::string text) {
    const auto out = clean.apply(text);
    return out ? out->text : "-";
  };
  // As PHP writes slashes.
  EXPECT_EQ(in(R"({"u":"https:\/\/hooks.slack.com\/services\/T00000000\/)"
               R"(B00000000\/XXXXXXXXXXXXXXXXXXXXXXXX?a\/b","n": 1.50})"),
            R"({"u":"https:\/\/[redacted]?a\/b","n": 1.50})");
  const std::string tail(35, 'a');
  EXPECT_EQ(
      in(R"(["\u00fc g\u0068\u0070_a)" + tail + R"(\u0020\ud83e\uddf5"])"),
      R"(["\u00fc [redacted]\u0020\ud83e\uddf5"])");
  EXPECT_EQ(in(R"({"\u0067hp_)" + tail + R"(a":"\""})"),
            R"({"[redacted]":"\""})");
  EXPECT_EQ(in(R"(["\u002d----BEGIN PRIVATE KEY-----\nMII\/x\n)"
               R"(-----END PRIVATE KEY\u002d----\n."])"),
            R"(["[redacted]\n."])");
  // JSON within JSON has escapes of its own.
  EXPECT_EQ(in(R"(["{\"a\":\"\\nghp_a)" + tail + R"(\"}"])"),
            R"(["{\"a\":\"\\n[redacted]\"}"])");
  // A word may begin with an escape, too.
  EXPECT_EQ(in(R"(["\u0078ghp_a)" + tail + R"("])"), "-");
  EXPECT_EQ(in(R"({"a\/b":"\\ \u0067hp_ \ud800 \n"})"), "-");
}

TEST(sanitiser, is_safe_with_texts_that_are_not_json) {
  const auto clean = make({}, {"all"});
  for (std::string_view text :
       {"\\", "\\u", "\\u00", "\"\\", "a\\", "\\\\\\", "\\x"})
    EXPECT_FALSE(clean.shapes(text)) << text;
  const auto token = "ghp_" + std::string(36, 'a');
  EXPECT_EQ(clean.shapes("C:\\x\\" + token + "\\")->text,
            "C:\\x\\[redacted]\\");
}

TEST(sanitiser, replaces_only_the_shapes_asked_for) {
  const std::string text = R"({"a":"ghp_)" + std::string(36, 'a') +
                           R"(","b":"AKIA)" + std::string(16, 'Z') + R"("})";
  const auto out = make({}, {"aws"}).apply(text);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->notes, (std::vector<std::string>{"token:aws"}));
  EXPECT_NE(out->text.find("ghp_"), std::string::npos);
}

TEST(sanitiser, names_what_it_can_not_use) {
  config::platform_settings s;
  s.redact = {"email"};
  const auto pointer = sanitiser::make(s, "[platforms.x]").error();
  EXPECT_EQ(pointer.code, ec::bad_configuration);
  EXPECT_EQ(pointer.message, "[platforms.x] redact: \"email\" is not a JSON "
                             "pointer (it starts with '/' and has '~' only "
                             "in ~0 and ~1)");
  for (const auto* bad : {"", "/a~", "/a~2", "/~a/b"}) {
    s.redact = {bad};
    EXPECT_FALSE(sanitiser::make(s, "[platforms.x]")) << bad;
  }
  s.redact = {"/", "/a~0b/~1"};
  EXPECT_TRUE(sanitiser::make(s, "[platforms.x]"));
  s.redact.clear();
  s.redact_tokens = {"gitbub"};
  const auto shapes = sanitiser::make(s, "[platforms.x]").error().message;
  EXPECT_TRUE(shapes.starts_with(
      "[platforms.x] redact_tokens: \"gitbub\" is not one of "))
      << shapes;
  for (const auto* name : {"aws, ", "github, ", "slack, ", ", all"})
    EXPECT_NE(shapes.find(name), std::string::npos) << name;
}

TEST(with_redactions, adds_a_member) {
  EXPECT_EQ(with_redactions("{}", {"/a"}), R"({"redacted":["/a"]})");
  EXPECT_EQ(with_redactions(R"({"x":1 })", {"/a", "token:aws"}),
            R"({"x":1,"redacted":["/a","token:aws"] })");
}

TEST(with_redactions, takes_the_place_of_the_senders_own) {
  EXPECT_EQ(with_redactions(R"({"redacted":"mine", "x" : {"a": 1}})", {"/a"}),
            R"({"x":{"a": 1},"redacted":["/a"]})");
  EXPECT_EQ(with_redactions(R"({"redacted":"mine"})", {"/a"}),
            R"({"redacted":["/a"]})");
}

class redaction_test : public platform_test {};

TEST_F(redaction_test, looks_into_the_headers_of_cloudevents) {
  auto s = unsigned_allowed();
  s.redact_tokens = {"all"};
  const auto token = "ghp_" + std::string(36, 'a');
  const auto p = make_custom(parts(s), {}).value();
  const auto with = [&](std::string type, std::string body) {
    return only(p->accept(post(std::move(body), {{"content-type", type},
                                                 {"ce-specversion", "1.0"},
                                                 {"ce-id", "1"},
                                                 {"ce-source", "/s"},
                                                 {"ce-type", "t"},
                                                 {"ce-subject", token},
                                                 {"ce-tok", token}})));
  };
  const auto ev = with("application/json", R"({"a":")" + token + R"("})");
  EXPECT_EQ(ev.source_name, "[redacted]");
  EXPECT_EQ(ev.metadata.find("ghp_"), std::string::npos);
  EXPECT_NE(ev.metadata.find(R"("redacted":["token:github"])"),
            std::string::npos);
  EXPECT_EQ(ev.payload.view(), R"({"a":"[redacted]"})");
  // Of text that is no JSON before it becomes Base64.
  const auto xml = with("text/plain", "x " + token);
  const auto same = with("text/plain", "x [redacted]");
  EXPECT_EQ(xml.payload.view(), same.payload.view());
}

TEST_F(redaction_test, reaches_every_field_of_the_event) {
  auto s = unsigned_allowed();
  s.redact = {"/sender/login"};
  s.redact_tokens = {"github"};
  const auto token = "ghp_" + std::string(36, 'a');
  const auto w =
      post(R"({"sender":{"login":"ann","id":1},"text":")" + token + R"("})",
           {{"x-github-event", "push"}, {"x-github-delivery", "1"}});
  const auto ev = only(make_github(parts(s)).value()->accept(w));
  EXPECT_EQ(ev.payload.view(),
            R"({"sender":{"login":"[redacted]","id":1},"text":"[redacted]"})");
  EXPECT_EQ(ev.actor_name, "[redacted]");
  EXPECT_EQ(ev.actor_id, "1");
  EXPECT_EQ(ev.metadata, R"({"redacted":["/sender/login","token:github"]})");
}

TEST_F(redaction_test, takes_tokens_out_of_what_headers_say) {
  auto s = unsigned_allowed();
  s.redact_tokens = {"github"};
  const auto github = make_github(parts(s)).value();
  const auto sent = [&](const std::string& id, const std::string& event) {
    return only(
        github->accept(post(R"({"action":"a"})", {{"x-github-event", event},
                                                  {"x-github-delivery", id}})));
  };
  const auto token = "ghp_" + std::string(36, 'a');
  const auto first = sent(token + "-1", "push");
  EXPECT_TRUE(first.event_id.starts_with("sha256:")) << first.event_id;
  EXPECT_EQ(sent(token + "-1", "push").event_id, first.event_id);
  EXPECT_NE(sent(token + "-2", "push").event_id, first.event_id);
  EXPECT_EQ(first.metadata, R"({"redacted":["token:github"]})");
  const auto named = sent("1", token);
  EXPECT_EQ(named.event_type, "[redacted]:a");
  EXPECT_EQ(named.details.github.find("ghp_"), std::string::npos);

  const auto custom = make_custom(parts(s), {}).value();
  const auto keyed = [&](const std::string& key, const char* body) {
    return custom->accept(post(body, {{"idempotency-key", key},
                                      {"content-type", "application/json"}}));
  };
  const auto one = only(keyed(token, R"({"event_type":"x"})"));
  EXPECT_TRUE(one.event_id.starts_with("sha256:")) << one.event_id;
  EXPECT_EQ(only(keyed(token, R"({"event_type":"x"})")).event_id, one.event_id);
  const auto many = keyed(token, R"([{"event_type":"x"},{"event_type":"x"}])");
  ASSERT_TRUE(many);
  ASSERT_EQ(many->events.size(), 2u);
  EXPECT_TRUE(many->events[0].event_id.starts_with("sha256:"));
  EXPECT_NE(many->events[0].event_id, many->events[1].event_id);
}

TEST_F(redaction_test, shares_the_body_when_nothing_matches) {
  auto s = unsigned_allowed();
  s.redact = {"/nothing"};
  s.redact_tokens = {"all"};
  const auto w = post(R"({"sender":{"login":"ann"}})",
                      {{"x-github-event", "push"}, {"x-github-delivery", "1"}});
  const auto ev = only(make_github(parts(s)).value()->accept(w));
  EXPECT_EQ(ev.payload.view().data(), w.body.view().data());
  EXPECT_EQ(ev.metadata, "{}");
}

} // namespace
} // namespace eventweft::platforms
