-- SPDX-License-Identifier: Apache-2.0
-- What threads say of their events counts the events that told of merges and
-- leaves out those that retention removed. From now on this is kept; here it is
-- put right for the threads that either concerns.

CREATE TEMP TABLE recounted AS
  SELECT id FROM correlation_threads
  WHERE id IN (SELECT thread_id FROM correlation_merges)
     OR first_event_at < coalesce((SELECT min(created_at) FROM events), '9999');

DELETE FROM correlation_threads
WHERE id IN (SELECT id FROM recounted)
  AND NOT EXISTS (SELECT 1 FROM events e
                  WHERE e.correlation_id = correlation_threads.id);

UPDATE correlation_threads
SET (event_count, last_seq, first_event_at, last_event_at) = (
      SELECT count(*), max(e.seq), min(e.created_at), max(e.created_at)
      FROM events e WHERE e.correlation_id = correlation_threads.id),
    platforms = (
      SELECT json_group_array(platform) FROM (
        SELECT DISTINCT e.platform FROM events e
        WHERE e.correlation_id = correlation_threads.id
          AND e.platform <> 'eventweft' ORDER BY e.platform))
WHERE id IN (SELECT id FROM recounted);

DROP TABLE recounted;
