-- SPDX-License-Identifier: Apache-2.0
-- An event counts as processed when everyone who wants it is done with it, not
-- only those who have a row of it already. The function that this one is an
-- overload of stays for nodes of the version before.

-- Writes what one processor has done since it last said so, one element an
-- event or a feed or a row of event_metrics. p_others: null while somebody of
-- the caller's node has something left to do with the event, else the
-- processors (with commas between) that other nodes run and that want it too.
-- False, and nothing is written, if the token is not the newest.
CREATE FUNCTION record_processing(
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
  SELECT x.id, x.t, p_processor, x.status, x.attempts, x.error, x.started,
         x.completed, x.duration
  FROM unnest(p_ids, p_times, p_status, p_attempts, p_errors, p_started,
              p_completed, p_durations)
    AS x (id, t, status, attempts, error, started, completed, duration)
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
  FROM unnest(p_ids, p_times, p_others) AS x (id, t, others)
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
  FROM unnest(p_ids, p_times, p_status, p_others)
    AS x (id, t, status, others)
  CROSS JOIN LATERAL (
    SELECT max(o.completed_at) AS last_at,
           coalesce(sum(o.duration), 0) AS total,
           bool_or(o.status IN ('pending', 'processing', 'retrying')) AS open
    FROM event_processing_status o
    WHERE o.event_id = x.id AND o.event_created_at = x.t) AS s
  WHERE x.others IS NOT NULL AND x.status IN ('completed', 'failed')
    AND e.id = x.id AND e.created_at = x.t AND NOT s.open
    AND NOT EXISTS (
      -- One that nobody runs any more is not waited for, as in
      -- retention_horizon().
      SELECT 1 FROM processor_marks m
      WHERE m.processor_name = ANY (string_to_array(x.others, ','))
        AND m.feed IN ('all', e.priority::text)
        AND m.updated_at > now() - interval '7 days'
        AND (m.cursor_seq < e.seq OR EXISTS (
          SELECT 1 FROM json_array_elements(m.mark -> 'open') AS u
          WHERE (u ->> 0)::bigint = e.seq)));
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
COMMENT ON FUNCTION record_processing(
  text, text, bigint, uuid[], timestamptz[], text[], integer[], text[],
  timestamptz[], timestamptz[], double precision[], text[], text[], text[],
  json[], timestamptz[], text[], text[], text[], integer[], integer[],
  double precision[], double precision[])
  IS 'Writes what a processor has done and how far it is, and which events nobody has anything left to do with, in one transaction; false if somebody else owns it by now.';
