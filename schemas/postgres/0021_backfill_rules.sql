-- SPDX-License-Identifier: Apache-2.0
-- A backfill that goes on with other rules would leave out what it has done.

ALTER TABLE correlation_backfill ADD COLUMN rules text COLLATE "C" NOT NULL DEFAULT '';
COMMENT ON COLUMN correlation_backfill.rules IS 'Fingerprint of the rules it was begun with.';
