// SPDX-License-Identifier: Apache-2.0
#include "app/correlation.hpp"

#include "codec/filter.hpp"
#include "correlation/custom_rule.hpp"

#include <chrono>
#include <utility>

namespace eventweft {

namespace {

expected<correlation::rule_ptr> rule_of(const config::correlation_rule& r) {
  correlation::declarative_rule out;
  out.name = r.name;
  if (!r.match.empty()) {
    auto match = codec::parse_filter(r.match);
    if (!match)
      return fail(ec::bad_configuration, "match: " + match.error().message);
    if (!match->correlation_ids.empty())
      return fail(ec::bad_configuration,
                  "match: correlation_ids: a rule is applied before its event "
                  "has a thread");
    out.match = std::move(*match);
  }
  out.key = r.key;
  out.field = r.field;
  out.pattern = r.pattern;
  out.confidence = static_cast<float>(r.confidence);
  out.window = r.window;
  return correlation::make_declarative_rule(out);
}

} // namespace

correlation::join_limits join_limits_of(const config::settings& settings) {
  const auto& c = settings.correlation;
  correlation::join_limits out;
  out.threshold = static_cast<float>(c.threshold);
  out.max_links = c.max_links;
  out.max_mentions = c.max_remarks;
  out.max_joined_events = c.max_joined_events;
  return out;
}

expected<std::shared_ptr<correlation::engine>>
make_rules(const config::settings& settings,
           const std::vector<correlation::rule_ptr>& own,
           correlation::rule_failure_hook on_failure) {
  if (!settings.event.enable_correlation)
    return nullptr;
  const auto& c = settings.correlation;
  correlation::engine_options options;
  options.threshold = static_cast<float>(c.threshold);
  options.max_mentions = c.max_mentions;
  options.branch_window = static_cast<uint32_t>(
      std::chrono::ceil<std::chrono::seconds>(c.branch_window).count());
  options.max_failures = c.max_failures;
  options.max_keys = c.max_keys;
  options.on_failure = std::move(on_failure);
  auto rules = std::make_shared<correlation::engine>(
      std::make_shared<correlation::vocabulary>(), std::move(options));
  const auto add = [&](correlation::rule_ptr r, correlation::rule_origin from) {
    return rules->add(std::move(r), from).map_error([](error e) {
      e.code = ec::bad_configuration;
      return e;
    });
  };
  for (const auto& r : c.rules) {
    auto added = rule_of(r).and_then([&](correlation::rule_ptr made) {
      return add(std::move(made), correlation::rule_origin::configuration);
    });
    if (!added)
      return fail(ec::bad_configuration, "[correlation.rules." + r.name + "] " +
                                             added.error().message);
  }
  for (const auto& r : own)
    if (auto added = add(r, correlation::rule_origin::program); !added)
      return fail(std::move(added.error()));
  return rules;
}

expected<correlation::stored_rule_changes>
take_stored_rules(const std::vector<correlation::declarative_rule>& stored,
                  correlation::engine& rules) {
  std::vector<correlation::rule_ptr> made;
  for (const auto& definition : stored) {
    auto one = correlation::make_declarative_rule(definition);
    if (!one)
      return fail(ec::corrupt, one.error().message);
    made.push_back(std::move(*one));
  }
  return rules.replace_stored(std::move(made));
}

expected<void> learn_facts(store& from, correlation::vocabulary& known) {
  const auto threads = from.open_threads();
  if (!threads)
    return {};
  const auto facts = threads->facts(correlation::vocabulary::max_facts);
  if (!facts)
    return fail(facts.error());
  for (const auto& [fact, value] : *facts)
    known.learn(fact, value);
  return {};
}

} // namespace eventweft
