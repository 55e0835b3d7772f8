// SPDX-License-Identifier: Apache-2.0
#include "config/rule_tables.hpp"

#include "config/text.hpp"
#include "messages/json_pointer.hpp"

#include <cmath>

namespace eventweft::config {

namespace {

constexpr std::string_view priorities = "low|normal|high|critical";

} // namespace

std::optional<std::string> read_rule(const text_table& table,
                                     priority_rule& rule) {
  const auto place = " (line " + std::to_string(table.line) + ")";
  bool decides = false;
  for (const auto& [name, value, what] : table.members) {
    if (name == "priority") {
      if (!is_choice(priorities, value))
        return "a rule's priority: expected " + choices_text(priorities) +
               ", found " + in_quotes(value) + place;
      rule.priority = value;
      decides = true;
    } else if (name == "field") {
      if (!value.empty() && !is_json_pointer(value))
        return "field: expected a JSON pointer that " +
               std::string{json_pointer_form} + ", found " + in_quotes(value) +
               place;
      rule.field = value;
    } else if (name == "value") {
      rule.value = value;
    } else if (name == "event_type") {
      rule.event_type = value;
    } else {
      return name +
             ": unknown key; a rule has event_type, field, value and "
             "priority" +
             place;
    }
  }
  // What a rule says nothing about must not become normal by mistake.
  if (!decides)
    return "a rule needs a priority, " + choices_text(priorities) + place;
  return std::nullopt;
}

std::optional<std::string> read_rule(const text_table& table,
                                     correlation_rule& rule) {
  const auto place = " (line " + std::to_string(table.line) + ")";
  for (const auto& [name, value, what] : table.members) {
    const bool textual =
        name == "name" || name == "key" || name == "field" || name == "pattern";
    if (textual && !what.empty())
      return name + ": expected a text, found " + what + place;
    if (name == "match" && !what.empty() && what != "a table")
      return "match: expected a filter, as a table or as JSON, found " + what +
             place;
    if (name == "name")
      rule.name = value;
    else if (name == "match")
      rule.match = value;
    else if (name == "key")
      rule.key = value;
    else if (name == "field")
      rule.field = value;
    else if (name == "pattern")
      rule.pattern = value;
    else if (name == "confidence") {
      const auto sure = number<double>(value);
      if (!sure || *sure < 0 || *sure > 1)
        return "confidence: expected a number from 0 to 1, found " +
               in_quotes(value) + place;
      rule.confidence = *sure;
    } else if (name == "window") {
      const auto seconds = number<double>(value);
      if (!seconds || *seconds < 0 || *seconds > 4e9)
        return "window: expected a number of seconds, found " +
               in_quotes(value) + place;
      // 0 is for ever, a fraction is not.
      rule.window = static_cast<uint32_t>(std::ceil(*seconds));
    } else
      return name +
             ": unknown key; a rule has name, match, key, field, pattern, "
             "confidence and window" +
             place;
  }
  if (rule.name.empty() || rule.key.empty())
    return "a rule needs a name and a key" + place;
  return std::nullopt;
}

} // namespace eventweft::config
