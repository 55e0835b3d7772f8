-- SPDX-License-Identifier: Apache-2.0
-- A backfill that goes on with other rules would leave out what it has done.

-- rules: the fingerprint of those it was begun with.
ALTER TABLE correlation_backfill ADD COLUMN rules TEXT NOT NULL DEFAULT '';
