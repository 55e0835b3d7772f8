-- SPDX-License-Identifier: Apache-2.0

-- What the log already has of a batch: for each event that is not new one row
-- with its place in the batch, the place of the first in the batch with the
-- same key, and the stored event, if it is stored. `p_since`: how far back.
CREATE FUNCTION find_stored_events(
  p_platform text[], p_event_id text[], p_since timestamptz
) RETURNS TABLE (n bigint, first bigint, seq bigint, id uuid,
                 correlation_id uuid, parent_event_id uuid)
LANGUAGE plpgsql
-- The statements below must never become table scans, whatever the planner
-- knew when it saw them first.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH incoming AS MATERIALIZED (
    SELECT t.n, t.p, t.e, event_key(t.p, t.e) AS k
    FROM unnest(p_platform, p_event_id) WITH ORDINALITY AS t (p, e, n)
  ), looked_up AS (
    SELECT x.n, min(x.n) OVER (PARTITION BY x.k, x.p, x.e) AS first, s.*
    FROM incoming x
    LEFT JOIN LATERAL (
      SELECT ev.seq, ev.id, ev.correlation_id, ev.parent_event_id
      FROM events ev
      WHERE event_key(ev.platform, ev.event_id) = x.k
        AND ev.created_at >= p_since
        -- Written so that no index on platform can be chosen for it.
        AND ev.platform IS NOT DISTINCT FROM x.p
        AND ev.event_id IS NOT DISTINCT FROM x.e
      LIMIT 1
    ) s ON true
  )
  SELECT l.n, l.first, l.seq, l.id, l.correlation_id, l.parent_event_id
  FROM looked_up l
  WHERE l.seq IS NOT NULL OR l.n <> l.first
  ORDER BY l.n;
END $$;
COMMENT ON FUNCTION find_stored_events IS 'Which events of a batch are stored already, or twice in it.';

