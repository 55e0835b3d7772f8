-- SPDX-License-Identifier: Apache-2.0
-- GitHub's deployments show where they go.

-- Completed processings of an unknown time, as in PostgreSQL, where others
-- than processors may note them too. Of a processor's the time is known.
ALTER TABLE event_metrics ADD COLUMN untimed_count INTEGER NOT NULL DEFAULT 0;

DROP VIEW recent_events;
CREATE VIEW recent_events AS
SELECT e.seq, e.created_at, e.platform, e.event_type, e.source_name,
       e.actor_name, e.priority,
       coalesce(nullif(trim(CASE e.platform
         WHEN 'github' THEN (
           SELECT coalesce(g.repository_name
                  || coalesce('#' || coalesce(g.pr_number, g.issue_number),
                              '@' || substr(g.commit_sha, 1, 7), ''), '')
                  || coalesce(' ' || g.title, '')
                  || coalesce(' -> ' || (
                       SELECT d.environment FROM deployment_events d
                       WHERE g.event LIKE 'deployment%'
                         AND d.event_seq = e.seq), '')
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
           SELECT coalesce(d.repository_name
                  || coalesce('@' || substr(d.commit_sha, 1, 7), ''), '')
                  || coalesce(' -> ' || d.environment, '')
                  || coalesce(' [' || d.status || ']', '')
           FROM deployment_events d WHERE d.event_seq = e.seq)
       END), ''), nullif(e.source_name, ''), '@' || nullif(e.actor_name, ''))
         AS context,
       e.correlation_id, e.processed_at, e.id, e.event_id
FROM events e
ORDER BY e.seq DESC;
