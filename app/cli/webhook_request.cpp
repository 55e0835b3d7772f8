// SPDX-License-Identifier: Apache-2.0
#include "app/cli/webhook_request.hpp"

#include "actors/platforms/signature_signer.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "crypto/digest.hpp"

#include <simdjson.h>

#include <array>
#include <span>

namespace eventweft::cli {

namespace {

std::string mac(std::string_view key,
                std::initializer_list<std::string_view> parts) {
  return crypto::hmac(crypto::hash::sha256, key,
                      std::span{parts.begin(), parts.size()});
}

int64_t seconds_of(timestamp t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch())
      .count();
}

void set_member(std::string& body, std::string_view name,
                const std::string& raw) {
  if (auto changed = with_member(body, name, raw))
    body = std::move(*changed);
}

std::string json_string(std::string_view text) {
  std::string out;
  codec::append_quoted(out, text);
  return out;
}

expected<void> github(webhook_draft& d, http_request& r) {
  if (d.type.empty())
    return fail(ec::bad_configuration,
                "--event is needed to say what the payload is, such as "
                "pull_request");
  r.headers.emplace_back("User-Agent", "GitHub-Hookshot/eventweft");
  r.headers.emplace_back("X-GitHub-Event", d.type);
  r.headers.emplace_back("X-GitHub-Delivery", d.delivery);
  if (!d.secret.empty())
    r.headers.emplace_back("X-Hub-Signature-256",
                           "sha256=" + crypto::to_hex(mac(d.secret, {d.body})));
  return {};
}

void slack(webhook_draft& d, http_request& r, timestamp now) {
  const auto time = std::to_string(seconds_of(now));
  if (d.refresh_payload) {
    set_member(d.body, "event_id", json_string(d.delivery));
    set_member(d.body, "event_time", time);
  }
  r.headers.emplace_back("X-Slack-Request-Timestamp", time);
  if (!d.secret.empty())
    r.headers.emplace_back(
        "X-Slack-Signature",
        "v0=" + crypto::to_hex(mac(d.secret, {"v0:", time, ":", d.body})));
}

void linear(webhook_draft& d, http_request& r, timestamp now) {
  if (d.refresh_payload)
    set_member(
        d.body, "webhookTimestamp",
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(
                           now.time_since_epoch())
                           .count()));
  if (d.type.empty()) {
    codec::payload_reader reader;
    if (const auto root = reader.parse(d.body))
      d.type = codec::string_at(*root, "/type");
  }
  r.headers.emplace_back("Linear-Delivery", d.delivery);
  if (!d.type.empty())
    r.headers.emplace_back("Linear-Event", d.type);
  if (!d.secret.empty())
    r.headers.emplace_back("Linear-Signature",
                           crypto::to_hex(mac(d.secret, {d.body})));
}

/// Standard Webhooks; `whsec_` keys are base64, others are taken as they are.
expected<void> standard(webhook_draft& d, http_request& r, timestamp now) {
  if (d.refresh_payload && d.platform == "deployments" && !d.type.empty())
    set_member(d.body, "status", json_string(d.type));
  const auto time = std::to_string(seconds_of(now));
  r.headers.emplace_back("webhook-id", d.delivery);
  r.headers.emplace_back("webhook-timestamp", time);
  if (d.secret.empty())
    return {};
  std::string key = d.secret;
  constexpr std::string_view mark = "whsec_";
  if (key.starts_with(mark)) {
    auto raw = crypto::from_base64(std::string_view{key}.substr(mark.size()));
    if (!raw)
      return fail(ec::bad_configuration,
                  "--secret: what follows whsec_ is not base64");
    key = std::move(*raw);
  }
  r.headers.emplace_back(
      "webhook-signature",
      "v1," +
          crypto::to_base64(mac(key, {d.delivery, ".", time, ".", d.body})));
  return {};
}

