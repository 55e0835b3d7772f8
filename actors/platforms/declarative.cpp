// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/declarative.hpp"

#include "codec/filter.hpp"

namespace eventweft::platforms {

namespace {

class declarative final : public base_platform {
 public:
  declarative(signature_verifier verifier, policies rules,
              const platform_parts& parts, platform_definition definition,
              priority_rules own)
      : base_platform(definition.name, std::move(verifier), std::move(rules),
                      parts),
        definition_(std::move(definition)),
        own_rules_(std::move(own)) {}

  expected<acceptance> accept(const webhook& w) const override {
    if (const auto& rule = definition_.handshake; rule && !rule->proven) {
      request r{w};
      if (auto answered = handshake(*rule, r))
        return std::move(*answered);
    }
    return base_platform::accept(w);
  }

  std::chrono::milliseconds answer_within() const noexcept override {
    return definition_.answer_within;
  }

  webhook_answer
  answer(const acceptance& a,
         std::span<const event_outcome> outcomes) const override {
    auto out = platform::answer(a, outcomes);
    if (definition_.answer_status != 0 && out.status < 300)
      out.status = definition_.answer_status;
    return out;
  }

 protected:
  void prepare(request& r) const override { r.form_as_object(); }

  expected<acceptance> read(request& r) const override {
    if (const auto root = r.json(); !root)
      return fail(root.error());
    if (const auto& rule = definition_.handshake; rule && rule->proven)
      if (auto answered = handshake(*rule, r))
        return std::move(*answered);
    event ev;
    ev.event_id = definition_.event_id.render(r);
    if (ev.event_id.empty())
      return fail(ec::malformed,
                  "no delivery id: " + definition_.event_id.describe() +
                      " is missing");
    if (!is_printable(ev.event_id))
      return fail(ec::malformed,
                  "the delivery id holds control characters or is not UTF-8");
    ev.event_type = definition_.event_type.render(r);
    if (ev.event_type.empty())
      return fail(ec::malformed,
                  "no event type: " + definition_.event_type.describe() +
                      " is missing");
    ev.source_id = definition_.source_id.render(r);
    ev.source_name = definition_.source_name.render(r);
    ev.actor_id = definition_.actor_id.render(r);
    ev.actor_name = definition_.actor_name.render(r);
    metadata_writer metadata;
    for (const auto& [key, value] : definition_.metadata)
      metadata.text(key, value.render(r));
    ev.metadata = std::move(metadata).finish();
    ev.priority =
        own_rules_.find(ev.event_type, *r.json()).value_or(priority::normal);
    if (auto done = complete(r, ev); !done)
      return fail(std::move(done.error()));
    acceptance out;
    out.events.push_back(std::move(ev));
    return out;
  }

 private:
  static std::optional<acceptance> handshake(const handshake_rule& rule,
                                             request& r) {
    const auto found = rule.when.render(r);
    if (!found || !codec::wildcard_match(rule.is, *found))
      return std::nullopt;
    acceptance out;
    out.answer =
        webhook_answer{.status = rule.status,
                       .content_type = rule.content_type,
                       .headers = {},
                       .body = rule.body.render(r).value_or(std::string{})};
    return out;
  }

  platform_definition definition_;
  priority_rules own_rules_;
};

} // namespace

expected<platform_ptr> make_declarative(platform_definition definition,
                                        const platform_parts& parts) {
  auto own =
      priority_rules::make(definition.priority, definition.name + ": priority");
  if (!own)
    return fail(std::move(own.error()));
  const auto name = definition.name;
  auto schemes = definition.signatures;
  return make_platform<declarative>(name, std::move(schemes), parts,
                                    std::move(definition), std::move(*own));
}

} // namespace eventweft::platforms
