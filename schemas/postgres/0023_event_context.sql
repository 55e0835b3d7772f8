-- SPDX-License-Identifier: Apache-2.0
-- Every event has a readable line: what is about no repository, channel or the
-- like, such as an organization's members, shows its source, or who did it.

CREATE OR REPLACE VIEW recent_events AS
SELECT e.seq, e.created_at, e.platform, e.event_type, e.source_name,
       e.actor_name, e.priority,
       coalesce(nullif(CASE e.platform
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
       END, ''), nullif(e.source_name, ''), '@' || nullif(e.actor_name, ''))
         AS context,
       e.correlation_id, e.processed_at, e.id, e.event_id
FROM events e
ORDER BY e.seq DESC;
