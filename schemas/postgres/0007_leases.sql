-- SPDX-License-Identifier: Apache-2.0
-- Who of several nodes does a piece of work that only one may do.

CREATE TABLE leases (
  work text COLLATE "C" PRIMARY KEY CHECK (work <> ''),
  owner text COLLATE "C" NOT NULL,
  token bigint NOT NULL CHECK (token > 0),
  expires_at timestamptz NOT NULL
);
COMMENT ON TABLE leases IS 'The owner of each piece of work that one node at a time does.';
COMMENT ON COLUMN leases.work IS 'processor:NAME, subscription:UUID, retention, …';
COMMENT ON COLUMN leases.owner IS 'The node, by its name and incarnation.';
COMMENT ON COLUMN leases.token IS 'Grows with each new owner; what carries an older one is refused.';
COMMENT ON COLUMN leases.expires_at IS 'When others may take it over unless it is renewed.';

-- Locks the lease against a new owner until the transaction ends, so that the
-- check still holds at its commit. A renewal does not wait for this lock, a
-- new owner does (claim_leases).
CREATE FUNCTION fence_holds(p_work text, p_token bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  IF p_token = 0 THEN
    RETURN true;
  END IF;
  PERFORM 1 FROM leases WHERE work = p_work AND token = p_token
  FOR KEY SHARE;
  RETURN FOUND;
END $$;
COMMENT ON FUNCTION fence_holds IS 'Whether that token is the newest for that work; token 0 (one node alone) always is.';
