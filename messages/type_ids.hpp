// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"
#include "messages/flow.hpp"
#include "messages/live.hpp"
#include "messages/processing.hpp"
#include "messages/subscription.hpp"
#include "messages/webhook.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/is_error_code_enum.hpp>
#include <caf/type_id.hpp>

#include <functional>
#include <vector>

namespace eventweft {

/// A closure for an asker (`app/`). Local only.
struct ask_job;
using ask_job_ptr = std::shared_ptr<ask_job>;

/// How the supervisor makes a child (`actors/`). Local only.
struct child_spec;
using child_spec_ptr = std::shared_ptr<child_spec>;

/// Something that an actor does between its messages. Local only.
struct local_call {
  std::function<void()> run;
};

} // namespace eventweft

/// The one block of type ids. **Append only**: the numbers travel between
/// nodes. A type that is no longer used keeps its line, marked "retired".
/// Each type has its inspector in `messages/inspect.hpp` and a round trip in
/// `tests/unit/messages/round_trip_test.cpp`, unless it is marked local.
CAF_BEGIN_TYPE_ID_BLOCK(eventweft, caf::first_custom_type_id)

CAF_ADD_TYPE_ID(eventweft, (eventweft::ec))
CAF_ADD_TYPE_ID(eventweft, (eventweft::error))
CAF_ADD_TYPE_ID(eventweft, (eventweft::uuid))
CAF_ADD_TYPE_ID(eventweft, (eventweft::timestamp))
CAF_ADD_TYPE_ID(eventweft, (eventweft::priority))
CAF_ADD_TYPE_ID(eventweft, (eventweft::shared_text))
CAF_ADD_TYPE_ID(eventweft, (eventweft::event))
CAF_ADD_TYPE_ID(eventweft, (eventweft::event_ptr))
CAF_ADD_TYPE_ID(eventweft, (eventweft::log_range))
CAF_ADD_TYPE_ID(eventweft, (eventweft::log_range_ptr))
CAF_ADD_TYPE_ID(eventweft, (eventweft::append_outcome))
CAF_ADD_TYPE_ID(eventweft, (eventweft::append_result))
CAF_ADD_TYPE_ID(eventweft, (eventweft::append_results))
CAF_ADD_TYPE_ID(eventweft, (eventweft::event_batch))
CAF_ADD_TYPE_ID(eventweft, (eventweft::page_request))
CAF_ADD_TYPE_ID(eventweft, (eventweft::filter))
CAF_ADD_TYPE_ID(eventweft, (eventweft::start_point))
CAF_ADD_TYPE_ID(eventweft, (eventweft::event_query))
CAF_ADD_TYPE_ID(eventweft, (eventweft::event_page))
CAF_ADD_TYPE_ID(eventweft, (eventweft::webhook))
CAF_ADD_TYPE_ID(eventweft, (eventweft::webhook_ptr))
CAF_ADD_TYPE_ID(eventweft, (eventweft::webhook_answer))
CAF_ADD_TYPE_ID(eventweft, (eventweft::dead_letter))
CAF_ADD_TYPE_ID(eventweft, (std::vector<eventweft::dead_letter>))
CAF_ADD_TYPE_ID(eventweft, (eventweft::spool_state))
CAF_ADD_TYPE_ID(eventweft, (eventweft::join_answer))

// Local: they hold what lives in this process only.
CAF_ADD_TYPE_ID(eventweft, (eventweft::join_request))
CAF_ADD_TYPE_ID(eventweft, (eventweft::ask_job_ptr))

CAF_ADD_ATOM(eventweft, eventweft, ack_atom)
CAF_ADD_ATOM(eventweft, eventweft, append_atom)
CAF_ADD_ATOM(eventweft, eventweft, committed_atom)
CAF_ADD_ATOM(eventweft, eventweft, dead_letter_atom)
CAF_ADD_ATOM(eventweft, eventweft, drop_atom)
CAF_ADD_ATOM(eventweft, eventweft, filter_atom)
CAF_ADD_ATOM(eventweft, eventweft, find_atom)
CAF_ADD_ATOM(eventweft, eventweft, flush_atom)
CAF_ADD_ATOM(eventweft, eventweft, head_atom)
CAF_ADD_ATOM(eventweft, eventweft, join_atom)
CAF_ADD_ATOM(eventweft, eventweft, leave_atom)
CAF_ADD_ATOM(eventweft, eventweft, list_atom)
CAF_ADD_ATOM(eventweft, eventweft, next_atom)
CAF_ADD_ATOM(eventweft, eventweft, page_atom)
CAF_ADD_ATOM(eventweft, eventweft, poll_atom)
CAF_ADD_ATOM(eventweft, eventweft, query_atom)
CAF_ADD_ATOM(eventweft, eventweft, ready_atom)
CAF_ADD_ATOM(eventweft, eventweft, restart_atom)
CAF_ADD_ATOM(eventweft, eventweft, retry_atom)
CAF_ADD_ATOM(eventweft, eventweft, seek_atom)
CAF_ADD_ATOM(eventweft, eventweft, stop_atom)
CAF_ADD_ATOM(eventweft, eventweft, tick_atom)
CAF_ADD_ATOM(eventweft, eventweft, disabled_atom)
CAF_ADD_ATOM(eventweft, eventweft, done_atom)
CAF_ADD_ATOM(eventweft, eventweft, put_atom)
CAF_ADD_ATOM(eventweft, eventweft, replay_atom)
CAF_ADD_ATOM(eventweft, eventweft, save_atom)
CAF_ADD_ATOM(eventweft, eventweft, test_atom)