-- Writes the rows of a batch, given as one array a column; those with a NULL
-- as their seq are left out. The last four arrays hold what goes into the
-- detail tables, as JSON objects by column name; NULL for an event without, an
-- empty array for a batch without. The caller holds the log head.
CREATE FUNCTION insert_events(
  p_seq bigint[], p_id uuid[], p_event_id text[], p_platform text[],
  p_event_type text[], p_source_id text[], p_source_name text[],
  p_actor_id text[], p_actor_name text[], p_priority text[],
  p_correlation_id uuid[], p_parent_event_id uuid[], p_metadata json[],
  p_created_at timestamptz[], p_processed_at timestamptz[],
  p_processing_duration double precision[], p_payload_bytes integer[],
  p_payload json[], p_payload_raw text[], p_github json[], p_linear json[],
  p_slack json[], p_deployment json[]
) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
  -- unnest in the select list streams; in FROM it would spool the payloads
  -- to a temporary file first.
  INSERT INTO events (
    seq, id, created_at, processed_at, processing_duration, correlation_id,
    parent_event_id, priority, payload_bytes, platform, event_id, event_type,
    source_id, source_name, actor_id, actor_name, metadata, payload,
    payload_raw)
  SELECT b.seq, b.id, b.created_at, b.processed_at, b.processing_duration,
         b.correlation_id, b.parent_event_id, b.priority::event_priority,
         b.payload_bytes, b.platform, b.event_id, b.event_type, b.source_id,
         b.source_name, b.actor_id, b.actor_name, b.metadata, b.payload,
         b.payload_raw
  FROM (
    SELECT unnest(p_seq) AS seq, unnest(p_id) AS id,
           unnest(p_created_at) AS created_at,
           unnest(p_processed_at) AS processed_at,
           unnest(p_processing_duration) AS processing_duration,
           unnest(p_correlation_id) AS correlation_id,
           unnest(p_parent_event_id) AS parent_event_id,
           unnest(p_priority) AS priority,
           unnest(p_payload_bytes) AS payload_bytes,
           unnest(p_platform) AS platform, unnest(p_event_id) AS event_id,
           unnest(p_event_type) AS event_type,
           unnest(p_source_id) AS source_id,
           unnest(p_source_name) AS source_name,
           unnest(p_actor_id) AS actor_id,
           unnest(p_actor_name) AS actor_name,
           unnest(p_metadata) AS metadata, unnest(p_payload) AS payload,
           unnest(p_payload_raw) AS payload_raw
  ) b
  WHERE b.seq IS NOT NULL;

  IF cardinality(p_github) > 0 THEN
    INSERT INTO github_events (
      event_seq, event_id, created_at,
      event, action, repository_id, repository_name, organization,
      installation_id, pr_number, issue_number, commit_sha, branch, title,
      state, labels, assignees)
    SELECT b.seq, b.id, b.created_at,
           d.event, d.action, d.repository_id, d.repository_name,
           d.organization, d.installation_id, d.pr_number, d.issue_number,
           d.commit_sha, d.branch, d.title, d.state, d.labels, d.assignees
    FROM (SELECT unnest(p_seq) AS seq, unnest(p_id) AS id,
                 unnest(p_created_at) AS created_at,
                 unnest(p_github) AS doc) b
    CROSS JOIN LATERAL json_to_record(b.doc) AS d (
      event text, action text, repository_id bigint, repository_name text,
      organization text, installation_id bigint, pr_number integer,
      issue_number integer, commit_sha text, branch text, title text, state
      text, labels text[], assignees text[])
    WHERE b.seq IS NOT NULL AND b.doc IS NOT NULL;
  END IF;
  IF cardinality(p_linear) > 0 THEN
    INSERT INTO linear_events (
      event_seq, event_id, created_at,
      type, action, organization_id, team_id, team_key, issue_id,
      issue_number, identifier, project_id, cycle_id, title, state,
      priority, labels, assignee, updated_from)
    SELECT b.seq, b.id, b.created_at,
           d.type, d.action, d.organization_id, d.team_id, d.team_key,
           d.issue_id, d.issue_number, d.identifier, d.project_id,
           d.cycle_id, d.title, d.state, d.priority, d.labels, d.assignee,
           d.updated_from
    FROM (SELECT unnest(p_seq) AS seq, unnest(p_id) AS id,
                 unnest(p_created_at) AS created_at,
                 unnest(p_linear) AS doc) b
    CROSS JOIN LATERAL json_to_record(b.doc) AS d (
      type text, action text, organization_id text, team_id text, team_key
      text, issue_id text, issue_number integer, identifier text, project_id
      text, cycle_id text, title text, state text, priority integer, labels
      text[], assignee text, updated_from json)
    WHERE b.seq IS NOT NULL AND b.doc IS NOT NULL;
  END IF;
  IF cardinality(p_slack) > 0 THEN
    INSERT INTO slack_events (
      event_seq, event_id, created_at,
      type, workspace_id, channel_id, user_id, thread_ts, message_ts, text,
      subtype, bot_id)
    SELECT b.seq, b.id, b.created_at,
           d.type, d.workspace_id, d.channel_id, d.user_id, d.thread_ts,
           d.message_ts, d.text, d.subtype, d.bot_id
    FROM (SELECT unnest(p_seq) AS seq, unnest(p_id) AS id,
                 unnest(p_created_at) AS created_at,
                 unnest(p_slack) AS doc) b
    CROSS JOIN LATERAL json_to_record(b.doc) AS d (
      type text, workspace_id text, channel_id text, user_id text, thread_ts
      text, message_ts text, text text, subtype text, bot_id text)
    WHERE b.seq IS NOT NULL AND b.doc IS NOT NULL;
  END IF;
  IF cardinality(p_deployment) > 0 THEN
    INSERT INTO deployment_events (
      event_seq, event_id, created_at,
      deployment_id, environment, status, repository_name, commit_sha,
      branch_name, deployment_url, log_url, started_at, completed_at,
      pull_request_number)
    SELECT b.seq, b.id, b.created_at,
           d.deployment_id, d.environment, d.status, d.repository_name,
           d.commit_sha, d.branch_name, d.deployment_url, d.log_url,
           d.started_at, d.completed_at, d.pull_request_number
    FROM (SELECT unnest(p_seq) AS seq, unnest(p_id) AS id,
                 unnest(p_created_at) AS created_at,
                 unnest(p_deployment) AS doc) b
    CROSS JOIN LATERAL json_to_record(b.doc) AS d (
      deployment_id text, environment text, status text, repository_name
      text, commit_sha text, branch_name text, deployment_url text, log_url
      text, started_at timestamptz, completed_at timestamptz,
      pull_request_number integer)
    WHERE b.seq IS NOT NULL AND b.doc IS NOT NULL;
  END IF;
END $$;
COMMENT ON FUNCTION insert_events IS 'Writes the rows of numbered events.';

