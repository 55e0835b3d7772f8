// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/priority_rules.hpp"

#include "codec/filter.hpp"
#include "codec/payload.hpp"
#include "messages/json_pointer.hpp"

namespace eventweft::platforms {

expected<priority_rules>
priority_rules::make(const std::vector<config::priority_rule>& rules,
                     std::string_view where) {
  priority_rules out;
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto& r = rules[i];
    const auto refuse = [&](const std::string& why) {
      return fail(ec::bad_configuration, std::string{where} + ": rule " +
                                             std::to_string(i + 1) + ": " +
                                             why);
    };
    const auto result = parse_priority(r.priority);
    if (!result)
      return refuse("priority \"" + r.priority +
                    "\" is not one of low, normal, high, critical");
    if (!r.field.empty() && !is_json_pointer(r.field))
      return refuse("field \"" + r.field + "\" is not a JSON pointer (it " +
                    std::string{json_pointer_form} + ")");
    out.rules_.push_back({r.event_type, r.field, r.value, *result});
  }
  return out;
}

std::optional<priority>
priority_rules::find(std::string_view event_type,
                     simdjson::dom::element payload) const {
  std::string scratch;
  for (const auto& r : rules_) {
    if (!type_matches(r.event_type, event_type))
      continue;
    if (!r.field.empty()) {
      const auto text = codec::text_at(payload, r.field, scratch);
      if (!text || !codec::wildcard_match(r.value, *text))
        continue;
    }
    return r.result;
  }
  return std::nullopt;
}

bool type_matches(std::string_view pattern,
                  std::string_view event_type) noexcept {
  return codec::wildcard_match(pattern, event_type) ||
         codec::wildcard_match(pattern,
                               event_type.substr(0, event_type.find(':')));
}

} // namespace eventweft::platforms
