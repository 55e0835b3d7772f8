// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/correlation_rule.hpp"
#include "messages/errors.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What the API takes and gives about correlation rules.
namespace eventweft::codec {

/// `{"match","key","field","pattern","confidence","window"}`. `malformed` for
/// what is no JSON object, `unprocessable` for the rest. Whether the rule works
/// is not looked at.
expected<correlation::declarative_rule>
parse_rule_request(std::string name, std::string_view body);

std::string_view to_string(correlation::rule_origin origin) noexcept;

std::string rule_json(const correlation::rule_state& rule);
/// `more` tells that there is a page after this one.
std::string rules_json(const std::vector<correlation::rule_state>& rules,
                       bool more);

/// The filter of a stored rule; `corrupt` names the rule.
expected<filter> read_rule_match(std::string_view name, std::string_view json);

} // namespace eventweft::codec
