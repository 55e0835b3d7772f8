// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/threads.hpp"

#include "persistence/postgres/joined_append.hpp"
#include "persistence/postgres/rows.hpp"
#include "persistence/thread_batch.hpp"
#include "persistence/thread_reading.hpp"

#include <algorithm>

namespace eventweft::postgres {
namespace {

using retry = connection::retry;

const std::string summary_columns =
    "t.id, t.event_count, t.last_seq, t.first_event_at, t.last_event_at, "
    "t.platforms";

thread_summary read_summary(const pqxx::row& row) {
  thread_summary s;
  s.id = read_uuid(row[0].view());
  s.events = static_cast<uint64_t>(row[1].as<int64_t>());
  s.last_seq = row[2].as<seq_t>();
  s.first = read_time(row[3].view());
  s.last = read_time(row[4].view());
  s.platforms = read_texts(row[5]);
  return s;
}

thread_link read_link(const pqxx::row& row) {
  thread_link l;
  l.event = read_uuid(row[0].view());
  l.key = row[1].view();
  l.type = row[2].view();
  l.confidence = row[3].as<float>();
  l.state = row[4].view();
  l.rule = row[5].view();
  l.field = row[6].view();
  l.matched = row[7].view();
  l.target = maybe_uuid(row[8]);
  return l;
}

/// The events of a page, and whether it has its bytes with that one. Not what
/// is not durable yet: whoever goes on from there could miss others.
const std::string page_sql =
    "SELECT " + std::string{event_columns} +
    ", upto >= $4::bigint FROM (SELECT " + std::string{event_columns} +
    ", payload_bytes, sum(payload_bytes::bigint) OVER (ORDER BY seq "
    "ROWS UNBOUNDED PRECEDING) AS upto FROM events WHERE correlation_id = $1 "
    "AND seq > $2 AND seq <= (SELECT d.seq FROM log_durable d) "
    "ORDER BY seq LIMIT $3) page "
    "WHERE upto - payload_bytes < $4::bigint ORDER BY seq";

/// Of each beginning of a type the newest of each thing, as long as there is
/// room for bytes; the newest of all things first.
const std::string states_sql =
    "SELECT " + std::string{event_columns} +
    " FROM unnest($2::text[]) AS t (type) CROSS JOIN LATERAL ("
    "SELECT r.at, r.made, r.bytes, sum(r.bytes) OVER (ORDER BY r.nth, r.at "
    "DESC "
    "ROWS UNBOUNDED PRECEDING) AS upto FROM ("
    "SELECT n.at, n.made, n.bytes, row_number() OVER (PARTITION BY " +
    std::string{thread_reading::thing_columns} +
    " ORDER BY n.at DESC) AS nth FROM ("
    "SELECT seq AS at, created_at AS made, payload_bytes::bigint AS bytes, "
    "source_name AS source FROM events WHERE correlation_id = $1 "
    "AND starts_with(event_type, t.type) "
    "AND seq <= (SELECT d.seq FROM log_durable d) "
    "ORDER BY seq DESC LIMIT $5) n "
    "LEFT JOIN github_events g "
    "ON g.event_seq = n.at AND g.created_at = n.made "
    "LEFT JOIN linear_events l "
    "ON l.event_seq = n.at AND l.created_at = n.made "
    "LEFT JOIN deployment_events d "
    "ON d.event_seq = n.at AND d.created_at = n.made) r "
    "WHERE r.nth <= $3 ORDER BY r.nth, r.at DESC LIMIT $6) s "
    "JOIN events ON seq = s.at AND created_at = s.made "
    "WHERE s.upto - s.bytes < $4::bigint ORDER BY seq DESC";

/// Those of a thread's newest events that one key links, likewise.
const std::string linked_sql =
    "SELECT " + std::string{event_columns} + " FROM (SELECT " +
    std::string{event_columns} +
    ", payload_bytes, sum(payload_bytes::bigint) OVER (ORDER BY seq DESC "
    "ROWS UNBOUNDED PRECEDING) AS upto FROM (SELECT * FROM events "
    "WHERE correlation_id = $1 ORDER BY seq DESC LIMIT $3::bigint) e "
    "WHERE EXISTS (SELECT 1 FROM event_correlations c "
    "WHERE c.source_event_id = e.id AND c.event_created_at = e.created_at "
    "AND c.correlation_key = $2 AND c.state = 'linked') "
    "ORDER BY seq DESC LIMIT $4::bigint) s "
    "WHERE upto - payload_bytes < $5::bigint ORDER BY seq DESC";

} // namespace

expected<std::vector<std::pair<std::string, std::string>>>
threads::facts(size_t limit) {
  using result_t = expected<std::vector<std::pair<std::string, std::string>>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& row : tx.exec("SELECT fact, value FROM correlation_facts "
                                   "WHERE NOT starts_with(fact, 'git:pr:') "
                                   "ORDER BY learned_at DESC LIMIT $1",
                                   pqxx::params{static_cast<int64_t>(limit)}))
      out.emplace_back(row[0].view(), row[1].view());
    return out;
  });
}

