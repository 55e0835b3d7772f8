// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/deployments.hpp"

#include "actors/platforms/details.hpp"
#include "actors/platforms/standard_webhooks.hpp"
#include "messages/ascii.hpp"

#include <algorithm>
#include <array>

namespace eventweft::platforms {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

tl::unexpected<error> invalid_body(std::string_view member,
                                   std::string_view why) {
  return fail(ec::unprocessable,
              "body: /" + std::string{member} + " " + std::string{why});
}

bool is_status(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 40 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

// Git abbreviates down to four digits.
bool is_sha(std::string_view text) noexcept {
  return text.size() >= 4 && text.size() <= 64 && is_hex(text);
}

// Nothing if the member is missing or null.
std::optional<element> member(element root, std::string_view name) {
  element found;
  if (root[name].get(found) || found.is_null())
    return std::nullopt;
  return found;
}

// A run's number may be its id; what it is and where it goes are words.
expected<void> check_required_members(element root) {
  const auto id = member(root, "deployment_id");
  if (id && !id->is_string() && !id->is_int64() && !id->is_uint64())
    return invalid_body("deployment_id", "is neither a string nor an integer");
  if (codec::string_at(root, "/deployment_id").empty())
    return invalid_body("deployment_id", "is missing or empty");
  for (auto name : {"environment", "status"}) {
    const auto found = member(root, name);
    if (found && !found->is_string())
      return invalid_body(name, "is not a string");
  }
  if (codec::string_at(root, "/environment").empty())
    return invalid_body("environment", "is missing or empty");
  if (!is_status(codec::string_at(root, "/status")))
    return invalid_body("status", "is not 1 to 40 of a-z, 0-9, '_', '-'");
  return {};
}

expected<void> check_optional_members(element root) {
  for (auto name : {"repository_name", "branch_name", "deployment_url",
                    "log_url", "commit_sha", "started_at", "completed_at"})
    if (const auto found = member(root, name); found && !found->is_string())
      return invalid_body(name, "is not a string");
  if (const auto sha = codec::string_at(root, "/commit_sha");
      !sha.empty() && !is_sha(sha))
    return invalid_body("commit_sha", "is not 4 to 64 hexadecimal digits");
  for (auto name : {"started_at", "completed_at"})
    if (const auto text = codec::string_at(root, "/" + std::string{name});
        !text.empty() && !parse_rfc3339(text))
      return invalid_body(name, "is not an RFC 3339 time");
  for (auto name : {"pull_request", "pull_request_number"})
    if (auto number = member(root, name)) {
      // As a number, or as APIs have it: an object with a number.
      if (number->is_object())
        number = member(*number, "number");
      if (!number || number->type() != element_type::INT64 ||
          number->get_int64().value_unsafe() < 1)
        return invalid_body(name, "is neither a number above 0 nor has one");
    }
  return {};
}

class deployments final : public base_platform {
 public:
  deployments(signature_verifier verifier, policies rules,
              const platform_parts& parts)
      : base_platform("deployments", std::move(verifier), std::move(rules),
                      parts) {}

 protected:
  expected<acceptance> read(request& r) const override {
    const auto root = r.object();
    if (!root)
      return fail(root.error());
    if (auto checked = check_required_members(*root); !checked)
      return fail(std::move(checked.error()));
    const auto id = codec::string_at(*root, "/deployment_id");
    const auto status = codec::string_at(*root, "/status");
    const auto environment = codec::string_at(*root, "/environment");
    if (auto checked = check_optional_members(*root); !checked)
      return fail(std::move(checked.error()));

    // Runs are counted by repository, and deployments by environment.
    const auto repository = codec::string_at(*root, "/repository_name");
    std::string otherwise;
    for (const auto& part : {repository, environment, id})
      if (!part.empty())
        otherwise += part + ":";
    otherwise = bounded_id(otherwise + status);

    event ev;
    auto delivery = delivery_id(r, otherwise);
    if (!delivery)
      return fail(std::move(delivery.error()));
    ev.event_id = std::move(*delivery);
    ev.event_type = "deployment:" + status;
    ev.source_name = repository;
    ev.source_id = first_text(*root, {"/repository_id", "/repository_name"});
    ev.actor_id = first_text(*root, {"/actor_id", "/actor"});
    ev.actor_name = codec::string_at(*root, "/actor");
    if (is_production_name(environment))
      ev.priority = priority::high;
    metadata_writer metadata;
    metadata.text("deployment_id", id).text("environment", environment);
    ev.metadata = std::move(metadata).finish();
    ev.details = deployment_details(*root);
    if (auto done = complete(r, ev); !done)
      return fail(std::move(done.error()));

    acceptance out;
    out.events.push_back(std::move(ev));
    return out;
  }

 private:
  static expected<std::string> delivery_id(const request& r,
                                           std::string otherwise) {
    if (r.header("webhook-id")) {
      const auto value = r.need_header("webhook-id", max_event_id);
      if (!value)
        return fail(value.error());
      return std::string{*value};
    }
    auto key = r.idempotency_key(max_event_id);
    if (!key || !key->empty())
      return key;
    return otherwise;
  }
};

} // namespace

bool is_production_name(std::string_view environment) noexcept {
  static constexpr std::array<std::string_view, 4> names{"production", "prod",
                                                         "live", "prd"};
  const auto lower = lower_case(environment.substr(0, 16));
  return std::find(names.begin(), names.end(), lower) != names.end();
}

expected<platform_ptr> make_deployments(const platform_parts& parts) {
  auto schemes = standard_webhooks("webhook");
  schemes.push_back(bearer_token());
  return make_platform<deployments>("deployments", std::move(schemes), parts);
}

} // namespace eventweft::platforms
