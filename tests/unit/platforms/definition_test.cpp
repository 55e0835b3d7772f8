// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/declarative.hpp"
#include "actors/platforms/definition.hpp"
#include "crypto/digest.hpp"
#include "tests/unit/platforms/support.hpp"

#include <gtest/gtest.h>

namespace eventweft::platforms {
namespace {

constexpr std::string_view smallest = R"(name = "x"
[[signature]]
header = "X-Signature"
algorithm = "hmac-sha256"
[event]
id = "{header:X-Id}"
type = "{json:/type}"
)";

class definition_test : public platform_test {
 protected:
  static ::testing::AssertionResult fault_of(std::string_view toml,
                                             std::string_view text) {
    const auto read = read_definition(toml, "my.toml");
    if (read)
      return ::testing::AssertionFailure() << "it was accepted";
    if (read.error().code != ec::bad_configuration ||
        read.error().message.find(text) == std::string::npos)
      return ::testing::AssertionFailure() << to_string(read.error());
    return ::testing::AssertionSuccess();
  }

  static std::string with_signature(std::string_view lines) {
    return "name = \"x\"\n[event]\nid = \"a\"\ntype = \"b\"\n[[signature]]\n" +
           std::string{lines};
  }

  platform_ptr make(std::string_view toml,
                    config::platform_settings s = unsigned_allowed()) {
    return make_declarative(read_definition(toml, "my.toml").value(),
                            parts(std::move(s)))
        .value();
  }
};

TEST_F(definition_test, has_defaults) {
  const auto d = read_definition(smallest, "my.toml").value();
  EXPECT_EQ(d.name, "x");
  ASSERT_EQ(d.signatures.size(), 1u);
  EXPECT_EQ(d.signatures[0].header, "x-signature");
  EXPECT_EQ(d.signatures[0].format, header_format::plain);
  EXPECT_EQ(d.signatures[0].encoding, digest_encoding::hex);
  EXPECT_EQ(d.signatures[0].base.source(), "{body}");
  EXPECT_EQ(d.signatures[0].time.from, timestamp_rule::origin::none);
}

TEST_F(definition_test, names_unknown_keys_with_file_and_line) {
  EXPECT_TRUE(fault_of(std::string{smallest} + "actr = \"x\"\n",
                       "my.toml:8: event.actr: unknown key"));
  EXPECT_TRUE(fault_of("colour = 1\n" + std::string{smallest},
                       "my.toml:1: colour: unknown key"));
  EXPECT_TRUE(fault_of(with_signature("header = \"x\"\nalgorithm = "
                                      "\"token\"\nheadr = \"y\"\n"),
                       "my.toml:8: signature 1.headr: unknown key"));
  EXPECT_TRUE(fault_of(std::string{smallest} +
                           "[[priority]]\npriority = \"low\"\nis = \"x\"\n",
                       "my.toml:10: priority 1.is: unknown key"));
}

TEST_F(definition_test, names_all_that_is_wrong_in_the_order_of_its_lines) {
  const auto read = read_definition(R"(name = "x"
colour = 1
[[signature]]
header = "X-Signature"
algorithm = "md5"
timestamp = "header:X-Time"
base = "{bdy}"
[event]
id = "{json:id}"
[[priority]]
priority = "urgent"
)",
                                    "my.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            "my.toml:2: colour: unknown key\n"
            "my.toml:5: signature 1.algorithm: \"md5\" is not one of "
            "hmac-sha256, hmac-sha512, hmac-sha1, ed25519, token\n"
            "my.toml:7: signature 1.base: {bdy}: not one of {body} "
            "{header:NAME} {query:NAME} {json:/POINTER} {timestamp} {digest}\n"
            "my.toml:8: event.type: is missing\n"
            "my.toml:9: event.id: {json:id}: a JSON pointer starts with '/' "
            "and has '~' only in ~0 and ~1\n"
            "my.toml:11: priority 1.priority: is not one of low, normal, high, "
            "critical");
}

TEST_F(definition_test, names_broken_toml) {
  EXPECT_TRUE(fault_of("name = \n", "my.toml:1: "));
  EXPECT_TRUE(fault_of("a = 1\na = 2\n", "my.toml:2: "));
}

