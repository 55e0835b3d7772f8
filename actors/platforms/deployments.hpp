// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/base_platform.hpp"

#include <string_view>

namespace eventweft::platforms {

/// What a deployment's script posts to `/deployments/events`, signed as
/// Standard Webhooks say or with a bearer token:
///
///     {"deployment_id":"42","environment":"production","status":"success",
///      "repository_name":"octo/repo","repository_id":"1","commit_sha":"…",
///      "branch_name":"main","deployment_url":"https://…","log_url":"https://…",
///      "started_at":"2026-01-31T12:00:00Z","completed_at":null,
///      "pull_request":12,"actor":"octocat"}
///
/// The first three are required; others may be null or missing; members beside
/// these are kept and not looked at. The delivery's id is `webhook-id`, or
/// `Idempotency-Key`, or else deployment and status.
expected<platform_ptr> make_deployments(const platform_parts& parts);

/// Whether people mean production by this environment's name.
bool is_production_name(std::string_view environment) noexcept;

} // namespace eventweft::platforms
