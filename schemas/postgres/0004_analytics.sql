-- SPDX-License-Identifier: Apache-2.0
-- Figures, and views for people.

CREATE TABLE event_metrics (
  day date NOT NULL,
  platform text COLLATE "C" NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  source_name text COLLATE "C" NOT NULL,
  event_count bigint NOT NULL DEFAULT 0,
  error_count bigint NOT NULL DEFAULT 0,
  processed_count bigint NOT NULL DEFAULT 0,
  total_processing_time double precision NOT NULL DEFAULT 0,
  max_processing_time double precision NOT NULL DEFAULT 0,
  avg_processing_time double precision GENERATED ALWAYS AS (
    CASE WHEN processed_count > 0
      THEN total_processing_time / processed_count END) STORED,
  PRIMARY KEY (day, platform, event_type, source_name)
);
COMMENT ON TABLE event_metrics IS 'Counts and processing times per day, platform, type and source; brought up to date by roll_up_metrics() and mark_event_processed(), never by rescanning.';
COMMENT ON COLUMN event_metrics.day IS 'Day (UTC) on which the events came in.';
COMMENT ON COLUMN event_metrics.platform IS 'events.platform.';
COMMENT ON COLUMN event_metrics.event_type IS 'events.event_type.';
COMMENT ON COLUMN event_metrics.source_name IS 'events.source_name.';
COMMENT ON COLUMN event_metrics.event_count IS 'Events stored.';
COMMENT ON COLUMN event_metrics.error_count IS 'Processings that were given up.';
COMMENT ON COLUMN event_metrics.processed_count IS 'Processings that were completed.';
COMMENT ON COLUMN event_metrics.total_processing_time IS 'Seconds spent in completed processings.';
COMMENT ON COLUMN event_metrics.max_processing_time IS 'Seconds of the longest completed processing.';
COMMENT ON COLUMN event_metrics.avg_processing_time IS 'Seconds of the average completed processing.';

CREATE TABLE event_metrics_cursor (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  last_seq bigint NOT NULL DEFAULT 0
);
INSERT INTO event_metrics_cursor DEFAULT VALUES;
COMMENT ON TABLE event_metrics_cursor IS 'One row: how far event_metrics has counted.';
COMMENT ON COLUMN event_metrics_cursor.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN event_metrics_cursor.last_seq IS 'Events up to this seq are counted.';

CREATE TABLE event_performance (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  stage text COLLATE "C" NOT NULL,
  platform text COLLATE "C" NOT NULL DEFAULT '',
  event_type text COLLATE "C" NOT NULL DEFAULT '',
  event_id uuid,
  duration double precision NOT NULL CHECK (duration >= 0),
  queue_depth bigint
);
CREATE INDEX event_performance_time ON event_performance (recorded_at);
COMMENT ON TABLE event_performance IS 'A sample of how long events took in each stage.';
COMMENT ON COLUMN event_performance.id IS 'Its own number.';
COMMENT ON COLUMN event_performance.recorded_at IS 'When it was measured.';
COMMENT ON COLUMN event_performance.stage IS 'What was measured: verify, store, publish, process, …';
COMMENT ON COLUMN event_performance.platform IS 'events.platform.';
COMMENT ON COLUMN event_performance.event_type IS 'events.event_type.';
COMMENT ON COLUMN event_performance.event_id IS 'events.id.';
COMMENT ON COLUMN event_performance.duration IS 'Seconds it took.';
COMMENT ON COLUMN event_performance.queue_depth IS 'How many were waiting in that stage.';

-- Counts what has come since the last call, at most p_limit events; returns
-- how many that were. Safe to call from any number of nodes at once.
CREATE FUNCTION roll_up_metrics(p_limit bigint DEFAULT 100000)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_from bigint;
  v_to bigint;
  v_head bigint;
BEGIN
  SELECT c.last_seq INTO v_from FROM event_metrics_cursor c FOR UPDATE;
  SELECT h.last_seq INTO v_head FROM log_head h;
  v_to := least(v_head, v_from + p_limit);
  IF v_to <= v_from THEN
    RETURN 0;
  END IF;
  -- One order for everyone who writes here: no deadlocks.
  INSERT INTO event_metrics (day, platform, event_type, source_name,
                             event_count)
  SELECT (e.created_at AT TIME ZONE 'UTC')::date, e.platform, e.event_type,
         e.source_name, count(*)
  FROM events e
  WHERE e.seq > v_from AND e.seq <= v_to
  GROUP BY 1, 2, 3, 4
  ORDER BY 1, 2, 3, 4
  ON CONFLICT (day, platform, event_type, source_name) DO UPDATE
    SET event_count = event_metrics.event_count + excluded.event_count;
  UPDATE event_metrics_cursor SET last_seq = v_to;
  RETURN v_to - v_from;
END $$;
COMMENT ON FUNCTION roll_up_metrics IS 'Brings event_metrics up to date with what has been stored since the last call.';

