// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/threads.hpp"

#include "codec/json_text.hpp"
#include "messages/time.hpp"
#include "persistence/sqlite/insert.hpp"
#include "persistence/sqlite/rows.hpp"
#include "persistence/sqlite/thread_tables.hpp"
#include "persistence/thread_batch.hpp"
#include "persistence/thread_reading.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace eventweft::sqlite {
namespace {

/// The members of a JSON array of plain texts.
std::vector<std::string> read_platforms(std::string_view json) {
  std::vector<std::string> out;
  for (size_t at = 0;;) {
    const auto begin = json.find('"', at);
    const auto end = begin == json.npos ? json.npos : json.find('"', begin + 1);
    if (end == json.npos)
      return out;
    out.emplace_back(json.substr(begin + 1, end - begin - 1));
    at = end + 1;
  }
}

thread_summary read_summary(SQLite::Statement& q) {
  thread_summary s;
  s.id = read_uuid(q.getColumn(0));
  s.events = static_cast<uint64_t>(q.getColumn(1).getInt64());
  s.last_seq = q.getColumn(2).getInt64();
  s.first = read_time(q.getColumn(3));
  s.last = read_time(q.getColumn(4));
  s.platforms = read_platforms(q.getColumn(5).getText(""));
  return s;
}

std::vector<thread_key> read_keys(database& db, const uuid& thread,
                                  size_t limit) {
  static const std::string sql =
      "SELECT key, owner_event_id, links, mentions, last_seen "
      "FROM correlation_keys WHERE thread_id = ?" +
      std::string{thread_reading::key_order} + " LIMIT ?";
  auto& q = db.prepared(sql);
  q.bind(1, to_string(thread));
  q.bind(2, static_cast<int64_t>(limit));
  std::vector<thread_key> out;
  while (q.executeStep()) {
    thread_key k;
    k.key = q.getColumn(0).getString();
    if (!q.getColumn(1).isNull())
      k.owner = read_uuid(q.getColumn(1));
    k.links = static_cast<uint64_t>(q.getColumn(2).getInt64());
    k.mentions = static_cast<uint64_t>(q.getColumn(3).getInt64());
    k.last_seen = read_time(q.getColumn(4));
    out.push_back(std::move(k));
  }
  q.reset();
  return out;
}

void add_links(database& db, const uuid& event, std::vector<thread_link>& out) {
  static const std::string sql =
      "SELECT " + std::string{thread_reading::link_columns} +
      " FROM event_correlations c WHERE c.source_event_id = ? "
      "ORDER BY c.correlation_key";
  auto& q = db.prepared(sql);
  q.bind(1, to_string(event));
  while (q.executeStep()) {
    thread_link l;
    l.event = read_uuid(q.getColumn(0));
    l.key = q.getColumn(1).getString();
    l.type = q.getColumn(2).getString();
    l.confidence = static_cast<float>(q.getColumn(3).getDouble());
    l.state = q.getColumn(4).getString();
    l.rule = q.getColumn(5).getString();
    l.field = q.getColumn(6).getString();
    l.matched = q.getColumn(7).getString();
    if (!q.getColumn(8).isNull())
      l.target = read_uuid(q.getColumn(8));
    out.push_back(std::move(l));
  }
  q.reset();
}

void add_participants(database& db, const uuid& thread,
                      std::vector<thread_participant>& out) {
  // The name is that of the row which the maximum is from.
  auto& q = db.prepared(
      "SELECT platform, "
      "CASE WHEN actor_id <> '' THEN actor_id ELSE actor_name END AS who, "
      "actor_name, count(*) AS n, "
      "max(CASE WHEN actor_name <> '' THEN seq ELSE 0 END) "
      "FROM events WHERE correlation_id = ? "
      "AND (actor_id <> '' OR actor_name <> '') "
      "GROUP BY platform, who ORDER BY n DESC, platform, who LIMIT ?");
  q.bind(1, to_string(thread));
  q.bind(2, static_cast<int64_t>(thread_reading::story_participants));
  while (q.executeStep()) {
    thread_participant p;
    p.platform = q.getColumn(0).getString();
    p.id = q.getColumn(1).getString();
    p.name = q.getColumn(2).getString();
    p.events = static_cast<uint64_t>(q.getColumn(3).getInt64());
    out.push_back(std::move(p));
  }
  q.reset();
}

std::optional<uuid> one_id(SQLite::Statement& q) {
  std::optional<uuid> found;
  if (q.executeStep())
    found = read_uuid(q.getColumn(0));
  q.reset();
  return found;
}

} // namespace

