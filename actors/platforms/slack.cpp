// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/slack.hpp"

#include "actors/platforms/details.hpp"
#include "crypto/digest.hpp"

#include <algorithm>

namespace eventweft::platforms {

namespace {

using simdjson::dom::element;

// Slack tries again after three seconds. A handler's reply comes early enough
// for the plain answer, in its place, to be in time too.
constexpr std::chrono::milliseconds patience{2'500};
constexpr std::chrono::milliseconds reply_limit{2'300};

signature_scheme v0_signature() {
  signature_scheme s;
  s.header = "x-slack-signature";
  s.format = header_format::prefix;
  s.prefix = "v0=";
  s.base = text_template::parse("v0:{header:x-slack-request-timestamp}:{body}")
               .value();
  s.time.from = timestamp_rule::origin::header;
  s.time.name = "x-slack-request-timestamp";
  return s;
}

// Where a delivery has no id of its own, its signature stands for it: it
// covers time and body.
std::string id_of_delivery(const request& r) {
  if (const auto signature = r.header("x-slack-signature"))
    return "signature:" + std::string{*signature};
  return "sha256:" +
         crypto::to_hex(crypto::digest(crypto::hash::sha256, r.body()));
}

webhook_answer empty_answer() {
  return {.status = 200, .content_type = {}, .headers = {}, .body = {}};
}

class slack final : public base_platform {
 public:
  slack(signature_verifier verifier, policies rules,
        const platform_parts& parts)
      : base_platform("slack", std::move(verifier), std::move(rules), parts) {}

  std::chrono::milliseconds answer_within() const noexcept override {
    return patience;
  }

  std::chrono::milliseconds reply_within() const noexcept override {
    return reply_limit;
  }

  webhook_answer
  answer(const acceptance& a,
         std::span<const event_outcome> outcomes) const override {
    auto out = platform::answer(a, outcomes);
    // What no further attempt can mend.
    if (out.status >= 400 && out.status < 500)
      out.headers.emplace_back("X-Slack-No-Retry", "1");
    return out;
  }

 protected:
  void prepare(request& r) const override { r.form_as_object(); }

  expected<acceptance> read(request& r) const override {
    const auto root = r.object();
    if (!root)
      return fail(root.error());
    const auto type = codec::string_at(*root, "/type");
    if (type == "url_verification")
      return handshake(*root);

    if (type == "ssl_check" || codec::string_at(*root, "/ssl_check") == "1")
      return acceptance{.events = {},
                        .answer = empty_answer(),
                        .batch = false,
                        .refused = {},
                        .when_stored = {}};

    event ev;
    expected<void> read;
    const bool form = r.kind() == body_kind::form;
    if (type == "event_callback")
      read = read_callback(*root, ev);
    else if (type.empty() && form)
      read = read_command(r, *root, ev);
    else if (type.empty())
      read = fail(ec::malformed, "body: /type is missing");
    else
      read_other(r, *root, type, ev);
    if (!read)
      return fail(std::move(read.error()));
    fill_places(*root, ev);
    ev.metadata = metadata(r, *root);
    ev.details = slack_details(*root, ev);
    if (auto done = complete(r, ev); !done)
      return fail(std::move(done.error()));

    acceptance out;
    out.events.push_back(std::move(ev));
    // People would see any body in their channel.
    if (form)
      out.when_stored = empty_answer();
    return out;
  }

 private:
  static expected<acceptance> handshake(element root) {
    const auto challenge = codec::string_at(root, "/challenge");
    if (challenge.empty())
      return fail(ec::malformed, "body: /challenge is missing");
    acceptance out;
    out.answer = webhook_answer{.status = 200,
                                .content_type = "text/plain; charset=utf-8",
                                .headers = {},
                                .body = challenge};
    return out;
  }

  static expected<void> read_callback(element root, event& ev) {
    ev.event_id = codec::string_at(root, "/event_id");
    if (ev.event_id.empty())
      return fail(ec::malformed, "body: /event_id is missing");
    ev.event_type = codec::string_at(root, "/event/type");
    if (ev.event_type.empty())
      return fail(ec::malformed, "body: /event/type is missing");
    if (ev.event_type == "app_mention")
      ev.priority = priority::high;
    ev.actor_id = slack_user(root);
    if (ev.actor_id.empty())
      ev.actor_id = first_text(root, {"/event/bot_id", "/event/message/bot_id",
                                      "/event/previous_message/bot_id"});
    ev.actor_name =
        first_text(root, {"/event/user/real_name", "/event/user/name",
                          "/event/user_profile/real_name", "/event/username"});
    return {};
  }

  static expected<void> read_command(const request& r, element root,
                                     event& ev) {
    const auto command = codec::string_at(root, "/command");
    if (command.empty()) {
      const auto fields = parse_form(r.body());
      const bool interacts =
          fields && std::ranges::any_of(*fields, [](const auto& field) {
            return field.first == "payload";
          });
      return fail(ec::malformed,
                  interacts ? "form field payload: /type is missing"
                            : "form body without a field payload or command");
    }
    ev.event_type = "slash_command:" + command;
    const auto trigger = codec::string_at(root, "/trigger_id");
    ev.event_id = trigger.empty() ? id_of_delivery(r) : "trigger:" + trigger;
    ev.actor_id = slack_user(root);
    ev.actor_name = codec::string_at(root, "/user_name");
    return {};
  }

  // Interactive payloads, and what Slack sends unwrapped (`app_rate_limited`).
  static void read_other(const request& r, element root,
                         const std::string& type, event& ev) {
    ev.event_type = type;
    if (type == "app_rate_limited") {
      ev.event_id = "app_rate_limited:" + codec::string_at(root, "/team_id") +
                    ":" + codec::string_at(root, "/api_app_id") + ":" +
                    codec::string_at(root, "/minute_rate_limited");
      return;
    }
    const auto trigger = codec::string_at(root, "/trigger_id");
    ev.event_id = trigger.empty() ? id_of_delivery(r) : type + ":" + trigger;
    ev.actor_id = slack_user(root);
    ev.actor_name = first_text(root, {"/user/username", "/user/name"});
  }

  static void fill_places(element root, event& ev) {
    ev.source_id = first_text(root, {"/team_id", "/team/id", "/event/team",
                                     "/enterprise_id", "/enterprise/id"});
    ev.source_name = slack_channel(root);
    if (ev.source_name.empty())
      ev.source_name =
          first_text(root, {"/team_domain", "/team/domain", "/team_id",
                            "/team/id", "/enterprise_id"});
  }

  static std::string metadata(const request& r, element root) {
    metadata_writer out;
    out.text("channel", slack_channel(root))
        .text("channel_name",
              first_text(root, {"/channel_name", "/channel/name",
                                "/event/channel/name"}))
        .text("team_domain", first_text(root, {"/team_domain", "/team/domain"}))
        .text("app_id", codec::string_at(root, "/api_app_id"))
        .text("subtype", codec::string_at(root, "/event/subtype"))
        .text("retry_num", r.header("x-slack-retry-num"))
        .text("retry_reason", r.header("x-slack-retry-reason"));
    return std::move(out).finish();
  }
};

} // namespace

expected<platform_ptr> make_slack(const platform_parts& parts) {
  return make_platform<slack>("slack", {v0_signature()}, parts);
}

} // namespace eventweft::platforms
