-- SPDX-License-Identifier: Apache-2.0
-- During a rolling upgrade, or after one that was taken back, older programs
-- start on a schema that a newer one has brought up to date. They may, unless a
-- step says otherwise:
--   UPDATE schema_migrations SET oldest_program = 31;

ALTER TABLE schema_migrations
  ADD COLUMN oldest_program integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN schema_migrations.oldest_program IS 'Programs that know fewer steps than this can''t work with the schema any more.';