CAF_ADD_TYPE_ID(eventweft, (eventweft::failed_attempt))
CAF_ADD_TYPE_ID(eventweft, (eventweft::dead_letter_query))
CAF_ADD_TYPE_ID(eventweft, (eventweft::dead_letter_retry))
CAF_ADD_ATOM(eventweft, eventweft, answer_atom)

// Local: processors and their journal live in one process.
CAF_ADD_TYPE_ID(eventweft, (eventweft::processing::outcome))
CAF_ADD_TYPE_ID(eventweft, (eventweft::processing::reply))
CAF_ADD_TYPE_ID(eventweft, (eventweft::processing::write_ptr))
CAF_ADD_TYPE_ID(eventweft, (std::vector<eventweft::processing::stored_mark>))
CAF_ADD_TYPE_ID(eventweft,
                (std::vector<eventweft::processing::processor_state>))

// Local.
CAF_ADD_TYPE_ID(eventweft, (eventweft::local_call))

// Local: streams and subscriptions as rows.
CAF_ADD_TYPE_ID(eventweft, (eventweft::stream_definition))
CAF_ADD_TYPE_ID(eventweft, (eventweft::stream_change))
CAF_ADD_TYPE_ID(eventweft, (eventweft::subscription))
CAF_ADD_TYPE_ID(eventweft, (eventweft::subscription_record))
CAF_ADD_TYPE_ID(eventweft, (eventweft::subscription_list))
CAF_ADD_TYPE_ID(eventweft, (eventweft::subscription_view))
CAF_ADD_TYPE_ID(eventweft, (eventweft::subscription_views))
CAF_ADD_TYPE_ID(eventweft, (eventweft::subscription_change))
CAF_ADD_TYPE_ID(eventweft, (eventweft::new_subscription))
CAF_ADD_TYPE_ID(eventweft, (eventweft::delivery_order))
CAF_ADD_TYPE_ID(eventweft, (eventweft::delivery_end_ptr))
CAF_ADD_TYPE_ID(eventweft, (eventweft::delivery_report))
CAF_ADD_TYPE_ID(eventweft, (eventweft::report_batch))
CAF_ADD_TYPE_ID(eventweft, (eventweft::report_results))
CAF_ADD_TYPE_ID(eventweft, (eventweft::delivery_list))
CAF_ADD_TYPE_ID(eventweft, (eventweft::delivery_test))
CAF_ADD_TYPE_ID(eventweft, (eventweft::replay_request))
CAF_ADD_TYPE_ID(eventweft, (eventweft::replay_answer))
CAF_ADD_TYPE_ID(eventweft, (std::vector<eventweft::uuid>))
CAF_ADD_TYPE_ID(eventweft, (eventweft::log_mark))
CAF_ADD_ATOM(eventweft, eventweft, sync_atom)
CAF_ADD_TYPE_ID(eventweft, (std::vector<eventweft::log_mark>))
CAF_ADD_TYPE_ID(eventweft, (eventweft::places_request))
CAF_ADD_TYPE_ID(eventweft, (eventweft::places_page))
CAF_ADD_ATOM(eventweft, eventweft, relayed_atom)

// Local.
CAF_ADD_TYPE_ID(eventweft, (eventweft::relay_order))
CAF_ADD_TYPE_ID(eventweft, (eventweft::child_spec_ptr))

CAF_END_TYPE_ID_BLOCK(eventweft)

CAF_ERROR_CODE_ENUM(eventweft::ec)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::join_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::ask_job_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::child_spec_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::local_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::relay_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::processing::outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::processing::reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::processing::write_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<eventweft::processing::stored_mark>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(
    std::vector<eventweft::processing::processor_state>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::stream_definition)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::stream_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::subscription)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::subscription_record)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::subscription_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::subscription_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::subscription_views)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::subscription_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::new_subscription)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::delivery_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::delivery_end_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::delivery_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::report_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::report_results)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::delivery_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::delivery_test)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::replay_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(eventweft::replay_answer)

namespace eventweft {

/// Makes the types above known to CAF. Call it before the first
/// `caf::actor_system_config` is made; further calls do nothing. Thread-safe.
void init_message_types();

/// Our error as an actor says it: the code, its message in the context.
caf::error to_caf(const error& e);
caf::error to_caf(ec code, std::string message);

/// What an actor answered, as our error. CAF's own codes become ours:
/// `timed_out` for a request that took too long, `overloaded` for an actor
/// that is gone or restarting, `internal` for the rest.
error from_caf(const caf::error& e);

/// Whether the error says that the asked actor died before it dealt with the
/// request, so that asking its successor makes sense. An exception that the
/// request itself caused is not one of these: it would only cost the successor
/// its life as well.
bool is_actor_gone(const caf::error& e) noexcept;

} // namespace eventweft