expected<std::optional<std::string>> threads::fact(const std::string& name) {
  using result_t = expected<std::optional<std::string>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec("SELECT value FROM correlation_facts WHERE fact = $1",
                        pqxx::params{thread_batch::storable_key(name)});
    if (rows.empty())
      return std::nullopt;
    return rows[0][0].as<std::string>();
  });
}

expected<std::vector<std::string>> threads::keys_like(const std::string& prefix,
                                                      const std::string& suffix,
                                                      size_t limit) {
  using result_t = expected<std::vector<std::string>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    std::vector<std::string> out;
    for (const auto& row :
         tx.exec("SELECT key FROM correlation_keys WHERE key >= $1::text "
                 "AND key < $2::text AND right(key, length($3::text)) = "
                 "$3::text ORDER BY key LIMIT $4",
                 pqxx::params{prefix, thread_batch::behind_prefix(prefix),
                              suffix, static_cast<int64_t>(limit)}))
      out.emplace_back(row[0].view());
    return out;
  });
}

expected<std::optional<uuid>> threads::thread_of(const uuid& id) {
  using result_t = expected<std::optional<uuid>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "SELECT t.id FROM correlation_threads t WHERE t.id = coalesce("
        "(SELECT e.correlation_id FROM events e WHERE e.id = $1 "
        "AND e.correlation_id IS NOT NULL LIMIT 1), "
        "(SELECT m.thread_id FROM correlation_merges m WHERE m.old_id = $1), "
        "$1)",
        pqxx::params{to_string(id)});
    if (rows.empty())
      return std::nullopt;
    return read_uuid(rows[0][0].view());
  });
}

expected<std::optional<uuid>> threads::thread_of(const std::string& key) {
  using result_t = expected<std::optional<uuid>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec("SELECT thread_id FROM correlation_keys WHERE key = $1",
                        pqxx::params{thread_batch::storable_key(key)});
    if (rows.empty())
      return std::nullopt;
    return read_uuid(rows[0][0].view());
  });
}

expected<std::optional<uuid>> threads::thread_with_id(const uuid& id) {
  using result_t = expected<std::optional<uuid>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "SELECT t.id FROM correlation_threads t WHERE t.id = coalesce("
        "(SELECT m.thread_id FROM correlation_merges m WHERE m.old_id = $1), "
        "$1)",
        pqxx::params{to_string(id)});
    if (rows.empty())
      return std::nullopt;
    return read_uuid(rows[0][0].view());
  });
}

expected<std::optional<event_ptr>> threads::find(const uuid& event) {
  using result_t = expected<std::optional<event_ptr>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    return find_event(tx, event);
  });
}

