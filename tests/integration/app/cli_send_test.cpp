// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/registry.hpp"
#include "app/cli/webhook_request.hpp"
#include "codec/payload.hpp"
#include "crypto/digest.hpp"
#include "tests/integration/app/cli_support.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

namespace eventweft::cli {
namespace {

using outgoing::testing_support::temporary_file;
using ::testing::HasSubstr;

constexpr std::string_view secret = "It's a Secret to Everybody";

std::string mac_hex(std::string_view key, const std::string& text) {
  const std::string_view parts[] = {text};
  return crypto::to_hex(crypto::hmac(crypto::hash::sha256, key, parts));
}

std::map<std::string, std::string> headers_of(const http_request& r) {
  return {r.headers.begin(), r.headers.end()};
}

http_request made(webhook_draft draft) {
  if (draft.body.empty())
    draft.body = sample_payload(draft.platform, draft.type);
  auto r = make_webhook(std::move(draft),
                        *parse_rfc3339("2026-01-31T12:00:00.250Z"));
  EXPECT_TRUE(r) << (r ? "" : r.error().message);
  return r ? *r : http_request{};
}

TEST(WebhookRequest, GithubsOwnTestVector) {
  const auto r = made(
      {"github", "ping", "Hello, World!", std::string{secret}, "delivery-1"});
  const auto headers = headers_of(r);
  EXPECT_EQ(r.target, "/webhooks/github");
  EXPECT_EQ(r.body, "Hello, World!");
  EXPECT_EQ(headers.at("X-Hub-Signature-256"),
            "sha256="
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
  EXPECT_EQ(headers.at("X-GitHub-Event"), "ping");
  EXPECT_EQ(headers.at("X-GitHub-Delivery"), "delivery-1");
}

TEST(WebhookRequest, SlackSignsTheTimeAndGetsANewId) {
  const auto r = made({"slack", "message", {}, std::string{secret}, "Ev42"});
  const auto headers = headers_of(r);
  EXPECT_EQ(headers.at("X-Slack-Request-Timestamp"), "1769860800");
  EXPECT_EQ(headers.at("X-Slack-Signature"),
            "v0=" + mac_hex(secret, "v0:1769860800:" + r.body));
  codec::payload_reader reader;
  const auto root = reader.parse(r.body);
  ASSERT_TRUE(root);
  EXPECT_EQ(codec::string_at(*root, "/event_id"), "Ev42");
  EXPECT_EQ(codec::string_at(*root, "/event_time"), "1769860800");
}

TEST(WebhookRequest, LinearSignsAFreshTimeInTheBody) {
  const auto r = made({"linear", "Issue", {}, std::string{secret}, "d-1"});
  const auto headers = headers_of(r);
  EXPECT_EQ(headers.at("Linear-Signature"), mac_hex(secret, r.body));
  EXPECT_EQ(headers.at("Linear-Delivery"), "d-1");
  EXPECT_EQ(headers.at("Linear-Event"), "Issue");
  EXPECT_THAT(r.body, HasSubstr("\"webhookTimestamp\": 1769860800250"));
}

TEST(WebhookRequest, DeploymentsAreStandardWebhooks) {
  const std::string key = "0123456789abcdef0123456789abcdef";
  const auto r = made({"deployments", "failure",
                       std::string{sample_payload("deployments", {})},
                       "whsec_" + crypto::to_base64(key), "msg_1"});
  const auto headers = headers_of(r);
  EXPECT_EQ(headers.at("webhook-id"), "msg_1");
  EXPECT_EQ(headers.at("webhook-timestamp"), "1769860800");
  const auto mac =
      *crypto::from_hex(mac_hex(key, "msg_1.1769860800." + r.body));
  EXPECT_EQ(headers.at("webhook-signature"), "v1," + crypto::to_base64(mac));
  EXPECT_THAT(r.body, HasSubstr("\"status\": \"failure\""));
}

TEST(WebhookRequest, APayloadBecomesACustomEvent) {
  const auto r =
      made({"events", "build:finished", R"({"ok":true})", {}, "id-1"});
  EXPECT_EQ(r.target, "/events");
  EXPECT_EQ(r.body, R"({"platform":"custom","event_id":"id-1",)"
                    R"("event_type":"build:finished","payload":{"ok":true}})");
}

TEST(WebhookRequest, AsIsTouchesNoByte) {
  for (std::string_view platform : {"slack", "linear", "deployments"}) {
    const std::string body{sample_payload(platform, {})};
    webhook_draft draft{std::string{platform}, {}, body, {}, "new-id"};
    draft.refresh_payload = false;
    EXPECT_EQ(made(draft).body, body);
  }
}

TEST(WebhookRequest, SamplesAreJsonAndCanBeFound) {
  codec::payload_reader reader;
  for (std::string_view platform :
       {"github", "slack", "linear", "deployments", "events"}) {
    EXPECT_FALSE(sample_payload(platform, {}).empty()) << platform;
    std::istringstream types{sample_types(platform)};
    for (std::string type; std::getline(types, type, ',');) {
      type.erase(0, type.find_first_not_of(' '));
      const auto payload = sample_payload(platform, type);
      EXPECT_TRUE(reader.parse(payload)) << platform << ' ' << type;
    }
  }
  EXPECT_TRUE(sample_payload("github", "nothing").empty());
  EXPECT_TRUE(sample_payload("nowhere", {}).empty());
}

// What we send as an example is what we take.
TEST(WebhookRequest, SamplesAreTakenByTheirPlatforms) {
  const std::string key = "0123456789abcdef0123456789abcdef";
  std::map<std::string, config::platform_settings> settings;
  for (const auto* platform : {"github", "slack", "linear", "deployments"})
    settings[platform].secrets = {key};
  settings["events"].allow_unsigned = true;
  const manual_clock time{*parse_rfc3339("2026-01-31T12:00:00.250Z")};
  seeded_random random{1};
  const auto all = platforms::make_platforms(settings, time, random);
  ASSERT_TRUE(all);
  for (const auto& p : *all) {
    std::istringstream types{sample_types(p->name())};
    for (std::string type; std::getline(types, type, ',');) {
      type.erase(0, type.find_first_not_of(' '));
      const auto r =
          made({std::string{p->name()}, type,
                std::string{sample_payload(p->name(), type)}, key, "d-1"});
      webhook w;
      w.platform = p->name();
      w.method = "POST";
      for (auto [name, value] : r.headers) {
        std::ranges::transform(name, name.begin(), [](char c) {
          return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        });
        w.headers.emplace_back(name, value);
      }
      w.body = shared_text{r.body};
      w.received_at = time.now();
      const auto taken = p->accept(w);
      EXPECT_TRUE(taken) << p->name() << ' ' << type << ": "
                         << (taken ? "" : taken.error().message);
    }
  }
}

TEST(WithMember, ReplacesOneValueAndNothingElse) {
  EXPECT_EQ(with_member(R"({ "a" : 1 , "b":{"a":2}})", "a", "7"),
            R"({ "a" : 7 , "b":{"a":2}})");
  EXPECT_EQ(with_member(R"({"b":{"a":2},"a":"x\"y" })", "a", "\"z\""),
            R"({"b":{"a":2},"a":"z" })");
  EXPECT_EQ(with_member(R"({"b":1})", "a", "7"), std::nullopt);
  EXPECT_EQ(with_member(R"({"a":{}})", "a", "7"), std::nullopt);
  EXPECT_EQ(with_member("[1]", "a", "7"), std::nullopt);
  EXPECT_EQ(with_member("no json", "a", "7"), std::nullopt);
}

// -- the command --------------------------------------------------------------

TEST(CliSend, SendsEachTimeWithAnIdOfItsOwn) {
  request_log seen;
  scripted_server server{[&](peer& p) {
    for (std::string text; !(text = p.read_request()).empty();) {
      seen.add(read_request(text));
      p.send(answer(200, R"({"id":"x","seq":1,"duplicate":false})"));
    }
  }};
  send_options options;
  options.server = to(server);
  options.platform = "github";
  options.type = "issues";
  options.secret = secret;
  options.delivery = "first";
  options.headers = {"X-One: 1", "X-Empty:"};
  options.count = 3;
  captured_console console;
  EXPECT_EQ(send(options, console.io), exit_ok) << console.err.str();
  const auto line = std::string{R"({"id":"x","seq":1,"duplicate":false})"};
  EXPECT_EQ(console.out.str(), line + '\n' + line + '\n' + line + '\n');
  std::set<std::string> ids;
  for (const auto& r : seen.all()) {
    EXPECT_EQ(r.target, "/webhooks/github");
    EXPECT_EQ(r.body, sample_payload("github", "issues"));
    EXPECT_EQ(r.headers.at("x-hub-signature-256"),
              "sha256=" + mac_hex(secret, r.body));
    EXPECT_EQ(r.headers.at("x-one"), "1");
    EXPECT_EQ(r.headers.at("x-empty"), "");
    ids.insert(r.headers.at("x-github-delivery"));
  }
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_TRUE(ids.contains("first"));
}

TEST(CliSend, SendsAFilesBytes) {
  request_log seen;
  scripted_server server{[&](peer& p) {
    seen.add(read_request(p.read_request()));
    p.send(answer(200, "{}"));
  }};
  const std::string body = "{ \"odd\" :  1}\n";
  const temporary_file file{body};
  send_options options;
  options.server = to(server);
  options.platform = "github";
  options.type = "push";
  options.file = file.path();
  captured_console console;
  EXPECT_EQ(send(options, console.io), exit_ok) << console.err.str();
  ASSERT_EQ(seen.all().size(), 1u);
  EXPECT_EQ(seen.all()[0].body, body);
}

TEST(CliSend, TellsTheServersRefusal) {
  scripted_server server{[&](peer& p) {
    p.read_request();
    p.send(answer(401, R"({"detail":"the signature does not hold"})",
                  "application/problem+json"));
  }};
  send_options options;
  options.server = to(server);
  options.platform = "github";
  captured_console console;
  EXPECT_EQ(send(options, console.io), exit_failure);
  EXPECT_EQ(console.out.str(), "");
  EXPECT_THAT(console.err.str(),
              HasSubstr("HTTP 401: the signature does not hold"));
}

TEST(CliSend, WrongUseIsTwo) {
  const auto code = [](auto change) {
    send_options options;
    options.server.url = "http://127.0.0.1:1";
    options.platform = "github";
    change(options);
    captured_console console;
    const int result = send(options, console.io);
    EXPECT_FALSE(console.err.str().empty());
    return result;
  };
  EXPECT_EQ(code([](auto& o) { o.file = "/nonexistent/x.json"; }), exit_usage);
  EXPECT_EQ(code([](auto& o) { o.file = "/"; }), exit_usage);
  EXPECT_EQ(code([](auto& o) { o.type = "no_such_sample"; }), exit_usage);
  EXPECT_EQ(code([](auto& o) { o.platform = "gitlab"; }), exit_usage);
  EXPECT_EQ(code([](auto& o) { o.server.url = "nowhere"; }), exit_usage);
  EXPECT_EQ(code([](auto& o) { o.headers = {"no colon"}; }), exit_usage);
  const temporary_file file{"{}"};
  EXPECT_EQ(code([&](auto& o) { o.file = file.path(); }), exit_usage)
      << "GitHub needs to know the event";
}

} // namespace
} // namespace eventweft::cli
