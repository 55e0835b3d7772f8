// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "correlation/engine.hpp"
#include "correlation/joiner.hpp"
#include "messages/correlation_rule.hpp"
#include "messages/errors.hpp"
#include "persistence/store.hpp"

#include <memory>
#include <vector>

namespace eventweft {

/// `[correlation]` as the append transaction needs it.
correlation::join_limits join_limits_of(const config::settings& settings);

/// All rules: the built-in ones, those of `[[correlation.rules]]`, and `own`.
/// Null if `[event] enable_correlation` is off. `bad_configuration` names the
/// rule that is not right.
expected<std::shared_ptr<correlation::engine>>
make_rules(const config::settings& settings,
           const std::vector<correlation::rule_ptr>& own,
           correlation::rule_failure_hook on_failure);

/// Puts the store's rules, as `stored` has them, in the place of those that
/// `rules` has of it. `corrupt` names one that can't work; then `rules` stays
/// as it is.
expected<correlation::stored_rule_changes>
take_stored_rules(const std::vector<correlation::declarative_rule>& stored,
                  correlation::engine& rules);

/// Puts into `known` what the store's events taught so far. Blocks.
expected<void> learn_facts(store& from, correlation::vocabulary& known);

} // namespace eventweft
