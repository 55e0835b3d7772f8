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
    caf::result<webhook_answer>(webhook_ptr)>;

/// Appends events to the log, many senders' in one transaction.
using storage_writer_actor = caf::typed_actor<
    // Answers after the commit (or after the spool's fsync while the store is
    // away). `overloaded` when the queue is full.
    caf::result<append_outcome>(append_atom, event_ptr),
    // The same for another node's writer: stored or refused, but never spooled
    // nor handed on.
    caf::result<append_outcome>(relayed_atom, event_ptr),
    // Look now whether the store is back, not only when the next try is due.
    caf::result<void>(retry_atom),
    // Finishes what is queued, then answers.
    caf::result<void>(flush_atom)>;

/// Does the blocking work of one store session. Detached.
using store_worker_actor = caf::typed_actor<
    // One transaction; one result an event, in order.
    caf::result<append_results>(append_atom, event_batch),
    // Makes durable what was appended; none of the events: whatever there is.
    // `store_unavailable` if the store has lost one of them.
    caf::result<void>(sync_atom, std::vector<log_mark>),
    // The last seq given out.
    caf::result<seq_t>(head_atom),
    // A piece of the log.
    caf::result<log_range>(page_atom, page_request),
    // A page of what a query finds.
    caf::result<event_page>(query_atom, event_query),
    // The event, or a null pointer.
    caf::result<event_ptr>(find_atom, uuid),
    // The seq before the first event at or after the time.
    caf::result<seq_t>(seek_atom, timestamp),
    // What each of these threads is part of by now.
    caf::result<std::vector<uuid>>(find_atom, std::vector<uuid>),
    // Which threads and causes events have by now.
    caf::result<places_page>(find_atom, places_request),
    // Stores a dead letter.
    caf::result<void>(dead_letter_atom, dead_letter),
    // Dead letters, newest first.
    caf::result<std::vector<dead_letter>>(list_atom, dead_letter_query),
    // Forgets a dead letter; whether there was one.
    caf::result<bool>(drop_atom, uuid)>;

/// Does the blocking work of the spool. Detached.
using spool_worker_actor = caf::typed_actor<
    // Durable when answered. `store_full` when the spool's limit is reached.
    // Answers the bytes that the spool holds now, as its limit counts them.
    caf::result<uint64_t>(append_atom, event_batch),
    // The oldest events, at most so many, in order; empty when drained.
    caf::result<event_batch>(page_atom, uint32_t),
    // The oldest so many are in the store: forget them. Answers what is left,
    // in bytes.
    caf::result<uint64_t>(drop_atom, uint32_t),
    // How much there is, and which events.
    caf::result<spool_state>(head_atom)>;

/// Reads from the store for everybody: a bounded queue before a few workers.
/// `overloaded` when the queue is full.
using storage_reader_actor = caf::typed_actor<
    // As `store_worker_actor` has them.
    caf::result<seq_t>(head_atom),
    caf::result<log_range>(page_atom, page_request),
    caf::result<event_page>(query_atom, event_query),
    caf::result<event_ptr>(find_atom, uuid),
    caf::result<seq_t>(seek_atom, timestamp),
    caf::result<std::vector<uuid>>(find_atom, std::vector<uuid>),
    caf::result<places_page>(find_atom, places_request),
    caf::result<void>(dead_letter_atom, dead_letter),
    caf::result<std::vector<dead_letter>>(list_atom, dead_letter_query),
    caf::result<bool>(drop_atom, uuid)>;

/// Knows the end of the log and hands what is new to the lanes, in order.
using stream_hub_actor = caf::typed_actor<
    // From the writer after a commit: these are in the log now.
    caf::result<void>(committed_atom, log_range_ptr),
    // A lane has dealt with a batch.
    caf::result<void>(ready_atom, lane_number),
    // Makes the reader live after the cursor, or says how far back it could.
    caf::result<join_answer>(join_atom, join_request),
    // The subscription's reader is gone.
    caf::result<void>(leave_atom, subscription_id),
    // The end of the log, as far as it is known here: what is acknowledged
    // after the question lies beyond it. Waits until it is known.
    caf::result<seq_t>(head_atom),
    // Look at the store's head, in case nobody told us.
    caf::result<void>(poll_atom),
    // The log reaches to this seq: what is missing is on its way here, or
    // else in the store.
    caf::result<void>(poll_atom, seq_t)>;

