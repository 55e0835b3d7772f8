-- SPDX-License-Identifier: Apache-2.0
-- Everything in the catalogue says what it is: views' columns and partitions,
-- too. And links by hand that can't be are refused in words.

COMMENT ON COLUMN events.payload_raw IS 'The original where the payload holds \u0000, lone surrogates or numbers beyond numeric, which JSON operators refuse: payload has U+FFFD or the nearest double in their place.';
COMMENT ON COLUMN event_performance.stage IS 'What was measured: queue (waiting for its batch), commit (of that batch), ingest (from coming in to being durable).';

COMMENT ON COLUMN event_processing_summary.platform IS 'events.platform.';
COMMENT ON COLUMN event_processing_summary.event_type IS 'events.event_type.';
COMMENT ON COLUMN event_processing_summary.total_events IS 'Events stored.';
COMMENT ON COLUMN event_processing_summary.processed_events IS 'Processings that were completed.';
COMMENT ON COLUMN event_processing_summary.failed_events IS 'Processings that were given up.';
COMMENT ON COLUMN event_processing_summary.avg_processing_time IS 'Seconds of the average completed processing.';
COMMENT ON COLUMN event_processing_summary.max_processing_time IS 'Seconds of the longest completed processing.';
COMMENT ON COLUMN event_processing_summary.first_day IS 'Day (UTC) of the first event.';
COMMENT ON COLUMN event_processing_summary.last_day IS 'Day (UTC) of the last event.';

COMMENT ON COLUMN recent_events.seq IS 'events.seq.';
COMMENT ON COLUMN recent_events.created_at IS 'events.created_at.';
COMMENT ON COLUMN recent_events.platform IS 'events.platform.';
COMMENT ON COLUMN recent_events.event_type IS 'events.event_type.';
COMMENT ON COLUMN recent_events.source_name IS 'events.source_name.';
COMMENT ON COLUMN recent_events.actor_name IS 'events.actor_name.';
COMMENT ON COLUMN recent_events.priority IS 'events.priority.';
COMMENT ON COLUMN recent_events.context IS 'One readable line from the platform''s own table: what it is about, its title, its state.';
COMMENT ON COLUMN recent_events.correlation_id IS 'events.correlation_id.';
COMMENT ON COLUMN recent_events.processed_at IS 'events.processed_at.';
COMMENT ON COLUMN recent_events.id IS 'events.id.';
COMMENT ON COLUMN recent_events.event_id IS 'events.event_id.';

COMMENT ON COLUMN correlated_events.correlation_type IS 'event_correlations.correlation_type.';
COMMENT ON COLUMN correlated_events.correlation_id IS 'The thread that the source is in.';
COMMENT ON COLUMN correlated_events.correlation_key IS 'event_correlations.correlation_key: what links them.';
COMMENT ON COLUMN correlated_events.confidence_score IS 'How sure the rule was, from 0 to 1.';
COMMENT ON COLUMN correlated_events.rule IS 'event_correlations.rule.';
COMMENT ON COLUMN correlated_events.field IS 'event_correlations.field.';
COMMENT ON COLUMN correlated_events.matched IS 'event_correlations.matched.';
COMMENT ON COLUMN correlated_events.source_event_id IS 'events.id of the event that names the other.';
COMMENT ON COLUMN correlated_events.source_platform IS 'Its platform.';
COMMENT ON COLUMN correlated_events.source_event_type IS 'Its type.';
COMMENT ON COLUMN correlated_events.source_source_name IS 'Its source, such as a repository.';
COMMENT ON COLUMN correlated_events.source_created_at IS 'When it came in.';
COMMENT ON COLUMN correlated_events.target_event_id IS 'events.id of the event that it names; NULL if there is none.';
COMMENT ON COLUMN correlated_events.target_platform IS 'The target''s platform.';
COMMENT ON COLUMN correlated_events.target_event_type IS 'The target''s type.';
COMMENT ON COLUMN correlated_events.target_source_name IS 'The target''s source.';
COMMENT ON COLUMN correlated_events.target_created_at IS 'When the target came in.';
COMMENT ON COLUMN correlated_events.time_between IS 'How long after the source the target came in; negative if before.';

CREATE OR REPLACE FUNCTION ensure_partitions(
  p_from timestamptz DEFAULT now() - interval '1 week',
  p_to timestamptz DEFAULT now() + interval '2 weeks'
) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  v_week timestamp := date_trunc('week', p_from AT TIME ZONE 'UTC');
  v_lower timestamptz;
  v_upper timestamptz;
  v_name text;
  v_made integer := 0;
  t record;
BEGIN
  WHILE v_week <= p_to AT TIME ZONE 'UTC' LOOP
    v_lower := v_week AT TIME ZONE 'UTC';
    v_upper := (v_week + interval '1 week') AT TIME ZONE 'UTC';
    FOR t IN SELECT * FROM partitioned_tables() LOOP
      v_name := t.table_name || to_char(v_week, '"_"YYYYMMDD');
      CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
      -- One at a time; others find it made.
      PERFORM pg_advisory_xact_lock(7311146936416691829);
      CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
      EXECUTE format(
        'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
        'INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)',
        v_name, t.table_name);
      EXECUTE format('COMMENT ON TABLE %I IS %L', v_name,
                     t.table_name || to_char(v_week,
                       '" of the week from "YYYY-MM-DD" (UTC)."'));
      -- Rows that came before their partition move into it.
      EXECUTE format(
        'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) '
        'INSERT INTO %I SELECT * FROM moved', t.table_name || '_default',
        t.time_column, v_lower, t.time_column, v_upper, v_name);
      EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        t.table_name, v_name, v_lower, v_upper);
      v_made := v_made + 1;
    END LOOP;
    v_week := v_week + interval '1 week';
  END LOOP;
  RETURN v_made;