-- Notes that a processor is done with an event, well or badly, and how long
-- it took in seconds. False if there is no such event.
CREATE FUNCTION mark_event_processed(
  p_event_id uuid, p_processor_name text DEFAULT 'default',
  p_success boolean DEFAULT true, p_error_message text DEFAULT NULL,
  p_duration double precision DEFAULT NULL
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_event record;
  v_duration double precision;
BEGIN
  SELECT e.created_at, e.platform, e.event_type, e.source_name INTO v_event
  FROM events e WHERE e.id = p_event_id;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO event_processing_status AS s (
    event_id, event_created_at, processor_name, status, attempts,
    error_message, started_at, completed_at, duration)
  VALUES (
    p_event_id, v_event.created_at, p_processor_name,
    CASE WHEN p_success THEN 'completed' ELSE 'failed' END, 1, p_error_message,
    clock_timestamp() - make_interval(secs => coalesce(p_duration, 0)),
    clock_timestamp(), p_duration)
  ON CONFLICT (event_id, processor_name, event_created_at) DO UPDATE
    SET status = excluded.status, attempts = s.attempts + 1,
        error_message = excluded.error_message,
        started_at = coalesce(s.started_at, excluded.started_at),
        completed_at = excluded.completed_at,
        duration = coalesce(
          excluded.duration,
          extract(epoch FROM excluded.completed_at - s.started_at))
  RETURNING s.duration INTO v_duration;
  -- The event is processed once nobody has anything left to do with it.
  UPDATE events e
  SET processed_at = clock_timestamp(),
      processing_duration = coalesce(e.processing_duration, 0)
                            + coalesce(v_duration, 0)
  WHERE e.id = p_event_id AND e.created_at = v_event.created_at AND p_success
    AND NOT EXISTS (
      SELECT 1 FROM event_processing_status o
      WHERE o.event_id = p_event_id
        AND o.event_created_at = v_event.created_at
        AND o.status IN ('pending', 'processing', 'retrying'));
  INSERT INTO event_metrics AS m (
    day, platform, event_type, source_name, error_count, processed_count,
    total_processing_time, max_processing_time)
  VALUES (
    (v_event.created_at AT TIME ZONE 'UTC')::date, v_event.platform,
    v_event.event_type, v_event.source_name, (NOT p_success)::int,
    p_success::int, CASE WHEN p_success THEN coalesce(v_duration, 0) ELSE 0 END,
    CASE WHEN p_success THEN coalesce(v_duration, 0) ELSE 0 END)
  ON CONFLICT (day, platform, event_type, source_name) DO UPDATE
    SET error_count = m.error_count + excluded.error_count,
        processed_count = m.processed_count + excluded.processed_count,
        total_processing_time
          = m.total_processing_time + excluded.total_processing_time,
        max_processing_time
          = greatest(m.max_processing_time, excluded.max_processing_time);
  RETURN true;
END $$;
COMMENT ON FUNCTION mark_event_processed IS 'Notes that a processor is done with an event; false if there is no such event.';

-- What the metrics have not counted yet is read from the log's end.
CREATE VIEW event_processing_summary AS
WITH figures AS (
  SELECT m.platform, m.event_type, m.event_count, m.processed_count,
         m.error_count, m.total_processing_time, m.max_processing_time,
         m.day AS first_day, m.day AS last_day
  FROM event_metrics m
  UNION ALL
  SELECT e.platform, e.event_type, count(*), 0, 0, 0, 0,
         (min(e.created_at) AT TIME ZONE 'UTC')::date,
         (max(e.created_at) AT TIME ZONE 'UTC')::date
  FROM events e
  WHERE e.seq > (SELECT c.last_seq FROM event_metrics_cursor c)
  GROUP BY e.platform, e.event_type
)
SELECT f.platform, f.event_type, sum(f.event_count)::bigint AS total_events,
       sum(f.processed_count)::bigint AS processed_events,
       sum(f.error_count)::bigint AS failed_events,
       sum(f.total_processing_time) / nullif(sum(f.processed_count), 0)
         AS avg_processing_time,
       max(f.max_processing_time) AS max_processing_time,
       min(f.first_day) AS first_day, max(f.last_day) AS last_day
FROM figures f
GROUP BY f.platform, f.event_type
ORDER BY total_events DESC, f.platform, f.event_type;
COMMENT ON VIEW event_processing_summary IS 'Counts and processing times per platform and type.';

-- Newest first by itself, so that LIMIT reads no more than it shows.
CREATE VIEW recent_events AS
SELECT e.seq, e.created_at, e.platform, e.event_type, e.source_name,
       e.actor_name, e.priority,
       CASE e.platform
         WHEN 'github' THEN (
           SELECT concat_ws(' ', g.repository_name
                    || coalesce('#' || coalesce(g.pr_number, g.issue_number),
                                '@' || left(g.commit_sha, 7), ''),
                    g.title, '[' || g.state || ']')
           FROM github_events g
           WHERE g.event_seq = e.seq AND g.created_at = e.created_at)
         WHEN 'linear' THEN (
           SELECT concat_ws(' ', coalesce(l.identifier, l.type), l.title,
                    '[' || l.state || ']')
           FROM linear_events l
           WHERE l.event_seq = e.seq AND l.created_at = e.created_at)
         WHEN 'slack' THEN (
           SELECT concat_ws(' ', '#' || s.channel_id, '@' || s.user_id,
                    left(s.text, 80))
           FROM slack_events s
           WHERE s.event_seq = e.seq AND s.created_at = e.created_at)
         WHEN 'deployments' THEN (
           SELECT concat_ws(' ', d.repository_name
                    || coalesce('@' || left(d.commit_sha, 7), ''),
                    '-> ' || d.environment, '[' || d.status || ']')
           FROM deployment_events d
           WHERE d.event_seq = e.seq AND d.created_at = e.created_at)
         ELSE nullif(e.source_name, '')
       END AS context,
       e.correlation_id, e.processed_at, e.id, e.event_id
FROM events e
ORDER BY e.seq DESC;
COMMENT ON VIEW recent_events IS 'Events, newest first, with one readable line of context; use it with LIMIT.';
