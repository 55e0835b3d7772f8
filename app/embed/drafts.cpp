// SPDX-License-Identifier: Apache-2.0
#include "app/embed/drafts.hpp"

#include "app/embed/access.hpp"
#include "app/local_platform.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "messages/url_escape.hpp"

#include <utility>

namespace eventweft::embed {

namespace {

webhook addressed(std::string_view platform) {
  webhook w;
  w.platform = local_platform_name;
  w.method = "POST";
  w.headers.emplace_back("content-type", "application/json");
  w.headers.emplace_back("eventweft-platform", platform);
  w.remote_address = "in process";
  return w;
}

/// A JSON object under construction; empty texts are left out.
class object_writer {
 public:
  object_writer& text(std::string_view name, std::string_view value) {
    if (value.empty())
      return *this;
    key(name);
    codec::append_quoted(out_, value);
    return *this;
  }

  object_writer& raw(std::string_view name, std::string_view json) {
    key(name);
    out_ += json;
    return *this;
  }

  std::string finish() && {
    out_ += '}';
    return std::move(out_);
  }

 private:
  void key(std::string_view name) {
    if (out_.size() > 1)
      out_ += ',';
    codec::append_quoted(out_, name);
    out_ += ':';
  }

  std::string out_ = "{";
};

/// One JSON text and nothing beside it.
void check_json(std::string_view name, std::string_view text,
                bool object = false) {
  codec::payload_reader reader;
  const auto root = reader.parse(text);
  if (!root)
    raise({root.error().code, std::string{name} + ": " + root.error().message});
  if (object && !root->is_object())
    raise({ec::unprocessable, std::string{name} + " is not a JSON object"});
}

/// The object with that member, if it has none of that name.
std::string with_text(std::string json, std::string_view name,
                      std::string_view value) {
  codec::payload_reader reader;
  const auto root = reader.parse(json);
  simdjson::dom::element there;
  if (value.empty() || !root || !root->at_key(name).get(there))
    return json;
  std::string member;
  codec::append_quoted(member, name);
  member += ':';
  codec::append_quoted(member, value);
  const auto brace = json.find('{');
  const auto next = json.find_first_not_of(" \t\r\n", brace + 1);
  if (json[next] != '}')
    member += ',';
  return json.insert(brace + 1, member);
}

/// The object's members as the fields of a form; no field for null.
std::string as_form(std::string_view json) {
  codec::payload_reader reader;
  const auto root = reader.parse(json);
  simdjson::dom::object members;
  std::string out;
  if (!root || root->get(members) != simdjson::SUCCESS)
    return out;
  for (const auto member : members) {
    if (member.value.is_null())
      continue;
    if (!out.empty())
      out += '&';
    append_url_escaped(out, member.key);
    out += '=';
    std::string_view text;
    if (member.value.get(text) == simdjson::SUCCESS)
      append_url_escaped(out, text);
    else
      append_url_escaped(out, simdjson::minify(member.value));
  }
  return out;
}

bool has_member(std::string_view json, std::string_view name) {
  codec::payload_reader reader;
  const auto root = reader.parse(json);
  simdjson::dom::element there;
  return root && root->at_key(name).get(there) == simdjson::SUCCESS;
}

/// A command comes as a form, without an envelope and a type.
bool is_command(std::string_view type, std::string_view json) {
  return type == "slash_command" ||
         (has_member(json, "command") && !has_member(json, "event") &&
          !has_member(json, "type"));
}

std::string raw_number(int64_t n) {
  return std::to_string(n);
}

} // namespace

webhook draft(const DeploymentEvent& e) {
  object_writer out;
  out.text("deployment_id", e.deployment_id)
      .text("environment", e.environment)
      .text("status", e.status)
      .text("repository_name", e.repository_name)
      .text("commit_sha", e.commit_sha)
      .text("branch_name", e.branch_name)
      .text("actor", e.actor)
      .text("deployment_url", e.deployment_url)
      .text("log_url", e.log_url);
  if (e.pull_request != 0)
    out.raw("pull_request", raw_number(e.pull_request));
  auto w = addressed("deployments");
  w.body = shared_text{std::move(out).finish()};
  return w;
}

webhook draft(const CustomEvent& e) {
  check_json("payload", e.payload);
  check_json("metadata", e.metadata, true);
  object_writer out;
  out.text("platform", e.platform)
      .text("event_type", e.event_type)
      .text("event_id", e.event_id)
      .text("source_id", e.source_id)
      .text("source_name", e.source_name)
      .text("actor_id", e.actor_id)
      .text("actor_name", e.actor_name)
      .text("correlation_id", e.correlation_id)
      .text("priority", to_string(e.priority))
      .raw("metadata", e.metadata)
      .raw("payload", e.payload);
  auto w = addressed("events");
  w.body = shared_text{std::move(out).finish()};
  return w;
}

webhook draft_simulated(std::string_view platform, std::string_view event_type,
                        std::string_view payload, const std::string& delivery,
                        timestamp now) {
  check_json("payload", payload, true);
  auto w = addressed(platform);
  std::string body{payload};
  const auto colon = event_type.find(':');
  const auto type = event_type.substr(0, colon);
  const auto action = colon == std::string_view::npos
                          ? std::string_view{}
                          : event_type.substr(colon + 1);
  if (platform == "github") {
    w.headers.emplace_back("x-github-event", type);
    w.headers.emplace_back("x-github-delivery", delivery);
    body = with_text(std::move(body), "action", action);
  } else if (platform == "linear") {
    w.headers.emplace_back("linear-event", type);
    w.headers.emplace_back("linear-delivery", delivery);
    body = with_text(std::move(body), "type", type);
    body = with_text(std::move(body), "action", action);
  } else if (platform == "slack" && is_command(type, body)) {
    body = with_text(std::move(body), "command", action);
    body = with_text(std::move(body), "trigger_id", delivery);
    body = as_form(body);
    w.headers.front().second = "application/x-www-form-urlencoded";
  } else if (platform == "slack") {
    if (!has_member(body, "event")) {
      auto inner = with_text(std::move(body), "type", event_type);
      body = std::move(object_writer{}.raw("event", inner)).finish();
    }
    body = with_text(std::move(body), "type", "event_callback");
    body = with_text(std::move(body), "event_id", delivery);
  } else if (platform == "deployments") {
    body = with_text(std::move(body), "status",
                     type == "deployment" ? action : event_type);
    w.headers.emplace_back("webhook-id", delivery);
  } else {
    w.headers.emplace_back("webhook-id", delivery);
    w.headers.emplace_back(
        "webhook-timestamp",
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(
                           now.time_since_epoch())
                           .count()));
  }
  w.body = shared_text{std::move(body)};
  return w;
}

event preview(const CustomEvent& e) {
  event out;
  out.platform = e.platform;
  out.event_type = e.event_type;
  out.source_id = e.source_id;
  out.source_name = e.source_name;
  out.actor_id = e.actor_id;
  out.actor_name = e.actor_name;
  out.priority = static_cast<eventweft::priority>(e.priority);
  out.correlation_id = uuid::parse(e.correlation_id);
  out.metadata = e.metadata;
  out.payload = shared_text{e.payload};
  return out;
}

} // namespace eventweft::embed
