// SPDX-License-Identifier: Apache-2.0
// Payloads of our own, in the shape that each platform sends and short enough
// to read. The names in them belong to nobody.
#include "app/cli/webhook_request.hpp"

#include <array>

namespace eventweft::cli {

namespace {

struct sample {
  std::string_view platform;
  std::string_view type;
  std::string_view payload;
};

constexpr auto samples = std::to_array<sample>({
    {"github", "pull_request", R"({
  "action": "opened",
  "number": 12,
  "pull_request": {
    "id": 1201, "number": 12, "state": "open", "draft": false,
    "title": "Weave the spool into the log, fixes ENG-42",
    "body": "Closes #7.",
    "html_url": "https://github.com/octo/loom/pull/12",
    "user": {"login": "weaver", "id": 2101},
    "head": {"ref": "eng-42-spool", "sha": "3f1c9a70b2d84e56a1f0c7d9e8b6a5940312fe77"},
    "base": {"ref": "main", "sha": "90aa11bb22cc33dd44ee55ff66778899aabbccdd"},
    "labels": [{"name": "enhancement"}]
  },
  "repository": {"id": 4242, "name": "loom", "full_name": "octo/loom", "private": false},
  "sender": {"login": "weaver", "id": 2101, "type": "User"}
})"},
    {"github", "issues", R"({
  "action": "opened",
  "issue": {
    "id": 701, "number": 7, "state": "open",
    "title": "A torn thread is not reported",
    "html_url": "https://github.com/octo/loom/issues/7",
    "user": {"login": "spinner", "id": 2102},
    "labels": [{"name": "bug"}]
  },
  "repository": {"id": 4242, "name": "loom", "full_name": "octo/loom", "private": false},
  "sender": {"login": "spinner", "id": 2102, "type": "User"}
})"},
    {"github", "push", R"({
  "ref": "refs/heads/main",
  "before": "90aa11bb22cc33dd44ee55ff66778899aabbccdd",
  "after": "3f1c9a70b2d84e56a1f0c7d9e8b6a5940312fe77",
  "commits": [{
    "id": "3f1c9a70b2d84e56a1f0c7d9e8b6a5940312fe77",
    "message": "Weave the spool into the log",
    "author": {"name": "Weaver", "email": "weaver@example.org"}
  }],
  "repository": {"id": 4242, "name": "loom", "full_name": "octo/loom", "private": false},
  "pusher": {"name": "weaver", "email": "weaver@example.org"},
  "sender": {"login": "weaver", "id": 2101, "type": "User"}
})"},
    {"github", "ping", R"({
  "zen": "Keep it logically awesome.",
  "hook_id": 31,
  "hook": {"type": "Repository", "id": 31, "events": ["*"], "active": true},
  "repository": {"id": 4242, "name": "loom", "full_name": "octo/loom", "private": false},
  "sender": {"login": "weaver", "id": 2101, "type": "User"}
})"},
    {"slack", "app_mention", R"({
  "token": "none",
  "team_id": "T0LOOM", "api_app_id": "A0WEFT",
  "event": {
    "type": "app_mention", "user": "U0WEAVER", "channel": "C0REVIEW",
    "text": "<@U0WEFT> who can review octo/loom#12 for ENG-42?",
    "ts": "1767225600.000100", "event_ts": "1767225600.000100"
  },
  "type": "event_callback",
  "event_id": "Ev0SAMPLE",
  "event_time": 1767225600
})"},
    {"slack", "message", R"({
  "token": "none",
  "team_id": "T0LOOM", "api_app_id": "A0WEFT",
  "event": {
    "type": "message", "user": "U0SPINNER", "channel": "C0REVIEW",
    "channel_type": "channel", "text": "ENG-42 is out.",
    "ts": "1767225660.000200", "event_ts": "1767225660.000200"
  },
  "type": "event_callback",
  "event_id": "Ev0SAMPLE",
  "event_time": 1767225660
})"},
    {"slack", "url_verification",
     R"({"token": "none", "challenge": "warp-and-weft", "type": "url_verification"})"},
    {"linear", "Issue", R"({
  "action": "create",
  "type": "Issue",
  "actor": {"id": "6f1d1c7e-2f0e-4a53-9c3e-0a7b6d1e2f30", "name": "Weaver", "type": "user"},
  "createdAt": "2026-01-01T00:00:00.000Z",
  "data": {
    "id": "0d9f0a52-6a34-4a3a-9c5b-1a2b3c4d5e6f", "number": 42, "identifier": "ENG-42",
    "title": "Weave the spool into the log", "priority": 2,
    "team": {"id": "a2b1c0d9-1111-4222-8333-444455556666", "key": "ENG", "name": "Engineering"},
    "state": {"id": "b3c2d1e0-1111-4222-8333-444455556666", "name": "Todo", "type": "unstarted"}
  },
  "organizationId": "c4d3e2f1-1111-4222-8333-444455556666",
  "url": "https://linear.app/loom/issue/ENG-42",
  "webhookId": "d5e4f3a2-1111-4222-8333-444455556666",
  "webhookTimestamp": 1767225600000
})"},
    {"linear", "Comment", R"({
  "action": "create",
  "type": "Comment",
  "actor": {"id": "6f1d1c7e-2f0e-4a53-9c3e-0a7b6d1e2f30", "name": "Weaver", "type": "user"},
  "createdAt": "2026-01-01T00:05:00.000Z",
  "data": {
    "id": "1e9f0a52-6a34-4a3a-9c5b-1a2b3c4d5e6f",
    "body": "See octo/loom#12.",
    "issue": {"id": "0d9f0a52-6a34-4a3a-9c5b-1a2b3c4d5e6f", "title": "Weave the spool into the log"}
  },
  "organizationId": "c4d3e2f1-1111-4222-8333-444455556666",
  "url": "https://linear.app/loom/issue/ENG-42#comment-1e9f0a52",
  "webhookId": "d5e4f3a2-1111-4222-8333-444455556666",
  "webhookTimestamp": 1767225900000
})"},
    {"deployments", "success", R"({
  "deployment_id": "deploy-123",
  "environment": "production",
  "status": "success",
  "repository_name": "octo/loom",
  "commit_sha": "3f1c9a70b2d84e56a1f0c7d9e8b6a5940312fe77",
  "branch_name": "main",
  "deployment_url": "https://loom.example.org",
  "log_url": "https://ci.example.org/runs/77",
  "started_at": "2026-01-01T00:10:00Z",
  "completed_at": "2026-01-01T00:12:30Z",
  "pull_request": {"number": 12}
})"},
    {"events", "", R"({
  "platform": "custom",
  "event_id": "sample",
  "event_type": "build:finished",
  "source_name": "octo/loom",
  "actor_name": "weaver",
  "payload": {"build": 77, "result": "passed", "seconds": 41.5}
})"},
});

} // namespace

std::string_view sample_payload(std::string_view platform,
                                std::string_view type) noexcept {
  for (const auto& s : samples)
    if (s.platform == platform && (type.empty() || s.type == type))
      return s.payload;
  return {};
}

std::string_view default_type(std::string_view platform) noexcept {
  for (const auto& s : samples)
    if (s.platform == platform)
      return s.type;
  return {};
}

std::string sample_types(std::string_view platform) {
  std::string all;
  for (const auto& s : samples)
    if (s.platform == platform && !s.type.empty())
      all.append(all.empty() ? "" : ", ").append(s.type);
  return all;
}

} // namespace eventweft::cli
