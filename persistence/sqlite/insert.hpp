// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "persistence/sqlite/database.hpp"
#include "persistence/thread_batch.hpp"

#include <map>
#include <optional>
#include <vector>

namespace eventweft::sqlite {

/// Stores one event that is new, with its details, under the number `seq`;
/// why not, if the engine refuses one of its rows: the others may be there
/// then, so the transaction is to be given up. (A savepoint an event would
/// cost a copy of every page that it changes.) Throws for all other failures.
std::optional<error> insert_one(database& db, const event& e,
                                const std::optional<uuid>& thread,
                                const std::optional<uuid>& parent, seq_t seq,
                                int64_t key);

/// To be called after the last `insert_one`: the statement holds views of the
/// caller's payloads.
void let_go_of_payloads(database& db);

/// Writes what joining a batch came to, with an event for each merge; `head`
/// is the last number given out, and goes on. The caller stores it.
std::vector<event_ptr>
write_joined(database& db, correlation::thread_changes& changes,
             std::map<uuid, thread_batch::growth_detail> details, timestamp now,
             seq_t& head);

} // namespace eventweft::sqlite
