// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/thread.hpp"

#include <optional>
#include <string>
#include <vector>

namespace eventweft::codec {

/// The newest that is known of a pull request, an issue or a deployment.
struct thing_state {
  /// "pull_request", "issue" or "deployment".
  std::string kind;
  /// "octo/repo#12", "ENG-42", "production".
  std::string name;
  /// "octo/repo", what it is a thing of; empty for what names none.
  std::string repository;
  /// What it keeps when it gets another name; empty where that is the name,
  /// and the repository.
  std::string id;
  std::string title;
  /// As its platform says it: "open", "In Progress", "success"; also "merged",
  /// "draft", and of an issue that is gone "deleted" or "removed".
  std::string state;
  std::string url;
  uuid event;
  timestamp at{};
  /// When it changed, if the platform says so.
  std::optional<timestamp> changed;
};

/// Of `newest_first`, in the log's order, one for each thing: what its platform
/// changed last, else the newest.
std::vector<thing_state> states_of(const std::vector<event_ptr>& newest_first);

/// The body of `GET /api/v1/correlations/{id}`.
std::string story_json(const thread_story& story);

/// `{"correlations":[…],"next_cursor":"…"|null}`; the last one tells only that
/// there are more where there are more than `limit`.
std::string threads_json(const std::vector<thread_summary>& threads,
                         size_t limit);

} // namespace eventweft::codec
