-- SPDX-License-Identifier: Apache-2.0
-- What a processor has done costs half of what it did. The events of a page are
-- updated together, each to a row that is a little larger: with a fifth of the
-- page free, most of them moved, and were written to every index. And small
-- arrays are unfolded where they are read, which spools nothing.

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
        'INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)%s',
        v_name, t.table_name,
        CASE t.table_name WHEN 'events' THEN ' WITH (fillfactor = 45)'
                          ELSE '' END);
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

DO $$
DECLARE
  p record;
BEGIN
  FOR p IN SELECT i.inhrelid::regclass AS name FROM pg_inherits i
           WHERE i.inhparent = 'events'::regclass LOOP
    EXECUTE format('ALTER TABLE %s SET (fillfactor = 45)', p.name);
  END LOOP;
END $$;

-- As before.
CREATE OR REPLACE FUNCTION record_processing(
  p_processor text, p_work text, p_token bigint,
  p_ids uuid[], p_times timestamptz[], p_status text[], p_attempts integer[],
  p_errors text[], p_started timestamptz[], p_completed timestamptz[],
  p_durations double precision[], p_others text[],
  p_feeds text[], p_cursors text[], p_marks json[],
  p_days timestamptz[], p_platforms text[], p_types text[], p_sources text[],
  p_failed integer[], p_done integer[], p_total double precision[],
  p_max double precision[]
) RETURNS boolean LANGUAGE plpgsql
-- The arrays are short, the tables long.
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  IF NOT fence_holds(p_work, p_token) THEN
    RETURN false;
  END IF;
  INSERT INTO event_processing_status AS s (
    event_id, event_created_at, processor_name, status, attempts,
    error_message, started_at, completed_at, duration)
  SELECT unnest(p_ids), unnest(p_times), p_processor, unnest(p_status),
         unnest(p_attempts), unnest(p_errors), unnest(p_started),
         unnest(p_completed), unnest(p_durations)
  ON CONFLICT (event_id, processor_name, event_created_at) DO UPDATE
    SET status = excluded.status, attempts = excluded.attempts,
        error_message = excluded.error_message,
        started_at = coalesce(s.started_at, excluded.started_at),
        completed_at = excluded.completed_at, duration = excluded.duration;
  INSERT INTO processor_marks AS m (processor_name, feed, cursor_seq, mark)
  SELECT p_processor, x.feed, x.seq::bigint, x.mark
  FROM unnest(p_feeds, p_cursors, p_marks) AS x (feed, seq, mark)
  ON CONFLICT (processor_name, feed) DO UPDATE
    SET cursor_seq = excluded.cursor_seq, mark = excluded.mark,
        updated_at = now();
  IF cardinality(p_feeds) > 0 THEN
    -- Feeds that the processor read by before it was made to keep an order,
    -- or the other way round.
    DELETE FROM processor_marks m
    WHERE m.processor_name = p_processor
      AND (m.feed = 'all') <> (p_feeds[1] = 'all');
  END IF;
  -- Of two nodes that end with an event at once, one has to see the other; and
  -- one order for everyone who writes here: no deadlocks.
  PERFORM 1
  FROM (SELECT unnest(p_ids) AS id, unnest(p_times) AS t,
               unnest(p_others) AS others) x
  JOIN events e ON e.id = x.id AND e.created_at = x.t
  WHERE x.others IS NOT NULL OR e.processed_at IS NOT NULL
  ORDER BY e.seq
  FOR NO KEY UPDATE OF e;
  -- It was done with before, and is to be done again.
  UPDATE events e SET processed_at = NULL, processing_duration = NULL
  FROM unnest(p_ids, p_times, p_status) AS x (id, t, status)
  WHERE x.status IN ('pending', 'processing', 'retrying')
    AND e.id = x.id AND e.created_at = x.t AND e.processed_at IS NOT NULL;
  UPDATE events e
  SET processed_at = s.last_at, processing_duration = s.total
  FROM (SELECT unnest(p_ids) AS id, unnest(p_times) AS t,
               unnest(p_status) AS status, unnest(p_others) AS others) x
  CROSS JOIN LATERAL (
    SELECT max(o.completed_at) AS last_at,
           coalesce(sum(o.duration), 0) AS total,
           bool_or(o.status IN ('pending', 'processing', 'retrying')) AS open
    FROM event_processing_status o
    WHERE o.event_id = x.id AND o.event_created_at = x.t) AS s
  WHERE x.others IS NOT NULL AND x.status IN ('completed', 'failed')
    AND e.id = x.id AND e.created_at = x.t AND NOT s.open
    AND (x.others = '' OR NOT EXISTS (
      -- One that nobody runs any more is not waited for, as in
      -- retention_horizon().
      SELECT 1 FROM processor_marks m
      WHERE m.processor_name = ANY (string_to_array(x.others, ','))
        AND m.feed IN ('all', e.priority::text)
        AND m.updated_at > now() - interval '7 days'
        AND (m.cursor_seq < e.seq OR EXISTS (
          SELECT 1 FROM json_array_elements(m.mark -> 'open') AS u
          WHERE (u ->> 0)::bigint = e.seq))));
  INSERT INTO event_metrics AS m (
    day, platform, event_type, source_name, error_count, processed_count,
    total_processing_time, max_processing_time)
  SELECT (x.day AT TIME ZONE 'UTC')::date, x.platform, x.type, x.source,
         x.failed, x.done, x.total, x.longest
  FROM unnest(p_days, p_platforms, p_types, p_sources, p_failed, p_done,
              p_total, p_max)
    AS x (day, platform, type, source, failed, done, total, longest)
  ORDER BY 1, 2, 3, 4
  ON CONFLICT (day, platform, event_type, source_name) DO UPDATE
    SET error_count = m.error_count + excluded.error_count,
        processed_count = m.processed_count + excluded.processed_count,
        total_processing_time
          = m.total_processing_time + excluded.total_processing_time,
        max_processing_time
          = greatest(m.max_processing_time, excluded.max_processing_time);
  RETURN true;
