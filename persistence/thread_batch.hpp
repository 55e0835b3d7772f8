// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/joiner.hpp"
#include "messages/event.hpp"
#include "messages/flow.hpp"
#include "persistence/threads.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What both engines do alike when a batch is joined to threads.
namespace eventweft::thread_batch {

/// What `join` is going to ask for.
struct lookup {
  std::vector<std::string> keys;
  std::vector<std::string> facts;
  /// Facts, and beginnings of commits, that stored events may wait for.
  std::vector<std::string> waited_for;
  /// Beginnings of commits.
  std::vector<std::string> prefixes;
  std::vector<uuid> ids;
};

/// `ids` gets the events' own ids too where they were `stored` before.
lookup to_look_up(std::span<const correlation::join_input> events,
                  float threshold);

/// Stored events that are joined once more, and their ids.
std::vector<uuid> ids_of(std::span<const rejoined_event> events);
/// Those of them that are among `stored`: a retention may have taken others
/// since they were read.
std::vector<correlation::join_input>
still_there(std::span<const rejoined_event> events,
            std::span<const correlation::stored_row> stored);

/// What an engine's index of texts takes; the same text for the same key.
std::string storable_key(std::string_view key);

/// A key as the text of `correlation_pending.evidence`, and back.
std::string evidence_json(const correlation_key& key);
std::optional<correlation_key> parse_evidence(std::string_view json);

/// The least text behind all that begin with `prefix`, which is not empty.
std::string behind_prefix(std::string prefix);

/// A stored event as its sender sent it: with the ids of thread and parent that
/// it came with, not those that were found, by the evidence there is of it.
event as_it_arrived(event stored, std::span<const thread_link> evidence);

/// Makes the rows fit to be stored: one link for each event and key, texts
/// that every engine takes and that are not longer than they need to be.
void make_storable(correlation::thread_changes& changes);

/// How a thread grows beyond what `thread_growth` says.
struct growth_detail {
  seq_t last_seq = 0;
  /// Sorted, unique.
  std::vector<std::string> platforms;
};

/// By thread, for the batch's new events, which are numbered from `first` on
/// in their order.
std::map<uuid, growth_detail>
growth_details(std::span<const event_ptr> events,
               std::span<const std::optional<uuid>> threads, seq_t first);

/// The events that tell of `merges`, with their numbers.
std::vector<event_ptr>
merge_events(std::span<const correlation::thread_merge> merges, timestamp now,
             seq_t first);

/// Counts them as what they are: events of the threads that stayed. Their
/// platform is not among those that a thread is about.
void count_merges(std::span<const event_ptr> merge_events,
                  correlation::thread_changes& changes,
                  std::map<uuid, growth_detail>& details);

/// What the caller is told of a join that was committed.
thread_report report_of(const correlation::join_result& joined,
                        std::vector<event_ptr> merges);

/// Of `keys` those that do not link the event yet, by the evidence there is.
std::vector<correlation_key>
not_linked_yet(const std::vector<correlation_key>& keys,
               std::span<const thread_link> evidence);

} // namespace eventweft::thread_batch