TEST_F(definition_test, names_values_of_no_use) {
  EXPECT_TRUE(fault_of("", "name: is missing"));
  EXPECT_TRUE(fault_of("name = 3\n", "my.toml:1: name: must be a text"));
  EXPECT_TRUE(fault_of("name = \"A b\"\n", "my.toml:1: name: must be up to"));
  EXPECT_TRUE(fault_of("name = \"x\"\n", "signature: at least one"));
  EXPECT_TRUE(fault_of("name = \"x\"\nsignature = 1\n", "list of tables"));
  EXPECT_TRUE(fault_of(with_signature("algorithm = \"token\"\n"),
                       "either a header or a query parameter"));
  EXPECT_TRUE(fault_of(with_signature("header = \"a b\"\n"),
                       "my.toml:6: signature 1.header"));
  EXPECT_TRUE(
      fault_of(with_signature("header = \"x\"\n"), "algorithm: is missing"));
  EXPECT_TRUE(fault_of(with_signature("header = \"x\"\nalgorithm = \"md5\"\n"),
                       "my.toml:7: signature 1.algorithm: \"md5\" is not one "
                       "of hmac-sha256"));
  EXPECT_TRUE(
      fault_of(with_signature(
                   "header = \"x\"\nalgorithm = \"token\"\nformat = \"no\"\n"),
               "my.toml:8: signature 1.format"));
  EXPECT_TRUE(fault_of(with_signature("header = \"x\"\nalgorithm = "
                                      "\"hmac-sha256\"\nbase = \"{bdy}\"\n"),
                       "my.toml:8: signature 1.base: {bdy}: not one of"));
  EXPECT_TRUE(fault_of(with_signature("header = \"x\"\nalgorithm = "
                                      "\"hmac-sha256\"\nbase = \"x\"\n"),
                       "does not hold {body}"));
  EXPECT_TRUE(fault_of(
      with_signature("header = \"x\"\nalgorithm = \"hmac-sha256\"\nbase = "
                     "\"{timestamp}.{body}\"\n"),
      "my.toml:8: signature 1.base: holds {timestamp}"));
  EXPECT_TRUE(fault_of(with_signature("header = \"x\"\nalgorithm = "
                                      "\"hmac-sha256\"\nformat = \"pairs\"\n"),
                       "needs the key"));
  EXPECT_TRUE(fault_of(with_signature("header = \"x\"\nalgorithm = "
                                      "\"hmac-sha256\"\ntolerance = 0\n"),
                       "must be a whole number from 1"));
  EXPECT_TRUE(fault_of(with_signature("header = \"x\"\nalgorithm = "
                                      "\"hmac-sha256\"\ntimestamp = \"x\"\n"),
                       "must be header:NAME"));
  EXPECT_TRUE(
      fault_of(with_signature("header = \"x\"\nalgorithm = "
                              "\"hmac-sha256\"\ntimestamp = \"json:x\"\n"),
               "starts with '/'"));
  EXPECT_TRUE(
      fault_of(with_signature("header = \"x\"\nalgorithm = "
                              "\"hmac-sha256\"\ntimestamp = \"json:\"\n"),
               "must be header:NAME"));
  EXPECT_TRUE(
      fault_of(std::string{smallest} + "[[priority]]\npriority = \"urgent\"\n",
               "not one of low, normal, high, critical"));
  EXPECT_TRUE(fault_of(std::string{smallest} + "[handshake]\nis = \"x\"\n",
                       "handshake.when: is missing"));
}

// Else a replay only had to say that it is a new one.
TEST_F(definition_test, refuses_times_that_are_not_signed) {
  const std::string start = "header = \"x\"\nalgorithm = \"hmac-sha256\"\n";
  EXPECT_TRUE(
      fault_of(with_signature(start + "timestamp = \"header:X-Time\"\n"),
               "my.toml:8: signature 1.timestamp: is not signed: anybody could "
               "alter it; `base` must hold {header:x-time}"));
  EXPECT_TRUE(fault_of(with_signature(start + "format = \"pairs\"\n"
                                              "key = \"v\"\n"
                                              "timestamp = \"signature:t\"\n"),
                       "signature 1.timestamp: is not signed"));
  EXPECT_TRUE(fault_of(with_signature(start + "timestamp = \"header:X-Time\"\n"
                                              "base = \"{timestamp}{body}\"\n"),
                       "signature 1.base: {timestamp} is what stands beside"));
  EXPECT_TRUE(fault_of(with_signature("header = \"x\"\nalgorithm = \"token\"\n"
                                      "timestamp = \"header:X-Time\"\n"),
                       "signature 1.timestamp: a token signs nothing"));
}

