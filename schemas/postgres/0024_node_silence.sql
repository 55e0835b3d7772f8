-- SPDX-License-Identifier: Apache-2.0
-- How long a node may be silent before it counts as dead is its own matter: one
-- with a short lease must not take those with longer ones for dead, nor one
-- of the same name for a node that crashed.

ALTER TABLE cluster_nodes ADD COLUMN dead_after interval;
COMMENT ON COLUMN cluster_nodes.dead_after IS 'Silent for so long it counts as dead; NULL: as whoever looks thinks (said by versions that do not tell).';

-- As it was, but keeps what it is told and goes by what the row says.
CREATE OR REPLACE FUNCTION beat_node(
  p_name text, p_incarnation uuid, p_address text, p_http text,
  p_protocol_min integer, p_protocol integer, p_capabilities text,
  p_state text, p_processors text[], p_dead_after interval
) RETURNS SETOF cluster_nodes
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO cluster_nodes AS n (
    name, incarnation, address, http, protocol_min, protocol, capabilities,
    state, processors, dead_after)
  VALUES (p_name, p_incarnation, p_address, p_http, p_protocol_min, p_protocol,
          p_capabilities, p_state, p_processors, p_dead_after)
  ON CONFLICT (name) DO UPDATE
  SET started_at = CASE WHEN n.incarnation = excluded.incarnation
                        THEN n.started_at ELSE clock_timestamp() END,
      incarnation = excluded.incarnation, address = excluded.address,
      http = excluded.http, protocol_min = excluded.protocol_min,
      protocol = excluded.protocol, capabilities = excluded.capabilities,
      state = excluded.state, processors = excluded.processors,
      dead_after = excluded.dead_after, heartbeat_at = clock_timestamp()
  WHERE n.incarnation = excluded.incarnation OR n.state = 'left'
     OR n.heartbeat_at <=
        clock_timestamp() - coalesce(n.dead_after, excluded.dead_after);
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT * FROM cluster_nodes n
  WHERE n.heartbeat_at > clock_timestamp() - interval '1 day' ORDER BY n.name;
END $$;
