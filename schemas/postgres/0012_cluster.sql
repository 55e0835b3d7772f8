-- SPDX-License-Identifier: Apache-2.0
-- The nodes there are, who owns what, and how they wake each other.

CREATE TABLE cluster (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  store_id uuid NOT NULL DEFAULT gen_random_uuid(),
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO cluster DEFAULT VALUES;
COMMENT ON TABLE cluster IS 'One row: what all nodes have in common.';
COMMENT ON COLUMN cluster.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN cluster.store_id IS 'Tells this store from any other: nodes that do not share it refuse each other.';
COMMENT ON COLUMN cluster.created_at IS 'When the schema was made.';

CREATE TABLE cluster_nodes (
  name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9.-]+$'),
  incarnation uuid NOT NULL,
  address text NOT NULL DEFAULT '',
  http text NOT NULL DEFAULT '',
  protocol_min integer NOT NULL,
  protocol integer NOT NULL CHECK (protocol >= protocol_min),
  capabilities text NOT NULL DEFAULT '',
  state text COLLATE "C" NOT NULL DEFAULT 'up'
    CHECK (state IN ('up', 'draining', 'left')),
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
COMMENT ON TABLE cluster_nodes IS 'The nodes that share this store; each beats about once a second.';
COMMENT ON COLUMN cluster_nodes.name IS 'Its name, unique in the cluster.';
COMMENT ON COLUMN cluster_nodes.incarnation IS 'Another one for each start of its process.';
COMMENT ON COLUMN cluster_nodes.address IS 'HOST:PORT for the links of other nodes; empty: none.';
COMMENT ON COLUMN cluster_nodes.http IS 'HOST:PORT of its HTTP server.';
COMMENT ON COLUMN cluster_nodes.protocol_min IS 'The oldest link protocol it speaks.';
COMMENT ON COLUMN cluster_nodes.protocol IS 'The newest link protocol it speaks.';
COMMENT ON COLUMN cluster_nodes.capabilities IS 'Version of the program and what it can do.';
COMMENT ON COLUMN cluster_nodes.state IS 'up, draining (hands over what it owns) or left.';
COMMENT ON COLUMN cluster_nodes.started_at IS 'When this incarnation was first seen.';
COMMENT ON COLUMN cluster_nodes.heartbeat_at IS 'When it last beat, by this clock.';

-- Tokens never come again, whatever becomes of the row they stand in.
CREATE SEQUENCE lease_tokens;

-- A renewal is a plain UPDATE, which those who hold the fence (FOR KEY SHARE)
-- do not block. A new owner takes FOR UPDATE, which they do: what is written
-- under a fence is committed before the fence falls. Nobody waits for that:
-- what is locked is left for the next claim.
CREATE FUNCTION claim_leases(p_owner text, p_work text[], p_ttl interval)
RETURNS TABLE (work text, token bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  UPDATE leases l SET expires_at = clock_timestamp() + p_ttl
  WHERE l.work = ANY (p_work) AND l.owner = p_owner;

  WITH free AS (
    SELECT l.work FROM leases l
    WHERE l.work = ANY (p_work) AND l.owner <> p_owner
      AND l.expires_at <= clock_timestamp()
    FOR UPDATE SKIP LOCKED
  )
  UPDATE leases l
  SET owner = p_owner, token = nextval('lease_tokens'),
      expires_at = clock_timestamp() + p_ttl
  FROM free WHERE l.work = free.work;

  -- In one order, so that two who do this at once can't wait for each other.
  INSERT INTO leases (work, owner, token, expires_at)
  SELECT w.work, p_owner, nextval('lease_tokens'), clock_timestamp() + p_ttl
  FROM (SELECT DISTINCT unnest(p_work) AS work ORDER BY 1) w
  WHERE NOT EXISTS (SELECT 1 FROM leases l WHERE l.work = w.work)
  ON CONFLICT DO NOTHING;

  RETURN QUERY SELECT l.work, l.token FROM leases l
  WHERE l.work = ANY (p_work) AND l.owner = p_owner;
END $$;
COMMENT ON FUNCTION claim_leases IS 'Renews the owner''s leases of that work, takes those that are free, and says which it holds.';

CREATE FUNCTION release_leases(p_owner text, p_work text[]) RETURNS void
LANGUAGE sql AS $$
  UPDATE leases SET owner = '', expires_at = '-infinity'
  WHERE owner = p_owner AND (p_work IS NULL OR work = ANY (p_work));
$$;
COMMENT ON FUNCTION release_leases IS 'Gives that work back, all of the owner''s for NULL: others may take it at once.';

-- Answers nothing where another incarnation of that name is alive.
CREATE FUNCTION beat_node(
  p_name text, p_incarnation uuid, p_address text, p_http text,
  p_protocol_min integer, p_protocol integer, p_capabilities text,
  p_state text, p_dead_after interval
) RETURNS SETOF cluster_nodes
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO cluster_nodes AS n (
    name, incarnation, address, http, protocol_min, protocol, capabilities,
    state)
  VALUES (p_name, p_incarnation, p_address, p_http, p_protocol_min, p_protocol,
          p_capabilities, p_state)
  ON CONFLICT (name) DO UPDATE
  SET started_at = CASE WHEN n.incarnation = excluded.incarnation
                        THEN n.started_at ELSE clock_timestamp() END,
      incarnation = excluded.incarnation, address = excluded.address,
      http = excluded.http, protocol_min = excluded.protocol_min,
      protocol = excluded.protocol, capabilities = excluded.capabilities,
      state = excluded.state, heartbeat_at = clock_timestamp()
  WHERE n.incarnation = excluded.incarnation OR n.state = 'left'
     OR n.heartbeat_at <= clock_timestamp() - p_dead_after;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT * FROM cluster_nodes n
  WHERE n.heartbeat_at > clock_timestamp() - interval '1 day' ORDER BY n.name;
END $$;
COMMENT ON FUNCTION beat_node IS 'Says that a node is there; answers with all that are or lately were.';