expected<std::vector<std::pair<std::string, std::string>>>
threads::facts(size_t limit) {
  using result_t = expected<std::vector<std::pair<std::string, std::string>>>;
  return database_.call([&](database& db) -> result_t {
    auto& q = db.prepared("SELECT fact, value FROM correlation_facts "
                          "WHERE fact NOT GLOB 'git:pr:*' "
                          "ORDER BY learned_at DESC LIMIT ?");
    q.bind(1, static_cast<int64_t>(limit));
    std::vector<std::pair<std::string, std::string>> out;
    while (q.executeStep())
      out.emplace_back(q.getColumn(0).getString(), q.getColumn(1).getString());
    q.reset();
    return out;
  });
}

expected<std::optional<std::string>> threads::fact(const std::string& name) {
  using result_t = expected<std::optional<std::string>>;
  return database_.call([&](database& db) -> result_t {
    const auto found =
        thread_tables{db}.find_facts(std::span<const std::string>{&name, 1});
    if (!found)
      return fail(found.error());
    if (found->empty())
      return std::nullopt;
    return found->front().value;
  });
}

expected<std::vector<std::string>> threads::keys_like(const std::string& prefix,
                                                      const std::string& suffix,
                                                      size_t limit) {
  return database_.call([&](database& db)
                            -> expected<std::vector<std::string>> {
    auto& q = db.prepared(
        "SELECT key FROM correlation_keys WHERE key >= ?1 AND key < ?2 "
        "AND (?3 = '' OR substr(key, -length(?3)) = ?3) ORDER BY key LIMIT ?4");
    q.bind(1, prefix);
    q.bind(2, thread_batch::behind_prefix(prefix));
    q.bind(3, suffix);
    q.bind(4, static_cast<int64_t>(limit));
    std::vector<std::string> out;
    while (q.executeStep())
      out.push_back(q.getColumn(0).getString());
    q.reset();
    return out;
  });
}

expected<std::optional<uuid>> threads::thread_of(const uuid& id) {
  using result_t = expected<std::optional<uuid>>;
  return database_.call([&](database& db) -> result_t {
    const auto found =
        thread_tables{db}.find_threads(std::span<const uuid>{&id, 1});
    if (!found)
      return fail(found.error());
    if (found->empty())
      return std::nullopt;
    return found->front().thread;
  });
}

expected<std::optional<uuid>> threads::thread_of(const std::string& key) {
  using result_t = expected<std::optional<uuid>>;
  return database_.call([&](database& db) -> result_t {
    auto& q =
        db.prepared("SELECT thread_id FROM correlation_keys WHERE key = ?");
    q.bind(1, thread_batch::storable_key(key));
    return one_id(q);
  });
}

expected<std::optional<uuid>> threads::thread_with_id(const uuid& id) {
  using result_t = expected<std::optional<uuid>>;
  return database_.call([&](database& db) -> result_t {
    auto& q = db.prepared(
        "SELECT t.id FROM correlation_threads t WHERE t.id = coalesce((SELECT "
        "thread_id FROM correlation_merges WHERE old_id = ?1), ?1)");
    binder{q} << id;
    return one_id(q);
  });
}

expected<std::optional<event_ptr>> threads::find(const uuid& event) {
  using result_t = expected<std::optional<event_ptr>>;
  return database_.call(
      [&](database& db) -> result_t { return find_event(db, event); });
}

expected<std::vector<event_ptr>> threads::linked_by(const uuid& thread,
                                                    const std::string& key,
                                                    const thread_page& page) {
  static const std::string sql =
      "SELECT " + std::string{event_columns} +
      " FROM (SELECT * FROM events WHERE correlation_id = ?1 "
      "ORDER BY seq DESC LIMIT ?3) e WHERE EXISTS (SELECT 1 "
      "FROM event_correlations c WHERE c.source_event_id = e.id "
      "AND c.correlation_key = ?2 AND c.state = 'linked') "
      "ORDER BY seq DESC LIMIT ?4";
  return database_.call([&](database& db) -> expected<std::vector<event_ptr>> {
    auto& q = db.prepared(sql);
    binder{q} << thread << thread_batch::storable_key(key)
              << static_cast<int64_t>(thread_reading::newest_events)
              << static_cast<int64_t>(page.limit);
    std::vector<event_ptr> out;
    for (uint64_t bytes = 0; bytes < page.max_bytes && q.executeStep();) {
      out.push_back(read_event(q));
      bytes += out.back()->payload.size();
    }
    q.reset();
    return out;
  });
}

