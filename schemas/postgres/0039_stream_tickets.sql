-- SPDX-License-Identifier: Apache-2.0
-- Tickets for browsers, of all nodes: a load balancer brings whoever got one to
-- any of them. Nobody waits for the disk on their account, and after a crash
-- there are none, so that none is good twice.
CREATE UNLOGGED TABLE stream_tickets (
  hash text COLLATE "C" PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
  stream text NOT NULL,
  owner text COLLATE "C" NOT NULL,
  principal text NOT NULL,
  api_key text COLLATE "C" NOT NULL DEFAULT '',
  signer text COLLATE "C" NOT NULL DEFAULT '',
  filter json,
  credentials_until timestamptz,
  good_until timestamptz NOT NULL
);
CREATE INDEX stream_tickets_owner ON stream_tickets (owner);
CREATE INDEX stream_tickets_end ON stream_tickets (good_until);
COMMENT ON TABLE stream_tickets IS 'Tickets with which browsers open a stream, once and at any node of a cluster; a row goes when its ticket is used.';
COMMENT ON COLUMN stream_tickets.hash IS 'SHA-256 of the ticket, in hexadecimal. The ticket itself is nowhere.';
COMMENT ON COLUMN stream_tickets.stream IS 'The one stream it opens.';
COMMENT ON COLUMN stream_tickets.owner IS 'Whose it counts as: what kind of credentials, and their id.';
COMMENT ON COLUMN stream_tickets.principal IS 'The API key''s id or the token''s sub.';
COMMENT ON COLUMN stream_tickets.api_key IS 'The API key behind it, without which it opens nothing; empty for tokens.';
COMMENT ON COLUMN stream_tickets.signer IS 'Fingerprint of the key that verified the token behind it; empty for API keys.';
COMMENT ON COLUMN stream_tickets.filter IS 'What the bearer reads passes through this as well; null: everything.';
COMMENT ON COLUMN stream_tickets.credentials_until IS 'When the credentials behind it expire; null: never.';
COMMENT ON COLUMN stream_tickets.good_until IS 'Until when it can be used, by this clock.';
