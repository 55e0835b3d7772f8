// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"
#include "messages/flow.hpp"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::correlation {

/// What keeps threads from growing into one. All at least 1.
struct join_limits {
  /// Keys below it do not link; 0 … 1.
  float threshold = 0.7F;
  /// Events that may link through one key by their structure, and by a remark
  /// in their text. Beyond, the key is hot: it links no further events, and
  /// those it linked stay.
  uint64_t max_links = 50'000;
  uint64_t max_mentions = 200;
  /// Two threads that have more events than this together are not joined. One
  /// event at a time may still be added.
  uint64_t max_joined_events = 100'000;
  /// Keys of stored events that link with one batch because it brings what they
  /// waited for: the newest. The others stay as evidence, for a backfill. More
  /// can come together in months than a store can write at once, and a batch
  /// that can't be written would hold up the log.
  size_t max_waiting = 5'000;
};

/// An event of a batch, duplicates already taken out.
struct join_input {
  uuid id;
  timestamp at{};
  std::span<const correlation_key> keys;
  /// It was stored before, with or without a thread, and `keys` are further
  /// ones.
  bool stored = false;
};

struct join_result {
  /// One an event, in order: its thread, if any key links it; nothing for
  /// stored ones, which are in `changes.members`.
  std::vector<std::optional<uuid>> threads;
  /// One an event: the event that caused it, if that is stored.
  std::vector<std::optional<uuid>> parents;
  /// Keys that reached a limit with this batch, and those that would have
  /// joined two threads which are too large together. To be logged.
  std::vector<hot_key> hot_keys;
  std::vector<std::string> huge_keys;
  /// Ids that senders gave to their events as `correlation_id` and that lead
  /// to a thread with another id since this batch: each with that thread.
  std::vector<std::pair<uuid, uuid>> names;
  /// Already applied to the index. `merges` are to be appended as events,
  /// `facts` to be told to the vocabulary after the commit.
  thread_changes changes;
};

/// Gives each event of a batch its thread. Events that share a key share a
/// thread; an event with keys of two threads joins them: the larger one's id
/// stays (of two alike, the older), the smaller one's rows are rewritten. A
/// new thread has the id of its oldest event in the batch, or the one that its
/// sender gave it as `correlation_id`.
///
/// Which events end up together depends on their keys alone: not on the order
/// in which they come, on how they are cut into batches, or on which node
/// takes them. (Exceptions, all of them by choice: past the limits, keys with
/// a time window, and a short SHA that more than one commit begins with.)
///
/// An error comes from the index; nothing is to be committed then.
expected<join_result> join(thread_index& index,
                           std::span<const join_input> events,
                           const join_limits& limits);

/// The key by which others name the event `id` as their cause. One that has it
/// itself links through it only if one of them was there before.
correlation_key own_id_key(const uuid& id);

/// The event that tells stream readers of a merge: `eventweft`,
/// `correlation:merged`, in the thread that stays.
event merge_event(const thread_merge& merge, const uuid& id, timestamp now);

} // namespace eventweft::correlation