expected<std::optional<thread_story>> threads::read(const uuid& thread,
                                                    const thread_page& page) {
  static const std::string events_sql =
      "SELECT " + std::string{event_columns} +
      " FROM events WHERE correlation_id = ? AND seq > ? AND seq <= ? "
      "ORDER BY seq LIMIT ?";
  static const std::string states_sql =
      "SELECT " + std::string{event_columns} +
      " FROM (SELECT n.at, row_number() OVER (PARTITION BY " +
      std::string{thread_reading::thing_columns} +
      " ORDER BY n.at DESC) AS nth FROM ("
      "SELECT seq AS at, source_name AS source FROM events "
      "WHERE correlation_id = ? AND event_type GLOB ? || '*' AND seq <= ? "
      "ORDER BY seq DESC LIMIT ?) n "
      "LEFT JOIN github_events g ON g.event_seq = n.at "
      "LEFT JOIN linear_events l ON l.event_seq = n.at "
      "LEFT JOIN deployment_events d ON d.event_seq = n.at) r "
      "JOIN events ON seq = r.at WHERE r.nth <= ? "
      "ORDER BY r.nth, r.at DESC LIMIT ?";
  using result_t = expected<std::optional<thread_story>>;
  return database_.call([&](database& db) -> result_t {
    // One view of all its tables. Whoever goes on from an event that is not
    // durable yet could miss others.
    const read_transaction view{db};
    const auto shown = static_cast<int64_t>(sync_->shown());
    const auto id = to_string(thread);
    auto& found = db.prepared(
        "SELECT id, event_count, last_seq, first_event_at, last_event_at, "
        "platforms FROM correlation_threads WHERE id = ?");
    found.bind(1, id);
    if (!found.executeStep()) {
      found.reset();
      return std::nullopt;
    }
    thread_story story;
    story.summary = read_summary(found);
    found.reset();
    auto& former =
        db.prepared("SELECT old_id FROM correlation_merges WHERE thread_id = ? "
                    "ORDER BY merged_at, old_id LIMIT 1000");
    former.bind(1, id);
    while (former.executeStep())
      story.former.push_back(read_uuid(former.getColumn(0)));
    former.reset();
    story.keys = read_keys(db, thread, thread_reading::story_keys);
    for (size_t i = 0;
         i < std::min(thread_reading::summary_keys, story.keys.size()); ++i)
      story.summary.keys.push_back(story.keys[i].key);
    auto& events = db.prepared(events_sql);
    events.bind(1, id);
    events.bind(2, static_cast<int64_t>(page.after));
    events.bind(3, shown);
    events.bind(4, static_cast<int64_t>(page.limit) + 1);
    for (uint64_t bytes = 0; events.executeStep();) {
      if (story.events.size() == page.limit ||
          (!story.events.empty() && bytes >= page.max_bytes)) {
        if (!story.events.empty())
          story.next = story.events.back()->seq;
        break;
      }
      story.events.push_back(read_event(events));
      bytes += story.events.back()->payload.size();
    }
    events.reset();
    for (const auto& e : story.events)
      add_links(db, e->id, story.links);
    add_participants(db, thread, story.participants);
    for (const auto type : thread_reading::state_types) {
      auto& states = db.prepared(states_sql);
      states.bind(1, id);
      states.bind(2, std::string{type});
      states.bind(3, shown);
      states.bind(4, static_cast<int64_t>(thread_reading::newest_events));
      states.bind(5, static_cast<int64_t>(thread_reading::state_events));
      states.bind(6, static_cast<int64_t>(thread_reading::most_states));
      const auto most = thread_reading::state_bytes(page.max_bytes);
      for (uint64_t bytes = 0; bytes < most && states.executeStep();) {
        story.states.push_back(read_event(states));
        bytes += story.states.back()->payload.size();
      }
      states.reset();
    }
    std::ranges::sort(story.states, std::ranges::greater{},
                      [](const event_ptr& e) { return e->seq; });
    return story;
  });
}

