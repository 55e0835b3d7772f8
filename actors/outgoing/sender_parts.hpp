// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/outgoing/delivery_sender.hpp"
#include "delivery/message.hpp"
#include "delivery/verdict.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What a sender puts together; no state.
namespace eventweft {

/// "subscription:<id>": its work for `ownership`, its origin as a dead letter.
std::string work_of(const subscription& s);

/// "subscription:kafka": what a node must run to be given such work.
std::string work_kind_of(subscription_type type);

/// What its sender does with it, if it has it: "delivering", "paused",
/// "disabled".
const char* state_of(const subscription& s) noexcept;

/// What the subscription does not say comes from `base`.
delivery::queue_options queue_options_of(const subscription& s,
                                         delivery::queue_options base);

/// Secrets that can't be read are left out; they were checked when they came.
delivery::endpoint endpoint_of(const subscription& s,
                               std::chrono::milliseconds timeout);

/// The start of an answer as text that every store takes.
std::string readable_start(std::string_view bytes, size_t most);

/// For a test delivery: an event that is in no log.
event_ptr test_event(const subscription& s, timestamp now,
                     random_source& random);

/// The request for an event: signed for a webhook; with the key that keeps a
/// thread's events together for a queue, which is also told of a replay by the
/// moment it was asked for.
outgoing::request request_for(const subscription& s,
                              const delivery::endpoint& to, const event_ptr& ev,
                              timestamp now, timestamp again = {});

/// A row for one attempt, without what becomes of the event.
delivery_attempt attempt_row(const subscription& s, const event& ev,
                             const delivery_end& end,
                             const delivery::verdict& v, size_t kept_bytes,
                             uuid id);

/// The last row of an event that was given up before attempt `number` was made.
delivery_attempt row_without_attempt(const subscription& s, const event& ev,
                                     uint32_t number, std::string reason,
                                     timestamp at, uuid id);

} // namespace eventweft