-- Appends a batch, given as one array a column (see insert_events). Gives back
-- one row for each of its events, in order: the id, the seq and the thread
-- that it has in the log, and whether another event was there first.
CREATE FUNCTION append_events(
  p_id uuid[], p_event_id text[], p_platform text[], p_event_type text[],
  p_source_id text[], p_source_name text[], p_actor_id text[],
  p_actor_name text[], p_priority text[], p_correlation_id uuid[],
  p_parent_event_id uuid[], p_metadata json[], p_created_at timestamptz[],
  p_processed_at timestamptz[], p_processing_duration double precision[],
  p_payload_bytes integer[], p_payload json[], p_payload_raw text[],
  p_github json[] DEFAULT '{}', p_linear json[] DEFAULT '{}',
  p_slack json[] DEFAULT '{}', p_deployment json[] DEFAULT '{}'
) RETURNS TABLE (id uuid, seq bigint, duplicate boolean, correlation_id uuid,
                 parent_event_id uuid)
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_head bigint;
  v_since timestamptz;
  v_fresh bigint;
  -- For each event: the place of the first in this batch with the same key,
  -- what the log has of it, and its new number if it is new.
  v_first bigint[];
  v_stored_seq bigint[];
  v_stored_id uuid[];
  v_thread uuid[];
  v_parent uuid[];
  v_new bigint[];
BEGIN
  -- A statement of its own: those that follow see what the holder before us
  -- has committed.
  SELECT h.last_seq,
         (SELECT min(t.c) FROM unnest(p_created_at) AS t (c)) - h.dedup_window
  INTO v_head, v_since
  FROM log_head h FOR UPDATE;

  WITH numbered AS (
    SELECT t.n, coalesce(s.first, t.n) AS first, s.seq, s.id,
           s.correlation_id, s.parent_event_id, s.n IS NULL AS fresh,
           count(*) FILTER (WHERE s.n IS NULL) OVER (ORDER BY t.n) AS place
    FROM generate_series(1, cardinality(p_id)) AS t (n)
    LEFT JOIN find_stored_events(p_platform, p_event_id, v_since) s
      ON s.n = t.n
  )
  SELECT array_agg(a.first ORDER BY a.n), array_agg(a.seq ORDER BY a.n),
         array_agg(a.id ORDER BY a.n),
         array_agg(a.correlation_id ORDER BY a.n),
         array_agg(a.parent_event_id ORDER BY a.n),
         array_agg(CASE WHEN a.fresh THEN v_head + a.place END ORDER BY a.n),
         count(*) FILTER (WHERE a.fresh)
  INTO v_first, v_stored_seq, v_stored_id, v_thread, v_parent, v_new, v_fresh
  FROM numbered a;

  IF v_fresh > 0 THEN
    UPDATE log_head SET last_seq = v_head + v_fresh;
    PERFORM insert_events(
      v_new, p_id, p_event_id, p_platform, p_event_type, p_source_id,
      p_source_name, p_actor_id, p_actor_name, p_priority, p_correlation_id,
      p_parent_event_id, p_metadata, p_created_at, p_processed_at,
      p_processing_duration, p_payload_bytes, p_payload, p_payload_raw,
      p_github, p_linear, p_slack, p_deployment);
  END IF;

  -- Wakes the other nodes, where there are some; see persistence/nodes.hpp.
  IF v_fresh > 0 AND coalesce(current_setting('eventweft.node', true), '') <> ''
  THEN
    PERFORM pg_notify('eventweft_log', (v_head + v_fresh)::text || ' ' ||
                                       current_setting('eventweft.node'));
  END IF;

  RETURN QUERY
  SELECT coalesce(r.stored_id, p_id[r.first]),
         coalesce(r.stored_seq, v_new[r.first]),
         r.n <> r.first OR r.stored_id IS NOT NULL,
         CASE WHEN r.stored_id IS NULL THEN p_correlation_id[r.first]
           ELSE r.thread END,
         CASE WHEN r.stored_id IS NULL THEN p_parent_event_id[r.first]
           ELSE r.parent END
  FROM unnest(v_first, v_stored_seq, v_stored_id, v_thread, v_parent)
    WITH ORDINALITY AS r (first, stored_seq, stored_id, thread, parent, n)
  ORDER BY r.n;
END $$;
COMMENT ON FUNCTION append_events IS 'Appends a batch of events that belong to no thread.';