expected<std::vector<thread_summary>> threads::recent(const thread_query& q) {
  using result_t = expected<std::vector<thread_summary>>;
  return database_.call([&](database& db) -> result_t {
    auto& rows = db.prepared(
        "SELECT id, event_count, last_seq, first_event_at, last_event_at, "
        "platforms FROM correlation_threads "
        "WHERE (?1 = 0 OR last_seq < ?1) AND (?2 = '[]' OR EXISTS (SELECT 1 "
        "FROM json_each(platforms) p WHERE p.value IN "
        "(SELECT value FROM json_each(?2)))) "
        "ORDER BY last_seq DESC LIMIT ?3");
    rows.bind(1, static_cast<int64_t>(q.before));
    std::string platforms = "[";
    for (const auto& name : q.platforms) {
      if (platforms.size() > 1)
        platforms += ',';
      codec::append_quoted(platforms, name);
    }
    rows.bind(2, platforms + "]");
    rows.bind(3, static_cast<int64_t>(q.limit) + 1);
    std::vector<thread_summary> out;
    while (rows.executeStep())
      out.push_back(read_summary(rows));
    rows.reset();
    for (auto& s : out)
      for (auto& k : read_keys(db, s.id, thread_reading::summary_keys))
        s.keys.push_back(std::move(k.key));
    return out;
  });
}

expected<std::vector<thread_link>> threads::evidence(const uuid& event) {
  using result_t = expected<std::vector<thread_link>>;
  return database_.call([&](database& db) -> result_t {
    std::vector<thread_link> out;
    add_links(db, event, out);
    return out;
  });
}

expected<std::optional<backfill_state>> threads::backfill() {
  using result_t = expected<std::optional<backfill_state>>;
  return database_.call([&](database& db) -> result_t {
    auto& q = db.prepared("SELECT last_seq, until_seq, rules, after_seq FROM "
                          "correlation_backfill");
    std::optional<backfill_state> found;
    if (q.executeStep())
      found = {q.getColumn(0).getInt64(), q.getColumn(1).getInt64(),
               q.getColumn(2).getString(), q.getColumn(3).getInt64()};
    q.reset();
    return found;
  });
}

expected<void>
threads::set_backfill(const std::optional<backfill_state>& state) {
  return database_.call([&](database& db) -> expected<void> {
    write_transaction tx{db};
    db.prepared("DELETE FROM correlation_backfill").exec();
    if (state) {
      auto& q = db.prepared("INSERT INTO correlation_backfill (only_row, "
                            "last_seq, until_seq, rules, after_seq) "
                            "VALUES (1, ?, ?, ?, ?)");
      q.bind(1, static_cast<int64_t>(state->last_seq));
      q.bind(2, static_cast<int64_t>(state->until_seq));
      q.bind(3, state->rules);
      q.bind(4, static_cast<int64_t>(state->after_seq));
      q.exec();
    }
    tx.commit();
    return {};
  });
}

expected<thread_report> threads::rejoin(std::span<const rejoined_event> events,
                                        seq_t done, timestamp now) {
  return database_.call([&](database& db) -> expected<thread_report> {
    write_transaction tx{db};
    thread_report report;
    seq_t head = 0;
    if (!events.empty()) {
      thread_tables tables{db};
      const auto stored = tables.find_events(thread_batch::ids_of(events));
      if (!stored)
        return fail(stored.error());
      const auto inputs = thread_batch::still_there(events, *stored);
      auto joined = correlation::join(tables, inputs, limits_);
      if (!joined)
        return fail(std::move(joined.error()));
      auto& head_row = db.prepared("SELECT last_seq FROM log_head");
      head_row.executeStep();
      head = head_row.getColumn(0).getInt64();
      head_row.reset();
      auto merges = write_joined(db, joined->changes, {}, now, head);
      auto& update = db.prepared("UPDATE log_head SET last_seq = ?, "
                                 "thread_version = thread_version + 1");
      update.bind(1, static_cast<int64_t>(head));
      update.exec();
      report = thread_batch::report_of(*joined, std::move(merges));
    }
    auto& note = db.prepared("UPDATE correlation_backfill SET last_seq = ?");
    note.bind(1, static_cast<int64_t>(done));
    note.exec();
    tx.commit();
    // With what others had left to be made so.
    sync_->synced(head);
    return report;
  });
}

} // namespace eventweft::sqlite