END $$;

-- A function that is replaced loses its settings.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION ensure_partitions SET search_path = %I, '
                 'pg_temp', current_schema());
  ALTER FUNCTION ensure_partitions SET lock_timeout = '300ms';
END $$;

-- The partitions that there are.
DO $$
DECLARE
  p record;
BEGIN
  FOR p IN
    SELECT c.oid::regclass AS name,
           t.table_name || CASE WHEN c.relname ~ '_[0-9]{8}$'
             THEN ' of the week from '
                  || to_char(to_date(right(c.relname, 8), 'YYYYMMDD'),
                             'YYYY-MM-DD') || ' (UTC).'
             ELSE ' of times that no week was made for.' END AS words
    FROM partitioned_tables() t
    JOIN pg_inherits i ON i.inhparent = t.table_name::regclass
    JOIN pg_class c ON c.oid = i.inhrelid
  LOOP
    EXECUTE format('COMMENT ON TABLE %s IS %L', p.name, p.words);
  END LOOP;
  FOR p IN
    SELECT i.inhrelid::regclass AS name, a.attname AS column_name,
           col_description(i.inhparent, a.attnum) AS words
    FROM partitioned_tables() t
    JOIN pg_inherits i ON i.inhparent = t.table_name::regclass
    JOIN pg_attribute a ON a.attrelid = i.inhparent AND a.attnum > 0
      AND NOT a.attisdropped
  LOOP
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', p.name, p.column_name,
                   p.words);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION create_event_correlation(
  p_source_event_id uuid, p_target_event_id uuid, p_correlation_type text,
  p_correlation_key text DEFAULT NULL, p_confidence_score real DEFAULT 1
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_source record;
  v_target record;
  v_thread uuid;
BEGIN
  IF p_source_event_id = p_target_event_id THEN
    RAISE EXCEPTION 'p_target_event_id: event % can''t be linked to itself',
      p_source_event_id USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give two different events.';
  END IF;
  IF p_confidence_score IS NULL
     OR NOT p_confidence_score BETWEEN 0 AND 1 THEN
    RAISE EXCEPTION 'p_confidence_score: % is not a number from 0 to 1',
      coalesce(p_confidence_score::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Leave it out if the link is certain; that is 1.';
  END IF;
  IF p_correlation_type IS NULL THEN
    RAISE EXCEPTION 'p_correlation_type: is missing'
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say what kind of link it is, such as pr_to_issue.';
  END IF;
  IF p_correlation_key = '' THEN
    RAISE EXCEPTION 'p_correlation_key: is empty'
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Leave it out if no key is known.';
  END IF;
  PERFORM 1 FROM log_head FOR UPDATE;
  SELECT e.* INTO v_source FROM events e WHERE e.id = p_source_event_id;
  SELECT e.* INTO v_target FROM events e WHERE e.id = p_target_event_id;
  IF v_source.id IS NULL OR v_target.id IS NULL THEN
    RETURN NULL;
  END IF;
  v_thread := coalesce(v_target.correlation_id, v_source.correlation_id,
                       v_target.id);
  IF v_source.correlation_id <> v_target.correlation_id THEN
    PERFORM change_threads(
      ARRAY[v_source.correlation_id], ARRAY[v_target.correlation_id],
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
  END IF;
  INSERT INTO correlation_threads AS t (
    id, event_count, last_seq, first_event_at, last_event_at, platforms)
  SELECT v_thread, count(*), max(e.seq), min(e.created_at), max(e.created_at),
         array_agg(DISTINCT e.platform ORDER BY e.platform)
  FROM events e
  WHERE e.id IN (p_source_event_id, p_target_event_id)
    AND e.correlation_id IS NULL
  HAVING count(*) > 0
  ON CONFLICT (id) DO UPDATE
  SET event_count = t.event_count + excluded.event_count,
      last_seq = greatest(t.last_seq, excluded.last_seq),
      first_event_at = least(t.first_event_at, excluded.first_event_at),
      last_event_at = greatest(t.last_event_at, excluded.last_event_at),
      platforms = ARRAY(SELECT unnest(t.platforms) UNION
                        SELECT unnest(excluded.platforms) ORDER BY 1);
  UPDATE events e SET correlation_id = v_thread
  WHERE e.id IN (p_source_event_id, p_target_event_id)
    AND e.correlation_id IS NULL;
  UPDATE log_head SET thread_version = thread_version + 1;
  INSERT INTO event_correlations (
    source_event_id, event_created_at, confidence_score, correlation_key,
    correlation_type, rule, target_event_id)
  VALUES (p_source_event_id, v_source.created_at, p_confidence_score,
          coalesce(p_correlation_key, 'event:' || p_target_event_id),
          p_correlation_type, 'by hand', p_target_event_id)
  ON CONFLICT (source_event_id, correlation_key, event_created_at) DO NOTHING;
  RETURN FOUND;
END $$;
