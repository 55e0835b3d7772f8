-- SPDX-License-Identifier: Apache-2.0
-- The whole schema for PostgreSQL, by hand: psql -d DATABASE -f events_schema.sql
-- The same as what `eventweft migrate` makes of an empty database.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL standard_conforming_strings = on;
CREATE TABLE schema_migrations (
  version integer PRIMARY KEY CHECK (version > 0),
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE schema_migrations IS 'Which steps of the schema were applied, and when.';
COMMENT ON COLUMN schema_migrations.version IS 'Number of the step.';
COMMENT ON COLUMN schema_migrations.name IS 'What it is about.';
COMMENT ON COLUMN schema_migrations.applied_at IS 'When it was applied.';
\ir postgres/0001_log.sql
\ir postgres/0002_details.sql
\ir postgres/0003_processing.sql
\ir postgres/0004_analytics.sql
\ir postgres/0005_growth.sql
\ir postgres/0006_append.sql
\ir postgres/0007_leases.sql
\ir postgres/0008_threads.sql
\ir postgres/0009_access.sql
\ir postgres/0010_subscriptions.sql
\ir postgres/0011_processing.sql
\ir postgres/0012_cluster.sql
\ir postgres/0013_reports.sql
\ir postgres/0014_node_processors.sql
\ir postgres/0015_retention.sql
\ir postgres/0016_link_by_hand.sql
\ir postgres/0017_plain_evidence.sql
\ir postgres/0018_comments.sql
\ir postgres/0019_custom_retention.sql
\ir postgres/0020_processed_by_all.sql
\ir postgres/0021_backfill_rules.sql
\ir postgres/0022_thread_counts.sql
\ir postgres/0023_event_context.sql
\ir postgres/0024_node_silence.sql
\ir postgres/0025_oldest_program.sql
\ir postgres/0026_expired_by_platform.sql
\ir postgres/0027_correlation_rules.sql
\ir postgres/0028_async_commit.sql
\ir postgres/0029_fresh_links.sql
\ir postgres/0030_room_to_update.sql
\ir postgres/0031_change_versions.sql
\ir postgres/0032_forget_aside.sql
\ir postgres/0033_waiting_bound.sql
\ir postgres/0034_retention_in_steps.sql
\ir postgres/0035_pending_by_fact.sql
\ir postgres/0036_processing_times.sql
\ir postgres/0037_thread_upkeep.sql
\ir postgres/0038_cluster_work.sql
\ir postgres/0039_stream_tickets.sql
\ir postgres/0040_unread_batches.sql
\ir postgres/0041_forgotten_processors.sql
\ir postgres/0042_retention_tells.sql
\ir postgres/0043_backfill_start.sql
\ir postgres/0044_unasked_indexes.sql
\ir postgres/0045_held_ranges.sql
\ir postgres/0046_room_for_all.sql
\ir postgres/0047_room_where_processed.sql
\ir postgres/0048_fewer_statements.sql
INSERT INTO schema_migrations (version, name) VALUES
  (1, 'log'), (2, 'details'), (3, 'processing'), (4, 'analytics'),
  (5, 'growth'), (6, 'append'), (7, 'leases'), (8, 'threads'),
  (9, 'access'), (10, 'subscriptions'), (11, 'processing'), (12, 'cluster'),
  (13, 'reports'), (14, 'node_processors'),
  (15, 'retention'), (16, 'link_by_hand'),
  (17, 'plain_evidence'), (18, 'comments'), (19, 'custom_retention'),
  (20, 'processed_by_all'), (21, 'backfill_rules'), (22, 'thread_counts'),
  (23, 'event_context'), (24, 'node_silence'),
  (25, 'oldest_program'), (26, 'expired_by_platform'),
  (27, 'correlation_rules'), (28, 'async_commit'),
  (29, 'fresh_links'), (30, 'room_to_update'),
  (31, 'change_versions'), (32, 'forget_aside'),
  (33, 'waiting_bound'), (34, 'retention_in_steps'),
  (35, 'pending_by_fact'), (36, 'processing_times'),
  (37, 'thread_upkeep'), (38, 'cluster_work'), (39, 'stream_tickets'),
  (40, 'unread_batches'),
  (41, 'forgotten_processors'),
  (42, 'retention_tells'), (43, 'backfill_start'),
  (44, 'unasked_indexes'), (45, 'held_ranges'),
  (46, 'room_for_all'), (47, 'room_where_processed'),
  (48, 'fewer_statements');
UPDATE schema_migrations SET oldest_program = 25
WHERE version = (SELECT max(version) FROM schema_migrations);
COMMIT;
