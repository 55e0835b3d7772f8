-- SPDX-License-Identifier: Apache-2.0
-- What took an unknown time is counted, and stays out of sums and averages;
-- and GitHub's deployments show where they go.

-- A generated column can't be changed.
ALTER TABLE event_metrics DROP COLUMN avg_processing_time;
ALTER TABLE event_metrics
  ADD COLUMN untimed_count bigint NOT NULL DEFAULT 0,
  ADD COLUMN avg_processing_time double precision GENERATED ALWAYS AS (
    CASE WHEN processed_count > untimed_count
      THEN total_processing_time / (processed_count - untimed_count) END)
    STORED;
COMMENT ON COLUMN event_metrics.untimed_count IS 'Of the completed processings, those of which nobody said how long they took.';
COMMENT ON COLUMN event_metrics.avg_processing_time IS 'Seconds of the average completed processing of which it is known; NULL if there is none.';

-- Notes that a processor is done with an event, well or badly, and how long
-- this attempt took in seconds. Without a duration it is the time since
-- started_at, if the row says 'processing' and began after the attempt before
-- it ended; else it is not known. Once an event is completed, a further mark
-- changes nothing: the row has to say 'processing' again first. False if there
-- is no such event.
CREATE OR REPLACE FUNCTION mark_event_processed(
  p_event_id uuid, p_processor_name text DEFAULT 'default',
  p_success boolean DEFAULT true, p_error_message text DEFAULT NULL,
  p_duration double precision DEFAULT NULL
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_event record;
  v_duration double precision;
  v_timed double precision;
BEGIN
  -- Of two processors that end with an event at once, one has to see the other.
  SELECT e.created_at, e.platform, e.event_type, e.source_name INTO v_event
  FROM events e WHERE e.id = p_event_id
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO event_processing_status AS s (
    event_id, event_created_at, processor_name, status, attempts,
    error_message, started_at, completed_at, duration)
  VALUES (
    p_event_id, v_event.created_at, p_processor_name,
    CASE WHEN p_success THEN 'completed' ELSE 'failed' END, 1, p_error_message,
    clock_timestamp() - make_interval(secs => p_duration),
    clock_timestamp(), p_duration)
  ON CONFLICT (event_id, processor_name, event_created_at) DO UPDATE
    SET status = excluded.status, attempts = s.attempts + 1,
        error_message = excluded.error_message,
        started_at = coalesce(s.started_at, excluded.started_at),
        completed_at = excluded.completed_at,
        duration = coalesce(
          excluded.duration,
          CASE WHEN s.status = 'processing'
                    AND s.started_at >= coalesce(s.completed_at, '-infinity')
            THEN extract(epoch FROM excluded.completed_at - s.started_at) END)
    WHERE s.status <> 'completed'
  RETURNING s.duration INTO v_duration;
  IF NOT FOUND THEN
    RETURN true;
  END IF;
  -- The event is processed once nobody has anything left to do with it.
  UPDATE events e
  SET processed_at = clock_timestamp(),
      processing_duration = (
        SELECT sum(o.duration) FROM event_processing_status o
        WHERE o.event_id = p_event_id
          AND o.event_created_at = v_event.created_at)
  WHERE e.id = p_event_id AND e.created_at = v_event.created_at AND p_success
    AND NOT EXISTS (
      SELECT 1 FROM event_processing_status o
      WHERE o.event_id = p_event_id
        AND o.event_created_at = v_event.created_at
        AND o.status IN ('pending', 'processing', 'retrying'));
  v_timed := CASE WHEN p_success THEN coalesce(v_duration, 0) ELSE 0 END;
  INSERT INTO event_metrics AS m (
    day, platform, event_type, source_name, error_count, processed_count,
    untimed_count, total_processing_time, max_processing_time)
  VALUES (
    (v_event.created_at AT TIME ZONE 'UTC')::date, v_event.platform,
    v_event.event_type, v_event.source_name, (NOT p_success)::int,
    p_success::int, (p_success AND v_duration IS NULL)::int, v_timed, v_timed)
  ON CONFLICT (day, platform, event_type, source_name) DO UPDATE
    SET error_count = m.error_count + excluded.error_count,
        processed_count = m.processed_count + excluded.processed_count,
        untimed_count = m.untimed_count + excluded.untimed_count,
        total_processing_time
          = m.total_processing_time + excluded.total_processing_time,
        max_processing_time
          = greatest(m.max_processing_time, excluded.max_processing_time);
  RETURN true;
END $$;
COMMENT ON FUNCTION mark_event_processed IS 'Notes that a processor is done with an event, and how long that took if it is known; true without a change if it was completed before, false if there is no such event.';

-- With an upper end, too, the planner sees that a small part of the log is
-- asked for; without, it reads all of it.
CREATE OR REPLACE VIEW event_processing_summary AS
WITH figures AS (
  SELECT m.platform, m.event_type, m.event_count, m.processed_count,
         m.untimed_count, m.error_count, m.total_processing_time,
         m.max_processing_time, m.day AS first_day, m.day AS last_day
  FROM event_metrics m
  UNION ALL
  SELECT e.platform, e.event_type, count(*), 0, 0, 0, 0, 0,
         (min(e.created_at) AT TIME ZONE 'UTC')::date,
         (max(e.created_at) AT TIME ZONE 'UTC')::date
  FROM events e
  WHERE e.seq > (SELECT c.last_seq FROM event_metrics_cursor c)
    AND e.seq <= (SELECT d.seq FROM log_durable d)
  GROUP BY e.platform, e.event_type
)
SELECT f.platform, f.event_type, sum(f.event_count)::bigint AS total_events,
       sum(f.processed_count)::bigint AS processed_events,
       sum(f.error_count)::bigint AS failed_events,
       sum(f.total_processing_time)
         / nullif(sum(f.processed_count - f.untimed_count), 0)
         AS avg_processing_time,
       max(f.max_processing_time) AS max_processing_time,
       min(f.first_day) AS first_day, max(f.last_day) AS last_day
FROM figures f
GROUP BY f.platform, f.event_type
ORDER BY total_events DESC, f.platform, f.event_type;

CREATE OR REPLACE VIEW recent_events AS
SELECT e.seq, e.created_at, e.platform, e.event_type, e.source_name,
       e.actor_name, e.priority,
       coalesce(nullif(CASE e.platform
         WHEN 'github' THEN (
           SELECT concat_ws(' ', g.repository_name
                    || coalesce('#' || coalesce(g.pr_number, g.issue_number),
                                '@' || left(g.commit_sha, 7), ''),
                    g.title,
                    '-> ' || (
                      SELECT d.environment FROM deployment_events d
                      WHERE g.event LIKE 'deployment%'
                        AND d.event_seq = e.seq
                        AND d.created_at = e.created_at),
                    '[' || g.state || ']')
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
       END, ''), nullif(e.source_name, ''), '@' || nullif(e.actor_name, ''))
         AS context,
       e.correlation_id, e.processed_at, e.id, e.event_id
FROM events e
ORDER BY e.seq DESC;
