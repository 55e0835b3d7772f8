-- SPDX-License-Identifier: Apache-2.0
-- Figures, and views for people.

CREATE TABLE event_metrics (
  day TEXT NOT NULL,
  platform TEXT NOT NULL,
  event_type TEXT NOT NULL,
  source_name TEXT NOT NULL,
  event_count INTEGER NOT NULL DEFAULT 0,
  error_count INTEGER NOT NULL DEFAULT 0,
  processed_count INTEGER NOT NULL DEFAULT 0,
  total_processing_time REAL NOT NULL DEFAULT 0,
  max_processing_time REAL NOT NULL DEFAULT 0,
  avg_processing_time REAL GENERATED ALWAYS AS (
    CASE WHEN processed_count > 0
      THEN total_processing_time / processed_count END) VIRTUAL,
  PRIMARY KEY (day, platform, event_type, source_name)
) STRICT, WITHOUT ROWID;

-- One row: how far event_metrics has counted.
CREATE TABLE event_metrics_cursor (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  last_seq INTEGER NOT NULL
) STRICT;
INSERT INTO event_metrics_cursor VALUES (1, 0);

CREATE TABLE event_performance (
  id INTEGER PRIMARY KEY,
  recorded_at TEXT NOT NULL,
  stage TEXT NOT NULL,
  platform TEXT NOT NULL DEFAULT '',
  event_type TEXT NOT NULL DEFAULT '',
  event_id TEXT,
  duration REAL NOT NULL CHECK (duration >= 0),
  queue_depth INTEGER
) STRICT;
CREATE INDEX event_performance_time ON event_performance (recorded_at);

-- What the metrics have not counted yet is read from the log's end.
CREATE VIEW event_processing_summary AS
WITH figures AS (
  SELECT platform, event_type, event_count, processed_count, error_count,
         total_processing_time, max_processing_time, day AS first_day,
         day AS last_day
  FROM event_metrics
  UNION ALL
  SELECT platform, event_type, count(*), 0, 0, 0, 0,
         substr(min(created_at), 1, 10), substr(max(created_at), 1, 10)
  FROM events
  WHERE seq > (SELECT last_seq FROM event_metrics_cursor)
  GROUP BY platform, event_type
)
SELECT platform, event_type, sum(event_count) AS total_events,
       sum(processed_count) AS processed_events,
       sum(error_count) AS failed_events,
       sum(total_processing_time) / nullif(sum(processed_count), 0)
         AS avg_processing_time,
       max(max_processing_time) AS max_processing_time,
       min(first_day) AS first_day, max(last_day) AS last_day
FROM figures
GROUP BY platform, event_type
ORDER BY total_events DESC, platform, event_type;

CREATE VIEW recent_events AS
SELECT e.seq, e.created_at, e.platform, e.event_type, e.source_name,
       e.actor_name, e.priority,
       trim(CASE e.platform
         WHEN 'github' THEN (
           SELECT g.repository_name
                  || coalesce('#' || coalesce(g.pr_number, g.issue_number),
                              '@' || substr(g.commit_sha, 1, 7), '')
                  || coalesce(' ' || g.title, '')
                  || coalesce(' [' || g.state || ']', '')
           FROM github_events g WHERE g.event_seq = e.seq)
         WHEN 'linear' THEN (
           SELECT coalesce(l.identifier, l.type) || coalesce(' ' || l.title, '')
                  || coalesce(' [' || l.state || ']', '')
           FROM linear_events l WHERE l.event_seq = e.seq)
         WHEN 'slack' THEN (
           SELECT coalesce('#' || s.channel_id, '')
                  || coalesce(' @' || s.user_id, '')
                  || coalesce(' ' || substr(s.text, 1, 80), '')
           FROM slack_events s WHERE s.event_seq = e.seq)
         WHEN 'deployments' THEN (
           SELECT coalesce(d.repository_name, '')
                  || coalesce('@' || substr(d.commit_sha, 1, 7), '')
                  || coalesce(' -> ' || d.environment, '')
                  || coalesce(' [' || d.status || ']', '')
           FROM deployment_events d WHERE d.event_seq = e.seq)
         ELSE nullif(e.source_name, '')
       END) AS context,
       e.correlation_id, e.processed_at, e.id, e.event_id
FROM events e
ORDER BY e.seq DESC;
