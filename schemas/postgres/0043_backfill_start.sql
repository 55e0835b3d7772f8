-- SPDX-License-Identifier: Apache-2.0
-- A backfill that began at a time and was stopped goes on with the rest of
-- that, and says so.

ALTER TABLE correlation_backfill ADD COLUMN after_seq bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN correlation_backfill.after_seq IS 'Where it was begun: events up to this seq are none of it.';
