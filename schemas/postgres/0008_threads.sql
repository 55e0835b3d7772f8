-- SPDX-License-Identifier: Apache-2.0
-- What threads are found by. All of it is read and written by whoever holds
-- the log head, so nothing here needs a lock of its own.

CREATE TABLE correlation_threads (
  id uuid PRIMARY KEY,
  event_count bigint NOT NULL DEFAULT 0,
  last_seq bigint NOT NULL DEFAULT 0,
  first_event_at timestamptz NOT NULL,
  last_event_at timestamptz NOT NULL,
  platforms text[] COLLATE "C" NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);
-- What is read newest first, and where retention begins.
CREATE INDEX correlation_threads_last_seq ON correlation_threads (last_seq);
COMMENT ON TABLE correlation_threads IS 'The threads: sets of events that are about the same piece of work.';
COMMENT ON COLUMN correlation_threads.id IS 'events.correlation_id of its events.';
COMMENT ON COLUMN correlation_threads.event_count IS 'How many events it has.';
COMMENT ON COLUMN correlation_threads.last_seq IS 'events.seq of its newest event.';
COMMENT ON COLUMN correlation_threads.first_event_at IS 'When its oldest event came in.';
COMMENT ON COLUMN correlation_threads.last_event_at IS 'When its newest event came in.';
COMMENT ON COLUMN correlation_threads.platforms IS 'The platforms of its events.';

