// SPDX-License-Identifier: Apache-2.0
#include "actors/streams.hpp"

namespace eventweft {

namespace {

filter of_platform(const char* name) {
  filter f;
  f.platforms = {name};
  return f;
}

filter of_types(std::vector<std::string> types) {
  filter f;
  f.event_types = std::move(types);
  return f;
}

filter of_priority(priority p) {
  filter f;
  f.min_priority = p;
  return f;
}

} // namespace

std::vector<stream_definition> default_streams() {
  std::vector<stream_definition> out{
      {"all_events", "Every event of every platform.", {}},
      {"github_events", "Everything from GitHub.", of_platform("github")},
      {"linear_events", "Everything from Linear.", of_platform("linear")},
      {"slack_events", "Everything from Slack.", of_platform("slack")},
      {"deployment_events", "Deployments and their progress.",
       of_types({"deployment", "deployment_status"})},
      {"pr_events", "Pull requests, their reviews and comments.",
       of_types({"pull_request", "pull_request_review",
                 "pull_request_review_comment", "pull_request_review_thread",
                 "pull_request_target"})},
      {"issue_events", "Issues and their comments.",
       of_types({"issues", "issue_comment", "Issue", "Comment"})},
      {"high_priority", "What is of high or critical priority.",
       of_priority(priority::high)},
  };
  for (auto& stream : out)
    stream.built_in = true;
  return out;
}

} // namespace eventweft
