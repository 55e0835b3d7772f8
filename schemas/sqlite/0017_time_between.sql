-- SPDX-License-Identifier: Apache-2.0
-- How far apart events are that are linked, as PostgreSQL's view has it: in
-- seconds, negative if the target came first.
DROP VIEW correlated_events;
CREATE VIEW correlated_events AS
SELECT c.correlation_type, s.correlation_id, c.correlation_key,
       c.confidence_score, c.rule, c.field, c.matched,
       s.id AS source_event_id, s.platform AS source_platform,
       s.event_type AS source_event_type, s.source_name AS source_source_name,
       s.created_at AS source_created_at,
       t.id AS target_event_id, t.platform AS target_platform,
       t.event_type AS target_event_type, t.source_name AS target_source_name,
       t.created_at AS target_created_at,
       round((julianday(t.created_at) - julianday(s.created_at)) * 86400, 3)
         AS time_between
FROM event_correlations c
JOIN events s ON s.id = c.source_event_id
LEFT JOIN correlation_keys k ON k.key = c.correlation_key
LEFT JOIN events t ON t.id = coalesce(c.target_event_id, k.owner_event_id)
WHERE c.state = 'linked' AND c.correlation_type <> 'identity'
  AND t.id IS NOT s.id;

-- A backfill that began at a time and was stopped goes on with the rest of
-- that, and says so: events up to this seq are none of it.
ALTER TABLE correlation_backfill ADD COLUMN after_seq INTEGER NOT NULL DEFAULT 0;
