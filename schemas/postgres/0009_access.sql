-- SPDX-License-Identifier: Apache-2.0
-- Who may do what, and who did what.

CREATE TABLE api_keys (
  id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
  hash text COLLATE "C" NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
  name text NOT NULL DEFAULT '',
  scopes text NOT NULL CHECK (scopes <> ''),
  filter json,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
COMMENT ON TABLE api_keys IS 'API keys. Rows stay when a key is revoked, so that nobody comes back and the audit trail keeps its names.';
COMMENT ON COLUMN api_keys.id IS 'Stands in the key, in lists and in the audit trail.';
COMMENT ON COLUMN api_keys.hash IS 'SHA-256 of the key, in hexadecimal. The key itself is nowhere.';
COMMENT ON COLUMN api_keys.name IS 'For people.';
COMMENT ON COLUMN api_keys.scopes IS 'ingest, read, stream:NAME, manage, admin, with spaces between.';
COMMENT ON COLUMN api_keys.filter IS 'What the bearer reads passes through this as well; null: everything.';
COMMENT ON COLUMN api_keys.created_at IS 'When it was made.';
COMMENT ON COLUMN api_keys.expires_at IS 'From then on it opens nothing; null: never.';
COMMENT ON COLUMN api_keys.revoked_at IS 'Since when it opens nothing.';
COMMENT ON COLUMN api_keys.last_used_at IS 'To the minute.';

CREATE TABLE api_keys_version (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  version bigint NOT NULL DEFAULT 1
);
INSERT INTO api_keys_version DEFAULT VALUES;
COMMENT ON TABLE api_keys_version IS 'One row, by which servers see that keys have changed.';
COMMENT ON COLUMN api_keys_version.one IS 'Keeps it at one row.';
COMMENT ON COLUMN api_keys_version.version IS 'Grows with every key that is made or revoked.';

CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  actor_kind text NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL DEFAULT '',
  address text NOT NULL DEFAULT '',
  status integer NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (at);
COMMENT ON TABLE audit_log IS 'Every management call, whatever came of it.';
COMMENT ON COLUMN audit_log.id IS 'In the order in which they were written down.';
COMMENT ON COLUMN audit_log.at IS 'When.';
COMMENT ON COLUMN audit_log.actor_kind IS 'api_key, token, anonymous or command line.';
COMMENT ON COLUMN audit_log.actor IS 'The API key''s id, the token''s sub, or the user of the command line.';
COMMENT ON COLUMN audit_log.action IS 'Method and route, as in "DELETE /api/v1/keys/{id}".';
COMMENT ON COLUMN audit_log.target IS 'What it was done to.';
COMMENT ON COLUMN audit_log.address IS 'From where; empty for the command line.';
COMMENT ON COLUMN audit_log.status IS 'The HTTP status of the answer.';
