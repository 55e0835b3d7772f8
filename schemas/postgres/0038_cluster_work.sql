-- SPDX-License-Identifier: Apache-2.0
-- A node says what it runs besides processors: one with webhooks switched off,
-- or built without Kafka, must not be given what it would never do.

ALTER TABLE cluster_nodes ADD COLUMN runs text[];
COMMENT ON COLUMN cluster_nodes.runs IS 'The kinds of work that it does: metrics, retention, subscription:webhook, …; NULL: all (said by versions that do not tell).';

CREATE FUNCTION beat_node(
  p_name text, p_incarnation uuid, p_address text, p_http text,
  p_protocol_min integer, p_protocol integer, p_capabilities text,
  p_state text, p_processors text[], p_runs text[], p_dead_after interval
) RETURNS SETOF cluster_nodes
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO cluster_nodes AS n (
    name, incarnation, address, http, protocol_min, protocol, capabilities,
    state, processors, runs, dead_after)
  VALUES (p_name, p_incarnation, p_address, p_http, p_protocol_min, p_protocol,
          p_capabilities, p_state, p_processors, p_runs, p_dead_after)
  ON CONFLICT (name) DO UPDATE
  SET started_at = CASE WHEN n.incarnation = excluded.incarnation
                        THEN n.started_at ELSE clock_timestamp() END,
      incarnation = excluded.incarnation, address = excluded.address,
      http = excluded.http, protocol_min = excluded.protocol_min,
      protocol = excluded.protocol, capabilities = excluded.capabilities,
      state = excluded.state, processors = excluded.processors,
      runs = excluded.runs, dead_after = excluded.dead_after,
      heartbeat_at = clock_timestamp()
  WHERE n.incarnation = excluded.incarnation OR n.state = 'left'
     OR n.heartbeat_at <=
        clock_timestamp() - coalesce(n.dead_after, excluded.dead_after);
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT * FROM cluster_nodes n
  WHERE n.heartbeat_at > clock_timestamp() - interval '1 day' ORDER BY n.name;
END $$;
COMMENT ON FUNCTION beat_node(text, uuid, text, text, integer, integer, text, text, text[], text[], interval) IS 'Says that a node is there and what it runs; answers with all that are or lately were.';

-- For nodes of the version before.
CREATE OR REPLACE FUNCTION beat_node(
  p_name text, p_incarnation uuid, p_address text, p_http text,
  p_protocol_min integer, p_protocol integer, p_capabilities text,
  p_state text, p_processors text[], p_dead_after interval
) RETURNS SETOF cluster_nodes
LANGUAGE sql AS $$
  SELECT * FROM beat_node(p_name, p_incarnation, p_address, p_http,
    p_protocol_min, p_protocol, p_capabilities, p_state, p_processors,
    NULL::text[], p_dead_after);
$$;

-- Says when it was given back, so that what nobody has wanted for long can go.
CREATE OR REPLACE FUNCTION release_leases(p_owner text, p_work text[])
RETURNS void LANGUAGE sql AS $$
  UPDATE leases SET owner = '', expires_at = clock_timestamp()
  WHERE owner = p_owner AND (p_work IS NULL OR work = ANY (p_work));
$$;
