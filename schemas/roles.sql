-- SPDX-License-Identifier: Apache-2.0
-- Least privilege for one database, by an administrator:
--   psql -d DATABASE -f schemas/roles.sql
-- Makes three roles without a login, which users are then granted:
--   eventweft_owner    owns the schema: for `eventweft migrate`
--   eventweft_writer   what the server needs; makes and drops partitions only
--                      through our own functions
--   eventweft_analyst  reads everything but secrets and hashes
-- Run it after the schema was made, and again after every migration. Start the
-- server as the writer with auto_migrate = false.
\set ON_ERROR_STOP on
BEGIN;

DO $$
DECLARE
  r text;
BEGIN
  FOREACH r IN ARRAY
    ARRAY['eventweft_owner', 'eventweft_writer', 'eventweft_analyst']
  LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', r);
    END IF;
  END LOOP;
  -- Who is no superuser gives away only what is a role's of his own.
  IF NOT pg_has_role(current_user, 'eventweft_owner', 'MEMBER') THEN
    EXECUTE format('GRANT eventweft_owner TO %I', current_user);
  END IF;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO eventweft_owner',
                 current_schema());
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO eventweft_writer, '
                 'eventweft_analyst', current_schema());
END $$;

-- Everything of ours belongs to the owner.
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT format('ALTER %s %I OWNER TO eventweft_owner',
                  CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                  c.relname) AS command
    FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace
      AND c.relkind IN ('r', 'p', 'v')
      AND (c.relname ~ '^(event|github_|linear_|slack_|deployment_)'
           OR c.relname ~ '^correlation_'
           OR c.relname IN ('log_head', 'log_durable', 'dead_letters', 'recent_events',
                            'stream_subscriptions', 'correlated_events',
                            'schema_migrations', 'leases', 'api_keys',
                            'api_keys_version', 'audit_log', 'processor_marks',
                            'cluster', 'cluster_nodes', 'stream_tickets'))
    UNION ALL
    SELECT 'ALTER SEQUENCE lease_tokens OWNER TO eventweft_owner'
    UNION ALL
    SELECT format('ALTER FUNCTION %s OWNER TO eventweft_owner',
                  p.oid::regprocedure)
    FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace
      AND p.proname IN (
        'append_events', 'append_joined_events', 'apply_retention',
        'beat_node', 'change_threads', 'check_assumed', 'claim_leases',
        'commit_async',
        'create_event_correlation', 'find_stored_events', 'forget_threads',
        'insert_events', 'log_head_moved', 'look_up_threads', 'make_durable',
        'raise_log_durable', 'take_log_head',
        'ensure_partitions', 'event_key', 'event_weeks', 'events_fillfactor',
        'expired_events', 'fence_holds', 'fit_event_pages', 'held_events',
        'mark_event_processed', 'partitioned_tables', 'processor_came',
        'processor_is_awaited', 'raise_version',
        'record_processing', 'release_leases', 'retention_hold',
        'retention_horizon', 'roll_up_metrics')
    UNION ALL
    SELECT 'ALTER TYPE event_priority OWNER TO eventweft_owner'
  LOOP
    EXECUTE o.command;
  END LOOP;
END $$;

GRANT SELECT, INSERT ON events, github_events, linear_events, slack_events,
  deployment_events, event_performance TO eventweft_writer;
GRANT UPDATE (processed_at, processing_duration, correlation_id,
              parent_event_id) ON events TO eventweft_writer;
GRANT SELECT, UPDATE (last_seq) ON log_head, event_metrics_cursor
  TO eventweft_writer;
GRANT UPDATE (thread_version, dedup_window) ON log_head TO eventweft_writer;
GRANT SELECT, UPDATE (seq) ON log_durable TO eventweft_writer;
GRANT SELECT, INSERT, UPDATE ON event_processing_status, event_metrics
  TO eventweft_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON event_correlations,
  correlation_threads, correlation_keys, correlation_merges, correlation_facts,
  correlation_pending, correlation_backfill, correlation_recounts,
  correlation_rules
  TO eventweft_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON event_streams, stream_subscriptions,
  event_deliveries, dead_letters, leases, processor_marks, cluster_nodes,
  stream_tickets TO eventweft_writer;
GRANT SELECT ON cluster TO eventweft_writer;
GRANT USAGE ON SEQUENCE lease_tokens TO eventweft_writer;
GRANT SELECT ON schema_migrations, event_processing_summary, recent_events,
  correlated_events TO eventweft_writer;
GRANT SELECT, INSERT ON api_keys TO eventweft_writer;
GRANT UPDATE (revoked_at, last_used_at) ON api_keys TO eventweft_writer;
GRANT SELECT, UPDATE (version) ON api_keys_version TO eventweft_writer;
GRANT SELECT, INSERT, DELETE ON audit_log TO eventweft_writer;
GRANT DELETE ON event_performance TO eventweft_writer;
GRANT EXECUTE ON FUNCTION
  ensure_partitions(timestamptz, timestamptz),
  apply_retention(interval, jsonb, boolean, timestamptz, bigint)
  TO eventweft_writer;

GRANT SELECT ON correlation_threads, correlation_keys, correlation_merges,
  correlation_facts, correlation_pending, correlation_backfill,
  correlation_rules TO eventweft_analyst;
GRANT SELECT ON events, github_events, linear_events, slack_events,
  deployment_events, event_performance, event_processing_status,
  event_correlations, event_metrics, event_metrics_cursor, event_streams,
  event_deliveries, dead_letters, leases, processor_marks, cluster,
  cluster_nodes, log_head, log_durable, schema_migrations,
  event_processing_summary, recent_events, correlated_events
  TO eventweft_analyst;
GRANT SELECT (id, stream_name, subscriber_id, type, filter, format, ordered,
              max_concurrent, rate_per_second, active, disabled_reason,
              cursor_seq, matched, delivered, failed, given_up, last_seq,
              created_at, last_delivery_at, version)
  ON stream_subscriptions TO eventweft_analyst;

GRANT SELECT (id, name, scopes, filter, created_at, expires_at, revoked_at,
              last_used_at)
  ON api_keys TO eventweft_analyst;
GRANT SELECT ON api_keys_version, audit_log TO eventweft_analyst;
GRANT SELECT (stream, owner, principal, api_key, filter, credentials_until,
              good_until)
  ON stream_tickets TO eventweft_analyst;

COMMIT;