END $$;

-- As before.
CREATE OR REPLACE FUNCTION append_joined_events(
  p_head bigint, p_version bigint,
  p_seq bigint[], p_id uuid[], p_event_id text[], p_platform text[],
  p_event_type text[], p_source_id text[], p_source_name text[],
  p_actor_id text[], p_actor_name text[], p_priority text[],
  p_correlation_id uuid[], p_parent_event_id uuid[], p_metadata json[],
  p_created_at timestamptz[], p_processed_at timestamptz[],
  p_processing_duration double precision[], p_payload_bytes integer[],
  p_payload json[], p_payload_raw text[], p_github json[], p_linear json[],
  p_slack json[], p_deployment json[],
  m_from uuid[], m_into uuid[],
  g_thread uuid[], g_events bigint[], g_seq bigint[], g_first timestamptz[],
  g_last timestamptz[], g_platforms text[],
  k_key text[], k_thread uuid[], k_owner uuid[], k_links bigint[],
  k_mentions bigint[], k_seen timestamptz[],
  a_event uuid[], a_created_at timestamptz[], a_thread uuid[],
  f_fact text[], f_value text[],
  w_fact text[], w_event uuid[], w_created_at timestamptz[], w_key text[],
  w_evidence json[],
  r_fact text[], r_event uuid[], r_key text[],
  l_event uuid[], l_created_at timestamptz[], l_key text[], l_type text[],
  l_confidence double precision[], l_state text[], l_rule text[],
  l_field text[], l_matched text[]
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  -- Others are of events that were stored before, and may be known by now.
  v_fresh boolean := cardinality(l_event) > 0 AND l_event <@ p_id;
BEGIN
  IF NOT take_log_head(p_head, p_version, cardinality(p_seq)) THEN
    RETURN false;
  END IF;
  IF v_fresh THEN
    INSERT INTO event_correlations (
      source_event_id, event_created_at, confidence_score, correlation_key,
      correlation_type, state, rule, field, matched)
    SELECT unnest(l_event), unnest(l_created_at), unnest(l_confidence),
           unnest(l_key), unnest(l_type), unnest(l_state), unnest(l_rule),
           unnest(l_field), unnest(l_matched);
  END IF;
  PERFORM change_threads(
    m_from, m_into, g_thread, g_events, g_seq, g_first, g_last, g_platforms,
    k_key, k_thread, k_owner, k_links, k_mentions, k_seen, a_event,
    a_created_at, a_thread, f_fact, f_value, w_fact, w_event, w_created_at,
    w_key, w_evidence, r_fact, r_event, r_key,
    CASE WHEN v_fresh THEN '{}' ELSE l_event END, l_created_at, l_key, l_type,
    l_confidence, l_state, l_rule, l_field, l_matched);
  IF cardinality(p_seq) > 0 THEN
    PERFORM insert_events(
      p_seq, p_id, p_event_id, p_platform, p_event_type, p_source_id,
      p_source_name, p_actor_id, p_actor_name, p_priority, p_correlation_id,
      p_parent_event_id, p_metadata, p_created_at, p_processed_at,
      p_processing_duration, p_payload_bytes, p_payload, p_payload_raw,
      p_github, p_linear, p_slack, p_deployment);
  END IF;
  RETURN true;
END $$;