/// One reader's state: filter, cursor, what it is waiting for.
using subscription_actor = caf::typed_actor<
    // The reader wants what comes after the cursor; negative: its start.
    caf::result<void>(next_atom, uint32_t, seq_t),
    // From the next `next` on.
    caf::result<void>(filter_atom, filter),
    // The stream's own filter is another one: the reader begins again where it
    // is.
    caf::result<void>(put_atom, filter)>;

/// Takes back dead letters of its kind of origin. Part of other interfaces.
using letter_taker_actor = caf::typed_actor<
    // Tries it again. Answers when it will not be forgotten any more.
    caf::result<void>(retry_atom, dead_letter)>;

/// Keeps what was given up on.
using dead_letters_actor = caf::typed_actor<
    // Answers once it is stored; tries again while the store is away.
    caf::result<void>(dead_letter_atom, dead_letter),
    // Hands it back to where it came from, then forgets it. `not_found` if
    // there is no such letter, `unprocessable` if its origin takes none.
    caf::result<bool>(retry_atom, uuid),
    // Another node was asked to, but it may be this one's to do.
    caf::result<void>(put_atom, uuid),
    // The same with all that the query finds, so many a second at most; 0: no
    // limit. Answers when it has begun; `conflict` while another one runs, at
    // whichever node.
    caf::result<dead_letter_retry>(retry_atom, dead_letter_query, double),
    // How far the last such retry is, at whichever node.
    caf::result<dead_letter_retry>(head_atom),
    // Ends it. Another node's ends soon after.
    caf::result<dead_letter_retry>(stop_atom),
    // Forgets all that the query finds; how many that were.
    caf::result<uint64_t>(drop_atom, dead_letter_query),
    // That alert, which was about so many letters, reached nobody.
    caf::result<void>(dead_letter_atom, uint64_t, uint64_t)>;

/// Writes what processors have done. Detached: it blocks.
using processing_journal_actor = caf::typed_actor<
    // How far the processor is; nothing if it was never seen.
    caf::result<std::vector<processing::stored_mark>>(list_atom, std::string),
    // Each processor that there ever was, with how many events it has in hand
    // (`ready`) and how far it read.
    caf::result<std::vector<processing::processor_state>>(list_atom),
    // One transaction. `not_owner` when the fence does not hold.
    caf::result<void>(append_atom, processing::write_ptr)>;

/// Hands events to processors. Local.
using processing_engine_actor = caf::typed_actor<
    // Look at which processors there are and which of them are this node's.
    caf::result<void>(poll_atom),
    // What a feed, by its number, read next.
    caf::result<void>(page_atom, uint64_t, log_range_ptr),
    // An attempt, by its number, has ended.
    caf::result<void>(ready_atom, uint64_t, processing::outcome),
    // There may be a free worker.
    caf::result<void>(next_atom),
    // What an answering processor, here or on a linked node, replies to this
    // event, which need not be stored yet. `not_found` if none of them has
    // anything to say. The asker keeps the deadline.
    caf::result<processing::reply>(answer_atom, event_ptr),
    // From another node: what one of its processors has to say to that event,
    // and that it has nothing to say.
    caf::result<void>(answer_atom, uuid, processing::reply),
    caf::result<void>(answer_atom, uuid),
    // Has the processor of that origin try again. Answers when it will not be
    // forgotten; `not_found` if there is no such processor, `not_owner` if it
    // runs on another node.
    caf::result<void>(retry_atom, dead_letter),
    caf::result<std::vector<processing::processor_state>>(list_atom),
    // Gives up what a processor that is not there any more has left; how many
    // events that are. `not_found` if there are none, `conflict` if there is
    // such a processor.
    caf::result<uint64_t>(drop_atom, std::string),
    // Starts nothing new, waits a little for what runs, writes what is done.
    caf::result<void>(flush_atom),
    // The same within so many milliseconds, of which the writing has its part.
    caf::result<void>(flush_atom, uint32_t)>;

