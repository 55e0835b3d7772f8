// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/github.hpp"

#include "actors/platforms/deployments.hpp"
#include "actors/platforms/details.hpp"

#include <array>

namespace eventweft::platforms {

namespace {

using simdjson::dom::element;

signature_scheme hub_signature() {
  signature_scheme s;
  s.header = "x-hub-signature-256";
  s.format = header_format::prefix;
  s.prefix = "sha256=";
  s.base = text_template::parse("{body}").value();
  s.refused.emplace_back(
      "x-hub-signature",
      "X-Hub-Signature-256 is missing; X-Hub-Signature (SHA-1) alone is not "
      "accepted");
  return s;
}

constexpr std::array<std::string_view, 7> security_alerts{
    "code_scanning_alert",   "dependabot_alert",
    "repository_advisory",   "repository_vulnerability_alert",
    "secret_scanning_alert", "secret_scanning_alert_location",
    "security_advisory",
};

bool is_production(element root) {
  std::string scratch;
  return codec::text_at(root, "/deployment/production_environment", scratch) ==
             "true" ||
         is_production_name(
             codec::text_at(root, "/deployment/environment", scratch)
                 .value_or(std::string_view{}));
}

priority priority_of(std::string_view event, element root) {
  for (auto alert : security_alerts)
    if (event == alert)
      return priority::critical;
  if (event.starts_with("pull_request") || event == "issues")
    return priority::high;
  if (event.starts_with("deployment") && is_production(root))
    return priority::high;
  return priority::normal;
}

// Takes what is there of the object's id and name; false if there is no
// object.
bool take(element root, std::string_view pointer, std::string_view name_key,
          std::string& id, std::string& name) {
  element found;
  if (root.at_pointer(pointer).get(found) || !found.is_object())
    return false;
  std::string scratch;
  id = codec::text_at(found, "/id", scratch).value_or("");
  name = codec::text_at(found, name_key, scratch).value_or("");
  return !id.empty() || !name.empty();
}

void fill_source(element root, event& ev) {
  auto& id = ev.source_id;
  auto& name = ev.source_name;
  // From the narrowest to the widest thing an event can be about.
  if (!take(root, "/repository", "/full_name", id, name) &&
      !take(root, "/organization", "/login", id, name) &&
      !take(root, "/enterprise", "/slug", id, name))
    take(root, "/installation/account", "/login", id, name);
}

class github final : public base_platform {
 public:
  github(signature_verifier verifier, policies rules,
         const platform_parts& parts)
      : base_platform("github", std::move(verifier), std::move(rules), parts) {}

 protected:
  expected<acceptance> read(request& r) const override {
    const auto type = r.need_header("x-github-event", 100);
    if (!type)
      return fail(type.error());
    const auto delivery = r.need_header("x-github-delivery", max_event_id);
    if (!delivery)
      return fail(delivery.error());
    const auto root = r.object();
    if (!root)
      return fail(root.error());

    event ev;
    ev.event_id = *delivery;
    ev.event_type = *type;
    std::string scratch;
    if (const auto action = codec::text_at(*root, "/action", scratch);
        action && !action->empty())
      ev.event_type.append(":").append(*action);
    ev.priority = priority_of(*type, *root);
    fill_source(*root, ev);
    take(*root, "/sender", "/login", ev.actor_id, ev.actor_name);
    ev.metadata = metadata(r, *root);
    ev.details = github_details(*root, *type);
    if (auto done = complete(r, ev); !done)
      return fail(std::move(done.error()));

    acceptance out;
    out.events.push_back(std::move(ev));
    return out;
  }

 private:
  static std::string metadata(const request& r, element root) {
    std::string scratch;
    metadata_writer out;
    out.text("hook_id", r.header("x-github-hook-id"))
        .text("hook_target_type",
              r.header("x-github-hook-installation-target-type"))
        .text("hook_target_id",
              r.header("x-github-hook-installation-target-id"))
        .text("enterprise_host", r.header("x-github-enterprise-host"))
        .text("installation_id",
              codec::text_at(root, "/installation/id", scratch));
    return std::move(out).finish();
  }
};

} // namespace

expected<platform_ptr> make_github(const platform_parts& parts) {
  return make_platform<github>("github", {hub_signature()}, parts);
}

} // namespace eventweft::platforms
