// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/linear.hpp"

#include "actors/platforms/details.hpp"
#include "codec/json_text.hpp"

namespace eventweft::platforms {

namespace {

using simdjson::dom::element;

// What `updatedFrom` may cost in metadata; longer ones are named only.
constexpr size_t max_updated_from = 2'048;

signature_scheme body_signature() {
  signature_scheme s;
  s.header = "linear-signature";
  s.base = text_template::parse("{body}").value();
  s.time.from = timestamp_rule::origin::json;
  s.time.name = "/webhookTimestamp";
  s.time.in = timestamp_rule::unit::milliseconds;
  s.time.tolerance = std::chrono::seconds{60};
  return s;
}

class linear final : public base_platform {
 public:
  linear(signature_verifier verifier, policies rules,
         const platform_parts& parts)
      : base_platform("linear", std::move(verifier), std::move(rules), parts) {}

  // It waits five seconds.
  std::chrono::milliseconds reply_within() const noexcept override {
    return std::chrono::milliseconds{4'000};
  }

 protected:
  expected<acceptance> read(request& r) const override {
    const auto delivery = r.need_header("linear-delivery", max_event_id);
    if (!delivery)
      return fail(delivery.error());
    const auto root = r.object();
    if (!root)
      return fail(root.error());

    event ev;
    ev.event_id = *delivery;
    ev.event_type = codec::string_at(*root, "/type");
    if (ev.event_type.empty())
      return fail(ec::malformed, "body: /type is missing");
    if (auto checked = check_subjects(*root); !checked)
      return fail(std::move(checked.error()));
    if (const auto action = codec::string_at(*root, "/action"); !action.empty())
      ev.event_type.append(":").append(action);
    const auto issue = linear_issue(*root);
    ev.source_id =
        first_text(*root, {"/data/team/id", "/data/teamId", issue + "/team/id",
                           issue + "/teamId", "/organizationId"});
    ev.source_name = first_text(*root, {"/data/team/key", issue + "/team/key",
                                        "/data/team/name", issue + "/team/name",
                                        "/data/project/name"});
    // Whoever prompts an agent need not be who called it.
    ev.actor_id = first_text(
        *root, {"/actor/id", "/data/userId", "/notification/actor/id",
                "/notification/actorId", "/agentActivity/user/id",
                "/agentSession/creator/id", "/agentSession/creatorId"});
    ev.actor_name = first_text(
        *root, {"/actor/name", "/data/user/name", "/notification/actor/name",
                "/agentActivity/user/name", "/agentSession/creator/name"});
    ev.metadata = metadata(*root);
    ev.details = linear_details(*root);
    if (auto done = complete(r, ev); !done)
      return fail(std::move(done.error()));

    acceptance out;
    out.events.push_back(std::move(ev));
    return out;
  }

 private:
  // What the event is about; which of these there are depends on its type.
  static expected<void> check_subjects(element root) {
    for (auto name : {"data", "issueData", "notification", "agentSession"}) {
      element found;
      if (!root[name].get(found) && !found.is_null() && !found.is_object())
        return fail(ec::malformed,
                    "body: /" + std::string{name} + " is not an object");
    }
    return {};
  }

  static std::string metadata(element root) {
    metadata_writer out;
    out.text("organization_id", codec::string_at(root, "/organizationId"))
        .text("identifier", linear_identifier(root))
        .text("url", first_text(root, {"/url", "/data/url",
                                       linear_issue(root) + "/url"}))
        .text("webhook_id", codec::string_at(root, "/webhookId"));
    simdjson::dom::object before;
    if (!root["updatedFrom"].get_object().get(before)) {
      const auto text = simdjson::minify(before);
      if (text.size() <= max_updated_from)
        out.raw("updated_from", text);
      else
        out.raw("updated_fields", keys_of(before));
    }
    return std::move(out).finish();
  }

  static std::string keys_of(simdjson::dom::object object) {
    std::string out = "[";
    for (const auto member : object) {
      if (out.size() > max_updated_from)
        break;
      if (out.size() > 1)
        out.push_back(',');
      codec::append_quoted(out, member.key);
    }
    return out + "]";
  }
};

} // namespace

expected<platform_ptr> make_linear(const platform_parts& parts) {
  return make_platform<linear>("linear", {body_signature()}, parts);
}

} // namespace eventweft::platforms
