// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Threads as they are read: sets of events about one piece of work.
namespace eventweft {

/// One thread in a list.
struct thread_summary {
  uuid id;
  uint64_t events = 0;
  /// Of its newest event.
  seq_t last_seq = 0;
  timestamp first{};
  timestamp last{};
  std::vector<std::string> platforms;
  /// Some of its keys, those that say most first.
  std::vector<std::string> keys;

  bool operator==(const thread_summary&) const = default;
};

/// A key that leads to a thread.
struct thread_key {
  std::string key;
  /// The first event that is this thing.
  std::optional<uuid> owner;
  uint64_t links = 0;
  uint64_t mentions = 0;
  timestamp last_seen{};

  bool operator==(const thread_key&) const = default;
};

/// Why an event is in its thread: a row of `event_correlations`.
struct thread_link {
  uuid event;
  std::string key;
  /// "pr_to_issue", "identity", …
  std::string type;
  float confidence = 1;
  /// "linked", or why it did not link.
  std::string state;
  std::string rule;
  std::string field;
  std::string matched;
  /// The event that the key stands for.
  std::optional<uuid> target;

  bool operator==(const thread_link&) const = default;
};

/// Somebody who took part.
struct thread_participant {
  std::string platform;
  /// The name again where the platform has no id.
  std::string id;
  std::string name;
  uint64_t events = 0;

  bool operator==(const thread_participant&) const = default;
};

/// A thread with all that is known of it.
struct thread_story {
  thread_summary summary;
  /// Threads that were joined to it.
  std::vector<uuid> former;
  std::vector<thread_key> keys;
  /// In the log's order.
  std::vector<event_ptr> events;
  /// Of those events.
  std::vector<thread_link> links;
  /// Of the whole thread; who has most of its events first, at most 200.
  std::vector<thread_participant> participants;
  /// The seq after which the next page begins, if there is one.
  std::optional<seq_t> next;
  /// Newest first, the events that tell what state pull requests, issues and
  /// deployments are in, whatever page they are on; of each thing a few.
  std::vector<event_ptr> states;
};

/// Which of a thread's events are read with it.
struct thread_page {
  /// Those after it.
  seq_t after = 0;
  /// At most so many.
  size_t limit = 200;
  /// Once the payloads come to so many bytes there are no more; the same for
  /// those that tell states, by kind a share of it.
  uint64_t max_bytes = 64ull << 20;
};

/// Which threads to list, newest first.
struct thread_query {
  /// Only those with an event of one of these platforms; empty: all.
  std::vector<std::string> platforms;
  /// Only those whose newest event has a seq below this; 0: all.
  seq_t before = 0;
  size_t limit = 50;

  bool operator==(const thread_query&) const = default;
};

} // namespace eventweft