/// Does the blocking work for streams and subscriptions. Detached. Local.
using subscription_worker_actor = caf::typed_actor<
    // All that there are.
    caf::result<subscription_list>(list_atom),
    // Adds a stream; `conflict`.
    caf::result<void>(append_atom, stream_definition),
    // Changes one; `not_found`, `conflict` for one that is built in.
    caf::result<void>(put_atom, stream_definition),
    // Drops one with its subscriptions; likewise.
    caf::result<void>(drop_atom, std::string),
    // Adds a subscription; `not_found` without its stream.
    caf::result<void>(append_atom, subscription_record),
    // Changes what it wants; `not_found`.
    caf::result<void>(put_atom, subscription),
    // Drops one; whether there was one.
    caf::result<bool>(drop_atom, uuid),
    // One with how far it is; `not_found`.
    caf::result<subscription_record>(find_atom, uuid),
    // One transaction; one answer a report.
    caf::result<report_results>(save_atom, report_batch),
    // Attempts of a subscription before the one with the second id (nil: from
    // the newest), newest first.
    caf::result<delivery_list>(page_atom, uuid, uuid, uint32_t)>;

/// Writes down what all senders did, many senders' in one transaction. Local.
using delivery_recorder_actor = caf::typed_actor<
    // Answers once it is durable; `not_owner` if it was not written because
    // another node has the subscription by now.
    caf::result<void>(save_atom, delivery_report)>;

/// Delivers to one subscription. Local.
using delivery_sender_actor = caf::typed_actor<
    // What it works for is different from now on.
    caf::result<void>(put_atom, delivery_order),
    // A piece of the log from its follower of that number.
    caf::result<void>(page_atom, uint64_t, log_range_ptr),
    // One of its requests has ended.
    caf::result<void>(done_atom, delivery_end_ptr),
    // Look whether the subscription is this node's.
    caf::result<void>(tick_atom),
    // Answers with how an event that is made up for it was received.
    caf::result<delivery_test>(test_atom),
    // Answers once the replay is taken up; it goes on after a restart.
    caf::result<replay_answer>(replay_atom, replay_request),
    // Starts nothing more; answers once nothing is under way and all is saved.
    caf::result<void>(flush_atom)>;

/// Knows all streams and subscriptions and keeps a sender for each. Local.
using subscriptions_actor = caf::typed_actor<
    // Streams: `conflict`, `not_found`.
    caf::result<stream_definition>(append_atom, stream_definition),
    caf::result<stream_definition>(put_atom, std::string, stream_change),
    caf::result<void>(drop_atom, std::string),
    // One that may have been made elsewhere: `not_found` if the store, read
    // after this was asked, has none of that name; an error that passes if it
    // can't be read.
    caf::result<stream_definition>(find_atom, std::string),
    // The subscriptions of a stream, oldest first.
    caf::result<subscription_views>(list_atom, std::string),
    // One of them.
    caf::result<subscription_view>(find_atom, std::string, uuid),
    // Makes one, whose secret the answer has.
    caf::result<subscription_view>(append_atom, new_subscription),
    // Changes one; the answer has the new secret, if there is one.
    caf::result<subscription_view>(put_atom, std::string, uuid,
                                   subscription_change),
    caf::result<void>(drop_atom, std::string, uuid),
    // As its sender has them.
    caf::result<delivery_test>(test_atom, std::string, uuid),
    caf::result<replay_answer>(replay_atom, std::string, uuid, replay_request),
    // As the worker has it.
    caf::result<delivery_list>(page_atom, std::string, uuid, uuid, uint32_t),
    // A dead letter of a subscription: deliver its event once more. Answers
    // once that is written down.
    caf::result<void>(retry_atom, dead_letter),
    // From a sender: the endpoint wants nothing any more, for this reason.
    caf::result<void>(disabled_atom, uuid, std::string),
    // Look for what others have changed.
    caf::result<void>(poll_atom)>;

/// Asks on behalf of threads that are not actors. Local.
using asker_actor = caf::typed_actor<
    // Runs the job, whose answer goes where the job says.
    caf::result<void>(ask_job_ptr)>;

/// Starts, watches and restarts all of the above.
using supervisor_actor = caf::typed_actor<
    // Answers once everybody has been started.
    caf::result<void>(ready_atom),
    // One more child, which is started now.
    caf::result<void>(put_atom, child_spec_ptr),
    // Ends everything in order: edges, the writer's flush, readers, spool.
    // Answers once all are gone, or after so many milliseconds.
    caf::result<void>(stop_atom, uint32_t)>;

} // namespace eventweft
