// SPDX-License-Identifier: Apache-2.0
#include "codec/rule_json.hpp"

#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "codec/list_json.hpp"
#include "codec/request_fields.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace eventweft::codec {

namespace {

constexpr size_t max_rule_text = 1'000;
constexpr size_t max_rule_pattern = 4'000;
constexpr uint32_t longest_window = 4'000'000'000;

} // namespace

expected<correlation::declarative_rule>
parse_rule_request(std::string name, std::string_view body) {
  auto in = request_fields::read(body);
  if (!in)
    return fail(in.error());
  std::optional<eventweft::filter> match;
  std::optional<std::string> key;
  std::optional<std::string> field;
  std::optional<std::string> pattern;
  std::optional<double> confidence;
  std::optional<uint32_t> window;
  if (!is_path_name(name))
    in->note("name", path_name_rule);
  in->match(match);
  if (match && !match->correlation_ids.empty())
    in->note("match", "correlation_ids: a rule is applied before its event has "
                      "a thread");
  in->text("key", max_rule_text, key);
  in->text("field", max_rule_text, field);
  in->text("pattern", max_rule_pattern, pattern);
  in->number("confidence", 1, confidence);
  in->whole("window", longest_window, window);
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  correlation::declarative_rule out;
  out.name = std::move(name);
  out.match = match.value_or(eventweft::filter{});
  out.key = key.value_or("");
  out.field = field.value_or("");
  out.pattern = pattern.value_or("");
  out.confidence = static_cast<float>(confidence.value_or(1));
  out.window = window.value_or(0);
  return out;
}

std::string_view to_string(correlation::rule_origin origin) noexcept {
  switch (origin) {
  case correlation::rule_origin::built_in:
    return "built-in";
  case correlation::rule_origin::configuration:
    return "configuration";
  case correlation::rule_origin::program:
    return "program";
  case correlation::rule_origin::store:
    return "store";
  }
  return "unknown";
}

std::string rule_json(const correlation::rule_state& rule) {
  std::string out = "{";
  append_member(out, "name", rule.name);
  append_member(out, "origin", to_string(rule.origin));
  out += fmt::format(R"(,"disabled":{},"applied":{},"failures":{})",
                     !rule.enabled, rule.applied, rule.failures);
  if (const auto& d = rule.definition) {
    out += ",\"match\":" + filter_json(d->match);
    append_member(out, "key", d->key);
    append_member(out, "field", d->field);
    append_member(out, "pattern", d->pattern);
    out += fmt::format(R"(,"confidence":{},"window":{})", d->confidence,
                       d->window);
  }
  return out + '}';
}

std::string rules_json(const std::vector<correlation::rule_state>& rules,
                       bool more) {
  return list_json(
      "correlation_rules", rules,
      [](std::string& out, const correlation::rule_state& r) {
        out += rule_json(r);
      },
      more ? rules.back().name : std::string{});
}

expected<filter> read_rule_match(std::string_view name, std::string_view json) {
  auto match = parse_filter(json);
  if (!match)
    return fail(ec::corrupt, "correlation rule \"" + std::string{name} +
                                 "\": match: " + match.error().message);
  return match;
}

} // namespace eventweft::codec