CREATE TABLE correlation_keys (
  key text COLLATE "C" PRIMARY KEY CHECK (key <> ''),
  thread_id uuid NOT NULL,
  owner_event_id uuid,
  links bigint NOT NULL DEFAULT 0,
  mentions bigint NOT NULL DEFAULT 0,
  last_seen timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX correlation_keys_thread ON correlation_keys (thread_id);
COMMENT ON TABLE correlation_keys IS 'Which thread a correlation key leads to.';
COMMENT ON COLUMN correlation_keys.key IS 'As in github:pr:octo/repo#12.';
COMMENT ON COLUMN correlation_keys.thread_id IS 'correlation_threads.id.';
COMMENT ON COLUMN correlation_keys.owner_event_id IS 'events.id of the first event that is this thing.';
COMMENT ON COLUMN correlation_keys.links IS 'Events that linked through it by their structure.';
COMMENT ON COLUMN correlation_keys.mentions IS 'Events that linked through it by a remark in their text.';
COMMENT ON COLUMN correlation_keys.last_seen IS 'When the newest event with it came in.';

CREATE TABLE correlation_merges (
  old_id uuid PRIMARY KEY,
  thread_id uuid NOT NULL,
  merged_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX correlation_merges_thread ON correlation_merges (thread_id);
COMMENT ON TABLE correlation_merges IS 'Where the threads went that were joined to others.';
COMMENT ON COLUMN correlation_merges.old_id IS 'What was a thread once.';
COMMENT ON COLUMN correlation_merges.thread_id IS 'correlation_threads.id of what it is part of now.';
COMMENT ON COLUMN correlation_merges.merged_at IS 'When it was joined.';

CREATE TABLE correlation_facts (
  fact text COLLATE "C" PRIMARY KEY,
  value text NOT NULL DEFAULT '',
  learned_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE correlation_facts IS 'What events taught: the team keys of Linear, the team of a Slack channel, the hosts that are a GitHub.';
COMMENT ON COLUMN correlation_facts.fact IS 'As in linear:team:ENG.';
COMMENT ON COLUMN correlation_facts.value IS 'What is known of it; may be empty.';
COMMENT ON COLUMN correlation_facts.learned_at IS 'When it was learned.';

CREATE TABLE correlation_pending (
  fact text COLLATE "C" NOT NULL,
  event_id uuid NOT NULL,
  key text COLLATE "C" NOT NULL,
  event_created_at timestamptz NOT NULL,
  evidence json NOT NULL,
  PRIMARY KEY (fact, event_id, key)
);
CREATE INDEX correlation_pending_time ON correlation_pending (event_created_at);
COMMENT ON TABLE correlation_pending IS 'Keys of stored events that wait for a fact.';
COMMENT ON COLUMN correlation_pending.fact IS 'What they wait for: correlation_facts.fact, or git:sha7: and the beginning of a commit.';
COMMENT ON COLUMN correlation_pending.event_id IS 'events.id.';
COMMENT ON COLUMN correlation_pending.key IS 'The key as it is so far.';
COMMENT ON COLUMN correlation_pending.event_created_at IS 'events.created_at.';
COMMENT ON COLUMN correlation_pending.evidence IS 'All that the rule said of it.';

CREATE TABLE correlation_backfill (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  last_seq bigint NOT NULL,
  until_seq bigint NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE correlation_backfill IS 'One row while `eventweft correlate --backfill` is not done.';
COMMENT ON COLUMN correlation_backfill.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN correlation_backfill.last_seq IS 'How far it is.';
COMMENT ON COLUMN correlation_backfill.until_seq IS 'Where it ends.';
COMMENT ON COLUMN correlation_backfill.started_at IS 'When it began.';

-- All that joining a batch to threads has to know, in one answer whose rows
-- are of several kinds:
--   head    x, y: last_seq and thread_version
--   seen    an event that is not new: n, its place; x, the place of the first
--           in the batch; y, id, other, parent: what is stored, if it is
--   key     name, id (its thread), other (its owner), x (links), y (mentions),
--           z (events of the thread), at
--   fact    name, more (its value)
--   commit  name: a full git:sha: key that begins with one of p_prefixes
--   wait    name (the fact), id (the event), at, more (evidence)
--   thread  id (what was asked for: a thread or an event), other (the thread),
--           x (its events); also for the events of wait
-- p_lock takes the log head first and holds it to the transaction's end.
CREATE FUNCTION look_up_threads(
  p_lock boolean, p_platform text[], p_event_id text[],
  p_created_at timestamptz[], p_keys text[], p_facts text[],
  p_waited_for text[], p_prefixes text[], p_ids uuid[]
) RETURNS TABLE (kind text, n bigint, name text, id uuid, other uuid,
                 parent uuid, x bigint, y bigint, z bigint, at timestamptz,
                 more text)
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_since timestamptz;
  v_waiting uuid[];
BEGIN
  IF p_lock THEN
    PERFORM 1 FROM log_head FOR UPDATE;
  END IF;
  kind := 'head';
  SELECT h.last_seq, h.thread_version,
         (SELECT min(t.c) FROM unnest(p_created_at) AS t (c)) - h.dedup_window
  INTO x, y, v_since
  FROM log_head h;
  RETURN NEXT;
  IF cardinality(p_event_id) > 0 THEN
    RETURN QUERY
    SELECT 'seen', s.n, NULL::text, s.id, s.correlation_id,
           s.parent_event_id, s.first, s.seq, NULL::bigint,
           NULL::timestamptz, NULL::text
    FROM find_stored_events(p_platform, p_event_id, v_since) s;
  END IF;
  IF cardinality(p_keys) > 0 THEN
    RETURN QUERY
    SELECT 'key', NULL::bigint, k.key, k.thread_id, k.owner_event_id,
           NULL::uuid, k.links, k.mentions, t.event_count, k.last_seen,
           NULL::text
    FROM unnest(p_keys) AS a (key)
    JOIN correlation_keys k ON k.key = a.key
    JOIN correlation_threads t ON t.id = k.thread_id;
  END IF;
  IF cardinality(p_facts) > 0 THEN
    RETURN QUERY
    SELECT 'fact', NULL::bigint, f.fact, NULL::uuid, NULL::uuid, NULL::uuid,
           NULL::bigint, NULL::bigint, NULL::bigint, NULL::timestamptz, f.value
    FROM unnest(p_facts) AS a (fact)
    JOIN correlation_facts f ON f.fact = a.fact;
  END IF;
  IF cardinality(p_prefixes) > 0 THEN
    RETURN QUERY
    SELECT 'commit', NULL::bigint, k.key, NULL::uuid, NULL::uuid, NULL::uuid,
           NULL::bigint, NULL::bigint, NULL::bigint, NULL::timestamptz,
           NULL::text
    FROM unnest(p_prefixes) AS a (prefix)
    CROSS JOIN LATERAL (
      -- Hexadecimal digits end before "g".
      SELECT c.key FROM correlation_keys c
      WHERE c.key >= a.prefix AND c.key < a.prefix || 'g'
        AND length(c.key) = 48
      ORDER BY c.key LIMIT 2
    ) k;
  END IF;
  IF cardinality(p_waited_for) > 0 THEN
    RETURN QUERY
    SELECT 'wait', NULL::bigint, w.fact, w.event_id, NULL::uuid, NULL::uuid,
           NULL::bigint, NULL::bigint, NULL::bigint, w.event_created_at,
           w.evidence::text
    FROM unnest(p_waited_for) AS a (fact)
    JOIN correlation_pending w ON w.fact = a.fact;
    IF FOUND THEN
      SELECT array_agg(DISTINCT w.event_id) INTO v_waiting
      FROM unnest(p_waited_for) AS a (fact)
      JOIN correlation_pending w ON w.fact = a.fact;
    END IF;
  END IF;
  IF cardinality(p_ids) > 0 OR v_waiting IS NOT NULL THEN
    RETURN QUERY
    SELECT 'thread', NULL::bigint, NULL::text, a.id, t.id, NULL::uuid,
           t.event_count, NULL::bigint, NULL::bigint, NULL::timestamptz,
           NULL::text
    FROM unnest(p_ids || v_waiting) AS a (id)
    CROSS JOIN LATERAL (
      SELECT coalesce(
        (SELECT e.correlation_id FROM events e
         WHERE e.id = a.id AND e.correlation_id IS NOT NULL LIMIT 1),
        (SELECT m.thread_id FROM correlation_merges m WHERE m.old_id = a.id),
        a.id) AS id
    ) r
    JOIN correlation_threads t ON t.id = r.id;
  END IF;
END $$;
COMMENT ON FUNCTION look_up_threads IS 'What joining a batch of events to threads has to know.';

-- Applies what joining a batch came to, in the order that
-- correlation/thread_index.hpp gives. The caller holds the log head.
--   m: merges; g: growth; k: keys; a: stored events that are in a thread now;
--   f: facts; w: keys that wait; r: keys that wait no more; l: evidence
CREATE FUNCTION change_threads(
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
  IF cardinality(m_from) > 0 THEN
    UPDATE correlation_keys k SET thread_id = m.i
    FROM unnest(m_from, m_into) AS m (f, i) WHERE k.thread_id = m.f;
    UPDATE events e SET correlation_id = m.i
    FROM unnest(m_from, m_into) AS m (f, i) WHERE e.correlation_id = m.f;
    UPDATE correlation_merges x SET thread_id = m.i
    FROM unnest(m_from, m_into) AS m (f, i) WHERE x.thread_id = m.f;
    INSERT INTO correlation_merges (old_id, thread_id)
    SELECT m.f, m.i FROM unnest(m_from, m_into) AS m (f, i);
    UPDATE correlation_threads t
    SET event_count = t.event_count + s.events,
        last_seq = greatest(t.last_seq, s.seq),
        first_event_at = least(t.first_event_at, s.first),
        last_event_at = greatest(t.last_event_at, s.last),
        platforms = ARRAY(
          SELECT p FROM unnest(t.platforms) AS u (p)
          UNION
          SELECT p FROM unnest(m_from, m_into) AS m (f, i)
          JOIN correlation_threads o ON o.id = m.f
          CROSS JOIN unnest(o.platforms) AS u (p)
          WHERE m.i = t.id ORDER BY 1)
    FROM (
      SELECT m.i, sum(o.event_count)::bigint AS events,
             max(o.last_seq) AS seq, min(o.first_event_at) AS first,
             max(o.last_event_at) AS last
      FROM unnest(m_from, m_into) AS m (f, i)
      JOIN correlation_threads o ON o.id = m.f
      GROUP BY m.i
    ) s WHERE t.id = s.i;
    DELETE FROM correlation_threads t WHERE t.id = ANY (m_from);
  END IF;
  IF cardinality(g_thread) > 0 THEN
    INSERT INTO correlation_threads AS t (
      id, event_count, last_seq, first_event_at, last_event_at, platforms)
    SELECT g.thread, g.events, g.seq, g.first, g.last,
           coalesce(string_to_array(nullif(g.platforms, ''), ','), '{}')
    FROM unnest(g_thread, g_events, g_seq, g_first, g_last, g_platforms)
      AS g (thread, events, seq, first, last, platforms)
    ON CONFLICT (id) DO UPDATE
    SET event_count = t.event_count + excluded.event_count,
        last_seq = greatest(t.last_seq, excluded.last_seq),
        first_event_at = least(t.first_event_at, excluded.first_event_at),
        last_event_at = greatest(t.last_event_at, excluded.last_event_at),
        platforms = CASE WHEN t.platforms @> excluded.platforms
          THEN t.platforms
          ELSE ARRAY(SELECT unnest(t.platforms) UNION
                     SELECT unnest(excluded.platforms) ORDER BY 1) END;
  END IF;
  IF cardinality(k_key) > 0 THEN
    INSERT INTO correlation_keys AS k (
      key, thread_id, owner_event_id, links, mentions, last_seen)
    SELECT c.key, c.thread, c.owner, c.links, c.mentions, c.seen
    FROM unnest(k_key, k_thread, k_owner, k_links, k_mentions, k_seen)
      AS c (key, thread, owner, links, mentions, seen)
    ON CONFLICT (key) DO UPDATE
    SET thread_id = excluded.thread_id,
        owner_event_id = coalesce(excluded.owner_event_id, k.owner_event_id),
        links = k.links + excluded.links,
        mentions = k.mentions + excluded.mentions,
        last_seen = greatest(k.last_seen, excluded.last_seen);
  END IF;
  IF cardinality(a_event) > 0 THEN
    UPDATE events e SET correlation_id = a.thread
    FROM unnest(a_event, a_created_at, a_thread) AS a (event, at, thread)
    WHERE e.id = a.event AND e.created_at = a.at;
    UPDATE correlation_threads t
    SET last_seq = greatest(t.last_seq, s.seq),
        platforms = ARRAY(SELECT unnest(t.platforms) UNION
                          SELECT unnest(s.platforms) ORDER BY 1)
    FROM (
      SELECT a.thread, max(e.seq) AS seq, array_agg(e.platform) AS platforms
      FROM unnest(a_event, a_created_at, a_thread) AS a (event, at, thread)
      JOIN events e ON e.id = a.event AND e.created_at = a.at
      GROUP BY a.thread
    ) s WHERE t.id = s.thread;
  END IF;
  IF cardinality(f_fact) > 0 THEN
    INSERT INTO correlation_facts (fact, value)
    SELECT f.fact, f.value FROM unnest(f_fact, f_value) AS f (fact, value)
    ON CONFLICT (fact) DO NOTHING;
  END IF;
  IF cardinality(w_fact) > 0 THEN
    INSERT INTO correlation_pending (
      fact, event_id, key, event_created_at, evidence)
    SELECT w.fact, w.event, w.key, w.at, w.evidence
    FROM unnest(w_fact, w_event, w_key, w_created_at, w_evidence)
      AS w (fact, event, key, at, evidence)
    ON CONFLICT (fact, event_id, key) DO UPDATE
    SET evidence = excluded.evidence;
  END IF;
  IF cardinality(r_fact) > 0 THEN
    DELETE FROM event_correlations c
    USING unnest(r_fact, r_event, r_key) AS r (fact, event, key)
    JOIN correlation_pending w
      ON w.fact = r.fact AND w.event_id = r.event AND w.key = r.key
    WHERE c.source_event_id = r.event AND c.correlation_key = r.key
      AND c.event_created_at = w.event_created_at AND c.state = 'pending';
    DELETE FROM correlation_pending w
    USING unnest(r_fact, r_event, r_key) AS r (fact, event, key)
    WHERE w.fact = r.fact AND w.event_id = r.event AND w.key = r.key;
  END IF;
  IF cardinality(l_event) > 0 THEN
    INSERT INTO event_correlations AS c (
      source_event_id, event_created_at, confidence_score, correlation_key,
      correlation_type, state, rule, field, matched)
    SELECT l.event, l.at, l.confidence, l.key, l.type, l.state, l.rule,
           l.field, l.matched
    FROM unnest(l_event, l_created_at, l_confidence, l_key, l_type, l_state,
                l_rule, l_field, l_matched)
      AS l (event, at, confidence, key, type, state, rule, field, matched)
    ON CONFLICT (source_event_id, correlation_key, event_created_at)
    DO UPDATE
    SET confidence_score = excluded.confidence_score,
        correlation_type = excluded.correlation_type, state = excluded.state,
        rule = excluded.rule, field = excluded.field,
        matched = excluded.matched;
  END IF;
END $$;
COMMENT ON FUNCTION change_threads IS 'Applies to the threads what joining a batch of events came to.';

-- Gives numbers to the new events of a batch if nothing was appended, and no
-- thread changed, since p_seq and p_version were read; takes the log head.
CREATE FUNCTION take_log_head(p_seq bigint, p_version bigint, p_events bigint)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_head record;
BEGIN
  SELECT h.last_seq, h.thread_version INTO v_head FROM log_head h FOR UPDATE;
  IF v_head.last_seq <> p_seq OR v_head.thread_version <> p_version THEN
    RETURN false;
  END IF;
  -- Who appends nothing must still be noticed.
  IF p_events > 0 THEN
    UPDATE log_head SET last_seq = p_seq + p_events;
    -- Wakes the other nodes, as append_events does.
    IF coalesce(current_setting('eventweft.node', true), '') <> '' THEN
      PERFORM pg_notify('eventweft_log', (p_seq + p_events)::text || ' ' ||
                                         current_setting('eventweft.node'));
    END IF;
  ELSE
    UPDATE log_head SET thread_version = p_version + 1;
  END IF;
  RETURN true;
END $$;
COMMENT ON FUNCTION take_log_head IS 'Takes the log head for a batch that was joined to threads; false if somebody else was faster.';

-- Appends new events together with what joining them to threads came to.
-- False, and nothing is done, if somebody else was faster.
CREATE FUNCTION append_joined_events(
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
BEGIN
  IF NOT take_log_head(p_head, p_version, cardinality(p_seq)) THEN
    RETURN false;
  END IF;
  PERFORM change_threads(
    m_from, m_into, g_thread, g_events, g_seq, g_first, g_last, g_platforms,
    k_key, k_thread, k_owner, k_links, k_mentions, k_seen, a_event,
    a_created_at, a_thread, f_fact, f_value, w_fact, w_event, w_created_at,
    w_key, w_evidence, r_fact, r_event, r_key, l_event, l_created_at, l_key,
    l_type, l_confidence, l_state, l_rule, l_field, l_matched);
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
COMMENT ON FUNCTION append_joined_events IS 'Appends a batch of new events with their threads; false if somebody else was faster.';

-- Lets go of the keys, threads and other traces of events that are gone, at
-- most p_limit of each; how many rows that were. To be called again while it
-- finds some.
CREATE FUNCTION forget_threads(p_limit bigint DEFAULT 10000)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_gone bigint := 0;
  v_rows bigint;
  v_seq bigint;
  v_since timestamptz;
BEGIN
  -- Whoever joins events meanwhile would link to what goes.
  SELECT h.last_seq + 1 INTO v_seq FROM log_head h FOR UPDATE;
  SELECT coalesce(min(e.seq), v_seq), coalesce(min(e.created_at), 'infinity')
  INTO v_seq, v_since
  FROM events e;
  DELETE FROM correlation_threads t
  WHERE t.id IN (
    SELECT o.id FROM correlation_threads o
    WHERE o.last_seq < v_seq ORDER BY o.last_seq LIMIT p_limit);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_gone := v_gone + v_rows;
  DELETE FROM correlation_keys k
  WHERE k.key IN (
    SELECT o.key FROM correlation_keys o
    WHERE o.last_seen < v_since
       OR NOT EXISTS (SELECT 1 FROM correlation_threads t
                      WHERE t.id = o.thread_id)
    LIMIT p_limit);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_gone := v_gone + v_rows;
  DELETE FROM correlation_merges m
  WHERE m.old_id IN (
    SELECT o.old_id FROM correlation_merges o
    WHERE NOT EXISTS (SELECT 1 FROM correlation_threads t
                      WHERE t.id = o.thread_id)
    LIMIT p_limit);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_gone := v_gone + v_rows;
  DELETE FROM correlation_pending w
  WHERE (w.fact, w.event_id, w.key) IN (
    SELECT o.fact, o.event_id, o.key FROM correlation_pending o
    WHERE o.event_created_at < v_since LIMIT p_limit);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_gone := v_gone + v_rows;
  IF v_gone > 0 THEN
    UPDATE log_head SET thread_version = thread_version + 1;
  END IF;
  RETURN v_gone;
END $$;
COMMENT ON FUNCTION forget_threads IS 'Lets go of the threads and keys of events that are gone; how many rows that were.';

-- Links two events by hand and puts both into one thread: that of the target,
-- else that of the source, else a new one. True if the link is new, NULL if
-- either event does not exist.
CREATE FUNCTION create_event_correlation(
  p_source_event_id uuid, p_target_event_id uuid, p_correlation_type text,
  p_correlation_key text DEFAULT NULL, p_confidence_score real DEFAULT 1
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_source record;
  v_target record;
  v_thread uuid;
BEGIN
  PERFORM 1 FROM log_head FOR UPDATE;
  SELECT e.* INTO v_source FROM events e WHERE e.id = p_source_event_id;
  SELECT e.* INTO v_target FROM events e WHERE e.id = p_target_event_id;
  IF v_source.id IS NULL OR v_target.id IS NULL THEN
    RETURN NULL;
  END IF;
  v_thread := coalesce(v_target.correlation_id, v_source.correlation_id,
                       v_target.id);
  INSERT INTO correlation_threads AS t (
    id, event_count, last_seq, first_event_at, last_event_at, platforms)
  SELECT v_thread, count(*), max(e.seq), min(e.created_at), max(e.created_at),
         array_agg(DISTINCT e.platform ORDER BY e.platform)
  FROM events e
  WHERE e.id IN (p_source_event_id, p_target_event_id)
    AND e.correlation_id IS NULL
  HAVING count(*) > 0
  ON CONFLICT (id) DO UPDATE
  SET event_count = t.event_count + excluded.event_count,
      last_seq = greatest(t.last_seq, excluded.last_seq),
      first_event_at = least(t.first_event_at, excluded.first_event_at),
      last_event_at = greatest(t.last_event_at, excluded.last_event_at),
      platforms = ARRAY(SELECT unnest(t.platforms) UNION
                        SELECT unnest(excluded.platforms) ORDER BY 1);
  UPDATE events e SET correlation_id = v_thread
  WHERE e.id IN (p_source_event_id, p_target_event_id)
    AND e.correlation_id IS NULL;
  UPDATE log_head SET thread_version = thread_version + 1;
  INSERT INTO event_correlations (
    source_event_id, event_created_at, confidence_score, correlation_key,
    correlation_type, rule, target_event_id)
  VALUES (p_source_event_id, v_source.created_at, p_confidence_score,
          coalesce(p_correlation_key, 'event:' || p_target_event_id),
          p_correlation_type, 'by hand', p_target_event_id)
  ON CONFLICT (source_event_id, correlation_key, event_created_at) DO NOTHING;
  RETURN FOUND;
END $$;
COMMENT ON FUNCTION create_event_correlation IS 'Links two events by hand and puts them into one thread.';

CREATE VIEW correlated_events AS
SELECT c.correlation_type, s.correlation_id, c.correlation_key,
       c.confidence_score, c.rule, c.field, c.matched,
       s.id AS source_event_id, s.platform AS source_platform,
       s.event_type AS source_event_type, s.source_name AS source_source_name,
       s.created_at AS source_created_at,
       t.id AS target_event_id, t.platform AS target_platform,
       t.event_type AS target_event_type, t.source_name AS target_source_name,
       t.created_at AS target_created_at,
       t.created_at - s.created_at AS time_between
FROM event_correlations c
JOIN events s
  ON s.id = c.source_event_id AND s.created_at = c.event_created_at
LEFT JOIN correlation_keys k ON k.key = c.correlation_key
LEFT JOIN events t ON t.id = coalesce(c.target_event_id, k.owner_event_id)
WHERE c.state = 'linked' AND c.correlation_type <> 'identity'
  AND t.id IS DISTINCT FROM s.id;
COMMENT ON VIEW correlated_events IS 'Events and what they are linked to, side by side; no target where the other thing has sent no event of its own.';
