// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/thread_tables.hpp"

#include "codec/json_text.hpp"
#include "messages/time.hpp"
#include "persistence/sqlite/rows.hpp"

#include <stdexcept>

namespace eventweft::sqlite {
namespace {

using namespace correlation;

constexpr auto max_waiting = static_cast<int64_t>(join_limits{}.max_waiting);

uint64_t count(const SQLite::Column& c) {
  return static_cast<uint64_t>(c.getInt64());
}

int64_t number(uint64_t n) {
  return static_cast<int64_t>(n);
}

std::string json_array(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) {
    if (out.size() > 1)
      out += ',';
    codec::append_quoted(out, text);
  }
  return out + "]";
}

// Both arrays' members, each once, in order.
constexpr std::string_view grow_sql =
    "INSERT INTO correlation_threads (id, event_count, last_seq, "
    "first_event_at, last_event_at, platforms) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET "
    "event_count = event_count + excluded.event_count, "
    "last_seq = max(last_seq, excluded.last_seq), "
    "first_event_at = min(first_event_at, excluded.first_event_at), "
    "last_event_at = max(last_event_at, excluded.last_event_at), "
    "platforms = CASE WHEN platforms = excluded.platforms THEN platforms "
    "ELSE (SELECT json_group_array(value) FROM (SELECT value FROM "
    "json_each(correlation_threads.platforms) UNION SELECT value FROM "
    "json_each(excluded.platforms) ORDER BY 1)) END";

} // namespace

expected<std::vector<key_row>>
thread_tables::find_keys(std::span<const std::string> keys) {
  std::vector<key_row> out;
  for (const auto& key : keys) {
    auto& q = db_.prepared(
        "SELECT k.thread_id, k.owner_event_id, k.links, k.mentions, "
        "k.last_seen, t.event_count FROM correlation_keys k "
        "JOIN correlation_threads t ON t.id = k.thread_id WHERE k.key = ?");
    binder{q} << thread_batch::storable_key(key);
    if (q.executeStep()) {
      key_row row;
      row.key = key;
      row.thread = read_uuid(q.getColumn(0));
      if (!q.getColumn(1).isNull())
        row.owner = read_uuid(q.getColumn(1));
      row.links = count(q.getColumn(2));
      row.mentions = count(q.getColumn(3));
      row.last_seen = read_time(q.getColumn(4));
      row.thread_events = count(q.getColumn(5));
      out.push_back(std::move(row));
    }
    q.reset();
  }
  return out;
}

expected<std::vector<std::string>>
thread_tables::find_commits(std::span<const std::string> prefixes) {
  std::vector<std::string> out;
  for (const auto& prefix : prefixes) {
    // Hexadecimal digits end before "g".
    auto& q = db_.prepared("SELECT key FROM correlation_keys WHERE key >= ?1 "
                           "AND key < ?1 || 'g' AND length(key) = 48 "
                           "ORDER BY key LIMIT 2");
    binder{q} << prefix;
    while (q.executeStep())
      out.push_back(q.getColumn(0).getString());
    q.reset();
  }
  return out;
}

expected<std::vector<fact_row>>
thread_tables::find_facts(std::span<const std::string> facts) {
  std::vector<fact_row> out;
  for (const auto& fact : facts) {
    auto& q =
        db_.prepared("SELECT value FROM correlation_facts WHERE fact = ?");
    binder{q} << thread_batch::storable_key(fact);
    if (q.executeStep())
      out.push_back({fact, q.getColumn(0).getString()});
    q.reset();
  }
  return out;
}

expected<std::vector<pending_row>>
thread_tables::find_pending(std::span<const std::string> facts) {
  std::vector<pending_row> out;
  for (const auto& fact : facts) {
    auto& q = db_.prepared("SELECT event_id, event_created_at, evidence "
                           "FROM correlation_pending WHERE fact = ? "
                           "ORDER BY event_created_at DESC, event_id DESC, "
                           "key DESC LIMIT ?");
    // More can have come together in years than memory holds.
    binder{q} << thread_batch::storable_key(fact) << max_waiting;
    while (q.executeStep()) {
      pending_row row;
      row.fact = fact;
      row.event = read_uuid(q.getColumn(0));
      row.at = read_time(q.getColumn(1));
      if (auto key = thread_batch::parse_evidence(q.getColumn(2).getString())) {
        row.key = std::move(*key);
        out.push_back(std::move(row));
      }
    }
    q.reset();
  }
  return out;
}

expected<std::vector<thread_row>>
thread_tables::find_threads(std::span<const uuid> ids) {
  std::vector<thread_row> out;
  for (const auto& id : ids) {
    auto& q = db_.prepared(
        "SELECT t.id, t.event_count FROM correlation_threads t WHERE t.id = "
        "coalesce((SELECT correlation_id FROM events WHERE id = ?1), "
        "(SELECT thread_id FROM correlation_merges WHERE old_id = ?1), ?1)");
    binder{q} << id;
    if (q.executeStep())
      out.push_back({id, read_uuid(q.getColumn(0)), count(q.getColumn(1))});
    q.reset();
  }
  return out;
}

expected<std::vector<correlation::stored_row>>
thread_tables::find_events(std::span<const uuid> ids) {
  std::vector<correlation::stored_row> out;
  for (const auto& id : ids) {
    auto& q = db_.prepared("SELECT created_at, correlation_id IS NOT NULL "
                           "FROM events WHERE id = ?");
    binder{q} << id;
    if (q.executeStep())
      out.push_back(
          {id, read_time(q.getColumn(0)), q.getColumn(1).getInt() != 0});
    q.reset();
  }
  return out;
}