expected<std::vector<event_ptr>> threads::linked_by(const uuid& thread,
                                                    const std::string& key,
                                                    const thread_page& page) {
  using result_t = expected<std::vector<event_ptr>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    std::vector<event_ptr> out;
    for (const auto& row : tx.exec(
             linked_sql,
             pqxx::params{to_string(thread), thread_batch::storable_key(key),
                          static_cast<int64_t>(thread_reading::newest_events),
                          static_cast<int64_t>(page.limit),
                          static_cast<int64_t>(page.max_bytes)}))
      out.push_back(read_event(row));
    return out;
  });
}

expected<std::optional<thread_story>> threads::read(const uuid& thread,
                                                    const thread_page& page) {
  using result_t = expected<std::optional<thread_story>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    // One view of all its tables.
    pqxx::transaction<pqxx::isolation_level::repeatable_read,
                      pqxx::write_policy::read_only>
        tx{c};
    const auto id = to_string(thread);
    auto found = tx.exec("SELECT " + summary_columns +
                             " FROM correlation_threads t WHERE t.id = $1",
                         pqxx::params{id});
    if (found.empty())
      return std::nullopt;
    thread_story story;
    story.summary = read_summary(found[0]);
    for (const auto& row :
         tx.exec("SELECT old_id FROM correlation_merges WHERE thread_id = $1 "
                 "ORDER BY merged_at, old_id LIMIT 1000",
                 pqxx::params{id}))
      story.former.push_back(read_uuid(row[0].view()));
    for (const auto& row :
         tx.exec("SELECT key, owner_event_id, links, mentions, last_seen "
                 "FROM correlation_keys WHERE thread_id = $1" +
                     std::string{thread_reading::key_order} + " LIMIT $2",
                 pqxx::params{
                     id, static_cast<int64_t>(thread_reading::story_keys)})) {
      thread_key k;
      k.key = row[0].view();
      k.owner = maybe_uuid(row[1]);
      k.links = static_cast<uint64_t>(row[2].as<int64_t>());
      k.mentions = static_cast<uint64_t>(row[3].as<int64_t>());
      k.last_seen = read_time(row[4].view());
      story.keys.push_back(std::move(k));
    }
    for (size_t i = 0;
         i < std::min(thread_reading::summary_keys, story.keys.size()); ++i)
      story.summary.keys.push_back(story.keys[i].key);
    for (const auto& row : tx.exec(
             page_sql,
             pqxx::params{id, page.after, static_cast<int64_t>(page.limit) + 1,
                          static_cast<int64_t>(page.max_bytes)})) {
      if (story.events.size() == page.limit) {
        if (!story.events.empty())
          story.next = story.events.back()->seq;
        break;
      }
      story.events.push_back(read_event(row));
      if (row.back().as<bool>())
        story.next = story.events.back()->seq;
    }
    if (!story.events.empty())
      for (const auto& row :
           tx.exec("SELECT " + std::string{thread_reading::link_columns} +
                       " FROM events e JOIN event_correlations c "
                       "ON c.source_event_id = e.id "
                       "AND c.event_created_at = e.created_at "
                       "WHERE e.correlation_id = $1 AND e.seq > $2 "
                       "AND e.seq <= $3 ORDER BY e.seq, c.correlation_key",
                   pqxx::params{id, page.after, story.events.back()->seq}))
        story.links.push_back(read_link(row));
    for (const auto& row :
         tx.exec("SELECT platform, coalesce(nullif(actor_id, ''), actor_name), "
                 "coalesce((array_agg(actor_name ORDER BY seq DESC) "
                 "FILTER (WHERE actor_name <> ''))[1], ''), count(*) "
                 "FROM events WHERE correlation_id = $1 "
                 "AND (actor_id <> '' OR actor_name <> '') "
                 "GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT $2",
                 pqxx::params{id, static_cast<int64_t>(
                                      thread_reading::story_participants)})) {
      thread_participant p;
      p.platform = row[0].view();
      p.id = row[1].view();
      p.name = row[2].view();
      p.events = static_cast<uint64_t>(row[3].as<int64_t>());
      story.participants.push_back(std::move(p));
    }
    const std::vector<std::string> types{thread_reading::state_types.begin(),
                                         thread_reading::state_types.end()};
    for (const auto& row : tx.exec(
             states_sql,
             pqxx::params{id, types,
                          static_cast<int64_t>(thread_reading::state_events),
                          static_cast<int64_t>(
                              thread_reading::state_bytes(page.max_bytes)),
                          static_cast<int64_t>(thread_reading::newest_events),
                          static_cast<int64_t>(thread_reading::most_states)}))
      story.states.push_back(read_event(row));
    return story;
  });
}