/// The shipped definition of the platform; nothing for one that has code, or
/// that only the server knows.
std::optional<platforms::platform_definition>
definition_of(std::string_view name) {
  for (const auto& shipped : platforms::shipped_definitions())
    if (auto read = platforms::read_definition(shipped.text, shipped.file);
        read && read->name == name)
      return std::move(*read);
  return std::nullopt;
}

/// As its definition says that it would be read.
expected<void> declared(const platforms::platform_definition& definition,
                        webhook_draft& d, http_request& r, timestamp now) {
  if (d.refresh_payload)
    for (const auto& t : definition.event_id.templates)
      for (const auto pointer : t.pointers())
        // Members of the payload itself; what is deeper stays as it is.
        if (pointer.find('/', 1) == std::string_view::npos)
          set_member(d.body, pointer.substr(1), json_string(d.delivery));
  webhook w;
  w.platform = d.platform;
  w.method = "POST";
  w.body = shared_text{d.body};
  w.headers.emplace_back("content-type", d.content_type);
  if (auto filled = platforms::fill_headers(definition, d.delivery, d.type, w);
      !filled)
    return fail(ec::bad_configuration, "--event: " + filled.error().message);
  if (!d.secret.empty())
    if (auto done = platforms::sign(definition.signatures, d.secret, d.delivery,
                                    now, w);
        !done)
      return fail(ec::bad_configuration, "--secret: " + done.error().message);
  for (auto& [name, value] : w.headers)
    if (name != "content-type")
      r.headers.emplace_back(std::move(name), std::move(value));
  if (!w.query.empty())
    r.target += '?' + w.query;
  return {};
}

/// A payload alone becomes a native event; an event stays as it is.
void custom(webhook_draft& d, http_request& r) {
  if (!d.type.empty()) {
    std::string wrapped = R"({"platform":"custom","event_id":)" +
                          json_string(d.delivery) + R"(,"event_type":)" +
                          json_string(d.type) + R"(,"payload":)" + d.body + "}";
    d.body = std::move(wrapped);
  } else if (d.refresh_payload) {
    set_member(d.body, "event_id", json_string(d.delivery));
  }
  if (d.content_type == "application/json")
    r.headers.emplace_back("Idempotency-Key", d.delivery);
}

} // namespace

std::optional<std::string> with_member(const std::string& json,
                                       std::string_view name,
                                       std::string_view raw) {
  using namespace simdjson;
  const padded_string text{json};
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object root;
  if (parser.iterate(text).get(document) || document.get_object().get(root))
    return std::nullopt;
  for (auto member : root) {
    std::string_view key;
    ondemand::value value;
    ondemand::json_type type{};
    if (member.unescaped_key().get(key) || member.value().get(value))
      return std::nullopt;
    if (key != name)
      continue;
    if (value.type().get(type) || (type != ondemand::json_type::string &&
                                   type != ondemand::json_type::number))
      return std::nullopt;
    auto token = value.raw_json_token();
    token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    std::string result = json;
    return result.replace(static_cast<size_t>(token.data() - text.data()),
                          token.size(), raw);
  }
  return std::nullopt;
}

expected<http_request> make_webhook(webhook_draft draft, timestamp now) {
  http_request r;
  r.method = "POST";
  r.headers.emplace_back("Content-Type", draft.content_type);
  expected<void> done{};
  if (draft.platform == "events") {
    r.target = "/events";
    custom(draft, r);
  } else {
    r.target = "/webhooks/" + url_escaped(draft.platform);
    if (draft.platform == "github")
      done = github(draft, r);
    else if (draft.platform == "slack")
      slack(draft, r, now);
    else if (draft.platform == "linear")
      linear(draft, r, now);
    else if (const auto definition = definition_of(draft.platform))
      done = declared(*definition, draft, r, now);
    else
      done = standard(draft, r, now);
  }
  if (!done)
    return fail(done.error());
  r.body = std::move(draft.body);
  return r;
}

} // namespace eventweft::cli
