// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/insert.hpp"

#include "persistence/sqlite/details.hpp"
#include "persistence/sqlite/rows.hpp"
#include "persistence/sqlite/thread_tables.hpp"

#include <stdexcept>

namespace eventweft::sqlite {
namespace {

// Texts are bound as blobs, which SQLiteCpp takes without a copy.
constexpr std::string_view insert_sql =
    "INSERT INTO events (seq, id, created_at, processed_at, "
    "processing_duration, correlation_id, parent_event_id, priority, platform, "
    "event_id, event_type, source_id, source_name, actor_id, actor_name, "
    "metadata, payload, payload_raw, event_key) VALUES (?, ?, ?, ?, ?, ?, ?, "
    "CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), "
    "CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), "
    "CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?)";

void insert_details(database& db, const event& e, seq_t seq) {
  if (e.details.empty())
    return;
  for (const auto& table : detail_tables) {
    const auto& json = e.details.*table.member;
    if (json.empty())
      continue;
    auto& insert = db.prepared(table.insert);
    insert.bind(1, static_cast<int64_t>(seq));
    insert.bind(2, to_string(e.id));
    insert.bind(3, to_rfc3339(e.created_at));
    bind_text(insert, 4, json);
    insert.exec();
  }
}

} // namespace

std::optional<error> insert_one(database& db, const event& e,
                                const std::optional<uuid>& thread,
                                const std::optional<uuid>& parent, seq_t seq,
                                int64_t key) {
  try {
    auto& insert = db.prepared(insert_sql);
    bind_event(insert, e, thread, parent, seq, key);
    insert.exec();
    insert_details(db, e, seq);
  } catch (const SQLite::Exception&) {
    auto failed = translate_exception();
    if (failed.code != ec::row_refused)
      throw;
    return failed;
  }
  return std::nullopt;
}

void let_go_of_payloads(database& db) {
  db.prepared(insert_sql);
}

std::vector<event_ptr>
write_joined(database& db, correlation::thread_changes& changes,
             std::map<uuid, thread_batch::growth_detail> details, timestamp now,
             seq_t& head) {
  thread_batch::make_storable(changes);
  auto merges = thread_batch::merge_events(changes.merges, now, head + 1);
  thread_batch::count_merges(merges, changes, details);
  thread_tables{db}.write(changes, details);
  for (const auto& m : merges)
    if (const auto failed =
            insert_one(db, *m, m->correlation_id, m->parent_event_id, ++head,
                       event_key(m->platform, m->event_id)))
      throw std::runtime_error{failed->message};
  let_go_of_payloads(db);
  return merges;
}

} // namespace eventweft::sqlite
