// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/rule.hpp"

#include <string_view>
#include <vector>

namespace eventweft::correlation {

/// Pull requests, issues, their comments and reviews, branches, alerts.
rule_ptr github_rule();
/// Pushes, checks, workflow runs, commit statuses, GitHub's deployments:
/// whatever belongs to a commit.
rule_ptr github_commit_rule();
rule_ptr linear_rule();
rule_ptr slack_rule();
/// The deployments that pipelines post to us.
rule_ptr deployment_rule();
/// W3C `traceparent`, CloudEvents `correlationid` and `causationid`, of any
/// event.
rule_ptr trace_rule();

std::vector<rule_ptr> builtin_rules();

/// Whether one of them has that name.
bool is_builtin_rule(std::string_view name);

} // namespace eventweft::correlation