expected<std::vector<thread_summary>> threads::recent(const thread_query& q) {
  using result_t = expected<std::vector<thread_summary>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "SELECT " + summary_columns +
            ", ARRAY(SELECT key FROM correlation_keys WHERE thread_id = t.id" +
            std::string{thread_reading::key_order} +
            " LIMIT $4) FROM correlation_threads t "
            "WHERE ($1::bigint = 0 OR t.last_seq < $1::bigint) "
            "AND (cardinality($2::text[]) = 0 "
            "OR t.platforms && $2::text[]) "
            "ORDER BY t.last_seq DESC LIMIT $3",
        pqxx::params{q.before, q.platforms, static_cast<int64_t>(q.limit) + 1,
                     static_cast<int64_t>(thread_reading::summary_keys)});
    std::vector<thread_summary> out;
    for (const auto& row : rows) {
      out.push_back(read_summary(row));
      out.back().keys = read_texts(row[6]);
    }
    return out;
  });
}

expected<std::vector<thread_link>> threads::evidence(const uuid& event) {
  using result_t = expected<std::vector<thread_link>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    std::vector<thread_link> out;
    for (const auto& row :
         tx.exec("SELECT " + std::string{thread_reading::link_columns} +
                     " FROM event_correlations c WHERE c.source_event_id = $1 "
                     "ORDER BY c.correlation_key",
                 pqxx::params{to_string(event)}))
      out.push_back(read_link(row));
    return out;
  });
}

expected<std::optional<backfill_state>> threads::backfill() {
  using result_t = expected<std::optional<backfill_state>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec("SELECT last_seq, until_seq, rules, after_seq "
                        "FROM correlation_backfill");
    if (rows.empty())
      return std::nullopt;
    return backfill_state{rows[0][0].as<seq_t>(), rows[0][1].as<seq_t>(),
                          rows[0][2].as<std::string>(), rows[0][3].as<seq_t>()};
  });
}

expected<void>
threads::set_backfill(const std::optional<backfill_state>& state) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::nontransaction tx{c};
    if (!state)
      tx.exec("DELETE FROM correlation_backfill");
    else
      tx.exec("INSERT INTO correlation_backfill "
              "(last_seq, until_seq, rules, after_seq) "
              "VALUES ($1, $2, $3, $4) ON CONFLICT (only_row) DO UPDATE "
              "SET last_seq = excluded.last_seq, "
              "until_seq = excluded.until_seq, rules = excluded.rules, "
              "after_seq = excluded.after_seq, started_at = now()",
              pqxx::params{state->last_seq, state->until_seq, state->rules,
                           state->after_seq});
    return {};
  });
}

expected<thread_report> threads::rejoin(std::span<const rejoined_event> events,
                                        seq_t done, timestamp now) {
  using result_t = expected<thread_report>;
  return pool_->with_connection([&](connection& own) -> result_t {
    return own.call(retry::yes, [&](pqxx::connection& c) -> result_t {
      pqxx::work tx{c};
      thread_report report;
      if (!events.empty()) {
        thread_cache cache;
        auto joined =
            joined_append{own, tx, limits_, cache}.rejoin(events, now);
        if (!joined)
          return fail(std::move(joined.error()));
        report = std::move(*joined);
      }
      tx.exec("UPDATE correlation_backfill SET last_seq = $1",
              pqxx::params{done});
      tx.commit();
      return report;
    });
  });
}

} // namespace eventweft::postgres
