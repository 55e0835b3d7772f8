-- SPDX-License-Identifier: Apache-2.0
-- Counts the changes to threads that no append made: what a writer knows of the
-- threads from its last batches holds as long as this and last_seq stay.
ALTER TABLE log_head ADD COLUMN thread_version INTEGER NOT NULL DEFAULT 0;
