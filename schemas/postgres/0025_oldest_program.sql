-- SPDX-License-Identifier: Apache-2.0
-- During a rolling upgrade, or after one that was taken back, older programs
-- start on a schema that a newer one has brought up to date, if it says so.

ALTER TABLE schema_migrations ADD COLUMN oldest_program integer;
COMMENT ON COLUMN schema_migrations.oldest_program IS 'In the row of the newest step: programs that know this many steps can work with the schema; NULL: only those that know all.';
