-- SPDX-License-Identifier: Apache-2.0
-- Links of events that the same call stores can't be there already: they are
-- written without looking.

CREATE OR REPLACE FUNCTION append_joined_events(
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
DECLARE
  -- Others are of events that were stored before, and may be known by now.
  v_fresh boolean := cardinality(l_event) > 0 AND l_event <@ p_id;
BEGIN
  IF NOT take_log_head(p_head, p_version, cardinality(p_seq)) THEN
    RETURN false;
  END IF;
  IF v_fresh THEN
    INSERT INTO event_correlations (
      source_event_id, event_created_at, confidence_score, correlation_key,
      correlation_type, state, rule, field, matched)
    SELECT l.event, l.at, l.confidence, l.key, l.type, l.state, l.rule,
           l.field, l.matched
    FROM unnest(l_event, l_created_at, l_confidence, l_key, l_type, l_state,
                l_rule, l_field, l_matched)
      AS l (event, at, confidence, key, type, state, rule, field, matched);
  END IF;
  PERFORM change_threads(
    m_from, m_into, g_thread, g_events, g_seq, g_first, g_last, g_platforms,
    k_key, k_thread, k_owner, k_links, k_mentions, k_seen, a_event,
    a_created_at, a_thread, f_fact, f_value, w_fact, w_event, w_created_at,
    w_key, w_evidence, r_fact, r_event, r_key,
    CASE WHEN v_fresh THEN '{}' ELSE l_event END, l_created_at, l_key, l_type,
    l_confidence, l_state, l_rule, l_field, l_matched);
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
