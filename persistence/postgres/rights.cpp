// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/rights.hpp"

namespace eventweft::postgres {

namespace {

// As schemas/roles.sql grants them to a writer; of a table's columns any will
// do, for some rights are granted for a few columns only.
constexpr auto missing_rights = R"sql(
SELECT w.verb || ' on ' || w.name
FROM (VALUES
  ('INSERT', 'events'), ('UPDATE', 'events'), ('UPDATE', 'log_head'),
  ('UPDATE', 'log_durable'), ('INSERT', 'github_events'),
  ('INSERT', 'linear_events'), ('INSERT', 'slack_events'),
  ('INSERT', 'deployment_events'), ('INSERT', 'event_processing_status'),
  ('UPDATE', 'event_processing_status'), ('INSERT', 'event_metrics'),
  ('UPDATE', 'event_metrics_cursor'), ('INSERT', 'event_performance'),
  ('INSERT', 'event_correlations'), ('INSERT', 'correlation_threads'),
  ('INSERT', 'correlation_keys'), ('INSERT', 'event_streams'),
  ('UPDATE', 'stream_subscriptions'), ('INSERT', 'event_deliveries'),
  ('INSERT', 'dead_letters'), ('DELETE', 'dead_letters'),
  ('UPDATE', 'leases'), ('UPDATE', 'processor_marks'),
  ('UPDATE', 'cluster_nodes'), ('SELECT', 'api_keys'),
  ('INSERT', 'audit_log')) AS w (verb, name)
WHERE to_regclass(w.name) IS NOT NULL
  AND NOT CASE w.verb
    WHEN 'DELETE' THEN has_table_privilege(to_regclass(w.name), w.verb)
    ELSE has_any_column_privilege(to_regclass(w.name), w.verb) END
UNION ALL
SELECT 'EXECUTE on ' || p.proname
FROM pg_proc p
WHERE p.pronamespace = (SELECT c.relnamespace FROM pg_class c
                        WHERE c.oid = to_regclass('events'))
  AND p.proname IN ('append_joined_events', 'apply_retention',
                    'ensure_partitions', 'find_stored_events',
                    'record_processing', 'roll_up_metrics', 'take_log_head')
  AND NOT has_function_privilege(p.oid, 'EXECUTE')
)sql";

} // namespace

expected<void> check_rights(pqxx::connection& c) {
  constexpr pqxx::result::size_type most_told = 3;
  pqxx::nontransaction tx{c};
  const auto missing = tx.exec(missing_rights);
  if (missing.empty())
    return {};
  auto text = "user \"" +
              tx.exec("SELECT current_user").one_field().as<std::string>() +
              "\" may not do what a server does: no ";
  for (pqxx::result::size_type i = 0; i < missing.size() && i < most_told; ++i)
    text.append(i == 0 ? "" : ", ").append(missing[i][0].view());
  if (missing.size() > most_told)
    text += " and " + std::to_string(missing.size() - most_told) + " more";
  return fail(ec::forbidden,
              text + "; schemas/roles.sql grants it to eventweft_writer");
}

} // namespace eventweft::postgres
