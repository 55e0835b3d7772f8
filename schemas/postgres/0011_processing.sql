-- SPDX-License-Identifier: Apache-2.0
-- What processors remember.

CREATE TABLE processor_marks (
  processor_name text COLLATE "C" NOT NULL,
  feed text COLLATE "C" NOT NULL,
  cursor_seq bigint NOT NULL CHECK (cursor_seq >= 0),
  mark json NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (processor_name, feed)
);
COMMENT ON TABLE processor_marks IS 'How far each processor has read the log, and what it has in hand.';
COMMENT ON COLUMN processor_marks.processor_name IS 'The processor.';
COMMENT ON COLUMN processor_marks.feed IS 'all, or the one priority that this feed reads: urgent events are read ahead of the others.';
COMMENT ON COLUMN processor_marks.cursor_seq IS 'Everything up to this seq was read; retention keeps what follows.';
COMMENT ON COLUMN processor_marks.mark IS 'The same with what was read and is not done: {"cursor":seq,"open":[[seq,attempts,due,since],…]}, times in microseconds since 1970.';
COMMENT ON COLUMN processor_marks.updated_at IS 'When it was last written; retention does not wait for a processor that was not heard of for a week.';

CREATE OR REPLACE FUNCTION retention_horizon() RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT least(
    (SELECT min(s.cursor_seq) FROM stream_subscriptions s WHERE s.active),
    (SELECT min(m.cursor_seq) FROM processor_marks m
     WHERE m.updated_at > now() - interval '7 days'),
    (SELECT c.last_seq FROM event_metrics_cursor c))
$$;
COMMENT ON FUNCTION retention_horizon IS 'The seq up to which no active subscription and no processor needs the log any more.';

-- Writes what one processor has done since it last said so, one element an
-- event or a feed or a row of event_metrics. False, and nothing is written, if
-- the token is not the newest.
CREATE FUNCTION record_processing(
  p_processor text, p_work text, p_token bigint,
  p_ids uuid[], p_times timestamptz[], p_status text[], p_attempts integer[],
  p_errors text[], p_started timestamptz[], p_completed timestamptz[],
  p_durations double precision[],
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
  -- An event is processed once nobody has anything left to do with it.
  UPDATE events e
  SET processed_at = x.completed,
      processing_duration = coalesce(e.processing_duration, 0)
                            + coalesce(x.duration, 0)
  FROM unnest(p_ids, p_times, p_status, p_completed, p_durations)
    AS x (id, t, status, completed, duration)
  WHERE x.status = 'completed' AND e.id = x.id AND e.created_at = x.t
    AND NOT EXISTS (
      SELECT 1 FROM event_processing_status o
      WHERE o.event_id = x.id AND o.event_created_at = x.t
        AND o.status IN ('pending', 'processing', 'retrying'));
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
  INSERT INTO event_metrics AS m (
    day, platform, event_type, source_name, error_count, processed_count,
    total_processing_time, max_processing_time)
  SELECT (x.day AT TIME ZONE 'UTC')::date, x.platform, x.type, x.source,
         x.failed, x.done, x.total, x.longest
  FROM unnest(p_days, p_platforms, p_types, p_sources, p_failed, p_done,
              p_total, p_max)
    AS x (day, platform, type, source, failed, done, total, longest)
  -- One order for everyone who writes here: no deadlocks.
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
COMMENT ON FUNCTION record_processing IS 'Writes what a processor has done and how far it is, in one transaction; false if somebody else owns it by now.';