// Else who set them believed that old requests were refused.
TEST_F(definition_test, refuses_rules_for_a_time_that_is_not_there) {
  for (const std::string line :
       {"tolerance = 5", "timestamp_unit = \"ms\"", "direction = \"past\""}) {
    const auto key = line.substr(0, line.find(' '));
    const auto lines_of = [&](const std::string& algorithm) {
      return with_signature("header = \"x\"\nalgorithm = \"" + algorithm +
                            "\"\n" + line + "\n");
    };
    EXPECT_TRUE(fault_of(
        lines_of("hmac-sha256"),
        "my.toml:8: signature 1." + key +
            ": is of no use without `timestamp`, which says where the signed "
            "time is: name it, or leave this out"));
    EXPECT_TRUE(fault_of(
        lines_of("token"),
        "my.toml:8: signature 1." + key +
            ": a token signs nothing, and so no time: leave this out"));
  }
  // The time itself is what is wrong here, and nothing else.
  const auto read = read_definition(
      with_signature("header = \"x\"\nalgorithm = \"hmac-sha256\"\n"
                     "timestamp = 5\ntolerance = 5\n"),
      "my.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            "my.toml:8: signature 1.timestamp: must be a text");
}

TEST_F(definition_test, names_numbers_that_are_none) {
  const std::string start = "answer_status = ";
  for (const std::string value : {"\"200\"", "404", "2.5", "[]"})
    EXPECT_TRUE(fault_of(start + value + "\n" + std::string{smallest},
                         "my.toml:1: answer_status: must be a whole number"))
        << value;
}

TEST_F(definition_test, takes_the_first_alternative_that_is_there) {
  const auto p = make(R"(name = "x"
[[signature]]
header = "x"
algorithm = "token"
[event]
id = ["{header:X-Id}", "{digest}"]
type = ["{json:/type}:{json:/action}", "{json:/type}", "other"]
[event.metadata]
both = "{{{query:a}}}"
)");
  auto w = post(R"({"type":"t","action":"a"})", {{"x-id", "1"}});
  w.query = "b=1&a=%7Bx%7D+y";
  auto ev = only(p->accept(w));
  EXPECT_EQ(ev.event_id, "1");
  EXPECT_EQ(ev.event_type, "t:a");
  EXPECT_EQ(ev.metadata, R"({"both":"{{x} y}"})");
  ev = only(p->accept(post("[1]")));
  EXPECT_EQ(ev.event_type, "other");
  EXPECT_EQ(ev.metadata, "{}");
  // printf '[1]' | sha256sum
  EXPECT_EQ(ev.event_id,
            "080a9ed428559ef602668b4c00f114f1a11c3f6b02a435f0bdc154578e4d7f22");
}

TEST_F(definition_test, answers_a_handshake) {
  const std::string rule = std::string{smallest} + R"([handshake]
when = "{json:/type}"
is = "verif*"
body = "token={json:/challenge}"
status = 201
)";
  const auto ask = post(R"({"type":"verify","challenge":"c"})");
  const auto taken = make(rule)->accept(ask);
  ASSERT_TRUE(taken);
  ASSERT_TRUE(taken->answer);
  EXPECT_EQ(taken->answer->status, 201);
  EXPECT_EQ(taken->answer->body, "token=c");
  // Only to those who prove who they are …
  EXPECT_TRUE(refused(make(rule, secret("s"))->accept(ask), ec::unauthorized,
                      "missing"));
  // … unless the platform can't sign that early.
  EXPECT_TRUE(make(rule + "proven = false\n", secret("s"))->accept(ask));
  EXPECT_FALSE(
      make(rule)->accept(post(R"({"type":"t"})", {{"x-id", "1"}}))->answer);
}

TEST_F(definition_test, reads_times_of_every_kind) {
  const auto of = [&](std::string lines, const webhook& w) {
    return make("name = \"x\"\n[event]\nid = \"{header:X-Id}\"\n"
                "type = \"t\"\n[[signature]]\nheader = "
                "\"x-signature\"\nalgorithm = \"hmac-sha256\"\n" +
                    lines,
                secret("s"))
        ->accept(w);
  };
  // HMAC-SHA256 with the key "s".
  const auto in_header = [&](std::string value) {
    const std::string_view parts[] = {value, ".", "{}"};
    const auto proof =
        crypto::to_hex(crypto::hmac(crypto::hash::sha256, "s", parts));
    return post("{}",
                {{"x-id", "1"}, {"x-time", value}, {"x-signature", proof}});
  };
  const std::string ms =
      "base = \"{header:X-Time}.{body}\"\n"
      "timestamp = \"header:X-Time\"\ntimestamp_unit = \"ms\"\n";
  EXPECT_TRUE(of(ms, in_header("1769860800000")));
  EXPECT_TRUE(
      refused(of(ms, in_header("1769860800")), ec::unauthorized, "ago"));
  EXPECT_TRUE(
      refused(of(ms, in_header("now")), ec::unauthorized, "not a time"));
  EXPECT_TRUE(refused(of(ms, in_header("-1")), ec::unauthorized, "not a time"));
  EXPECT_TRUE(refused(of(ms, in_header("99999999999999999999")),
                      ec::unauthorized, "not a time"));
  EXPECT_TRUE(refused(of(ms, without(in_header(""), "x-time")),
                      ec::unauthorized, "is missing"));
  const auto in_body = post(
      R"({"at":"2026-01-31T12:00:00Z"})",
      {{"x-id", "1"},
       {"x-signature",
        "6958d1b5c7b867dcc1d691777e6d740e2391bd1f0f799a0b21e4984e872cd5ac"}});
  EXPECT_TRUE(
      of("timestamp = \"json:/at\"\ntimestamp_unit = \"rfc3339\"\n", in_body));
  clock_.advance(std::chrono::seconds{301});
  EXPECT_TRUE(refused(
      of("timestamp = \"json:/at\"\ntimestamp_unit = \"rfc3339\"\n", in_body),
      ec::unauthorized, "body: /at: signed more than 300 s ago"));
}

} // namespace
} // namespace eventweft::platforms
