// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

#include <string>
#include <vector>

/// The system on one page: who can be asked what. One comment a message; the
/// actors' own headers (`actors/*.hpp`) say what each one owns and what
/// happens when it fails. Requests are answered with `caf::error` of category
/// `eventweft::ec` when they fail.
namespace eventweft {

/// Proves and reads one platform's webhooks. Stateless but for buffers; there
/// are `event.max_workers` of them for each platform.
using platform_actor = caf::typed_actor<
    // Answers once all that the webhook brought is durable.
    caf::result<webhook_answer>(webhook)>;

/// Appends events to the log, many senders' in one transaction.
using storage_writer_actor = caf::typed_actor<
    // Answers after the commit (or after the spool's fsync while the store is
    // away). `overloaded` when the queue is full.
    caf::result<append_outcome>(append_atom, event_ptr),
    // From its worker or spool timer: look whether the store is back.
    caf::result<void>(retry_atom),
    // Finishes what is queued, then answers.
    caf::result<void>(flush_atom)>;

/// Does the blocking work of one store session. Detached.
using store_worker_actor = caf::typed_actor<
    // One transaction; one result an event, in order.
    caf::result<append_results>(append_atom, event_batch),
    caf::result<seq_t>(head_atom),
    caf::result<log_range>(page_atom, page_request),
    caf::result<event_page>(query_atom, event_query),
    // The event, or a null pointer.
    caf::result<event_ptr>(find_atom, uuid),
    caf::result<seq_t>(seek_atom, timestamp),
    caf::result<void>(dead_letter_atom, dead_letter),
    // Newest first; those before the id, nil for the newest.
    caf::result<std::vector<dead_letter>>(list_atom, uuid, uint32_t),
    caf::result<bool>(drop_atom, uuid)>;

/// Does the blocking work of the spool. Detached.
using spool_worker_actor = caf::typed_actor<
    // Durable when answered. `store_full` when the spool's limit is reached.
    caf::result<void>(append_atom, event_batch),
    // The oldest events, at most so many, in order; empty when drained.
    caf::result<event_batch>(page_atom, uint32_t),
    // The oldest so many are in the store: forget them.
    caf::result<void>(drop_atom, uint32_t),
    caf::result<spool_state>(head_atom)>;

/// Reads from the store for everybody: a bounded queue before a few workers.
using storage_reader_actor = caf::typed_actor<
    caf::result<seq_t>(head_atom),
    // Log pages for readers that catch up; `overloaded` when the queue is full.
    caf::result<log_range>(page_atom, page_request),
    caf::result<event_page>(query_atom, event_query),
    caf::result<event_ptr>(find_atom, uuid),
    // The seq before the first event at or after the time.
    caf::result<seq_t>(seek_atom, timestamp),
    caf::result<std::vector<dead_letter>>(list_atom, uuid, uint32_t),
    caf::result<bool>(drop_atom, uuid)>;

/// Knows the end of the log and hands what is new to the lanes, in order.
using stream_hub_actor = caf::typed_actor<
    // From the writer after a commit: these are in the log now.
    caf::result<void>(committed_atom, log_range_ptr),
    // A lane has dealt with a batch.
    caf::result<void>(ready_atom, lane_number),
    // Makes the reader live after the cursor and answers true, or answers
    // false: it is too far back for what is in memory.
    caf::result<bool>(join_atom, join_request),
    // The reader is gone or no longer live.
    caf::result<void>(leave_atom, reader_id),
    // The last seq that was published.
    caf::result<seq_t>(head_atom),
    // Look at the store's head, in case nobody told us.
    caf::result<void>(poll_atom)>;

/// One reader's state: filter, cursor, what it is waiting for.
using subscription_actor = caf::typed_actor<
    // The reader wants what comes after the cursor; negative: its start.
    caf::result<void>(next_atom, uint32_t, seq_t),
    caf::result<void>(filter_atom, filter), caf::result<void>(ack_atom, seq_t)>;

/// Keeps what was given up on.
using dead_letters_actor =
    caf::typed_actor<caf::result<void>(dead_letter_atom, dead_letter)>;

/// Starts, watches and restarts all of the above.
using supervisor_actor = caf::typed_actor<
    // Ends everything in order: edges first, the writer's flush last.
    caf::result<void>(stop_atom)>;

} // namespace eventweft