void thread_tables::merge(const thread_merge& m) {
  for (std::string_view sql :
       {"UPDATE correlation_keys SET thread_id = ?2 WHERE thread_id = ?1",
        "UPDATE events SET correlation_id = ?2 WHERE correlation_id = ?1",
        "UPDATE correlation_merges SET thread_id = ?2 WHERE thread_id = ?1",
        "INSERT INTO correlation_merges (old_id, thread_id) VALUES (?1, ?2)",
        "UPDATE correlation_threads SET "
        "event_count = correlation_threads.event_count + o.event_count, "
        "last_seq = max(correlation_threads.last_seq, o.last_seq), "
        "first_event_at = min(correlation_threads.first_event_at, "
        "o.first_event_at), "
        "last_event_at = max(correlation_threads.last_event_at, "
        "o.last_event_at), "
        "platforms = (SELECT json_group_array(value) FROM (SELECT value FROM "
        "json_each(correlation_threads.platforms) UNION SELECT value FROM "
        "json_each(o.platforms) ORDER BY 1)) "
        "FROM (SELECT event_count, last_seq, first_event_at, last_event_at, "
        "platforms FROM correlation_threads WHERE id = ?1) o "
        "WHERE correlation_threads.id = ?2"}) {
    auto& q = db_.prepared(sql);
    binder{q} << m.from << m.into;
    q.exec();
  }
  auto& gone = db_.prepared("DELETE FROM correlation_threads WHERE id = ?");
  binder{gone} << m.from;
  gone.exec();
}

void thread_tables::adopt(const membership& m) {
  auto& event = db_.prepared("UPDATE events SET correlation_id = ?2 "
                             "WHERE id = ?1");
  binder{event} << m.event << m.thread;
  event.exec();
  auto& thread = db_.prepared(
      "UPDATE correlation_threads SET "
      "last_seq = max(correlation_threads.last_seq, e.seq), "
      "platforms = (SELECT json_group_array(value) FROM (SELECT value FROM "
      "json_each(correlation_threads.platforms) UNION SELECT e.platform "
      "ORDER BY 1)) "
      "FROM (SELECT seq, platform FROM events WHERE id = ?1) e "
      "WHERE correlation_threads.id = ?2");
  binder{thread} << m.event << m.thread;
  thread.exec();
}

void thread_tables::write(
    const thread_changes& changes,
    const std::map<uuid, thread_batch::growth_detail>& details) {
  for (const auto& m : changes.merges)
    merge(m);
  for (const auto& g : changes.growth) {
    const auto found = details.find(g.thread);
    const auto detail =
        found == details.end() ? thread_batch::growth_detail{} : found->second;
    auto& q = db_.prepared(grow_sql);
    binder{q} << g.thread << number(g.events)
              << static_cast<int64_t>(detail.last_seq) << g.first << g.last
              << json_array(detail.platforms);
    q.exec();
  }
  for (const auto& k : changes.keys) {
    auto& q = db_.prepared(
        "INSERT INTO correlation_keys (key, thread_id, owner_event_id, links, "
        "mentions, last_seen) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET thread_id = excluded.thread_id, "
        "owner_event_id = coalesce(excluded.owner_event_id, owner_event_id), "
        "links = links + excluded.links, "
        "mentions = mentions + excluded.mentions, "
        "last_seen = max(last_seen, excluded.last_seen)");
    binder b{q};
    b << k.key << k.thread;
    k.owner.is_nil() ? b.null() : b << k.owner;
    b << number(k.links) << number(k.mentions) << k.last_seen;
    q.exec();
  }
  for (const auto& m : changes.members)
    if (m.adopted)
      adopt(m);
  for (const auto& f : changes.facts) {
    auto& q = db_.prepared("INSERT INTO correlation_facts (fact, value) "
                           "VALUES (?, ?) ON CONFLICT (fact) DO NOTHING");
    binder{q} << f.fact << f.value;
    q.exec();
  }
  for (const auto& p : changes.pending) {
    auto& q =
        db_.prepared("INSERT INTO correlation_pending (fact, event_id, key, "
                     "event_created_at, evidence) VALUES (?, ?, ?, ?, ?) "
                     "ON CONFLICT (fact, event_id, key) DO UPDATE SET "
                     "evidence = excluded.evidence");
    binder{q} << p.fact << p.event << p.key.key << p.at
              << thread_batch::evidence_json(p.key);
    q.exec();
  }
  for (const auto& p : changes.resolved) {
    auto& waits = db_.prepared("DELETE FROM correlation_pending "
                               "WHERE fact = ? AND event_id = ? AND key = ?");
    binder{waits} << p.fact << p.event << p.key.key;
    waits.exec();
    auto& evidence =
        db_.prepared("DELETE FROM event_correlations WHERE source_event_id = ? "
                     "AND correlation_key = ? AND state = 'pending'");
    binder{evidence} << p.event << p.key.key;
    evidence.exec();
  }
  for (const auto& p : changes.parents) {
    auto& q = db_.prepared("UPDATE events SET parent_event_id = ?2 "
                           "WHERE id = ?1 AND parent_event_id IS NULL");
    binder{q} << p.event << p.parent;
    q.exec();
  }
  for (const auto& l : changes.links) {
    auto& q = db_.prepared(
        "INSERT INTO event_correlations (source_event_id, correlation_key, "
        "correlation_type, confidence_score, state, rule, field, matched) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (source_event_id, correlation_key) DO UPDATE SET "
        "correlation_type = excluded.correlation_type, "
        "confidence_score = excluded.confidence_score, "
        "state = excluded.state, rule = excluded.rule, "
        "field = excluded.field, matched = excluded.matched");
    binder{q} << l.event << l.key.key << to_string(l.key.type)
              << static_cast<double>(l.key.confidence) << to_string(l.why)
              << l.key.rule << l.key.field << l.key.matched;
    q.exec();
  }
}

} // namespace eventweft::sqlite
