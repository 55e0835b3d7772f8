-- SPDX-License-Identifier: Apache-2.0
-- What every batch pays, however small it is: each statement that a function
-- has executed costs about as much as a row. An assignment executes none.

CREATE OR REPLACE FUNCTION commit_async() RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_set text;
BEGIN
  v_set := set_config('synchronous_commit', 'off', true);
  v_set := set_config('eventweft.commit', 'async', true);
  RETURN true;
END $$;

-- Whoever waited for another one's batch sees by the condition, which is looked
-- at again then, that the log is not what it was.
CREATE OR REPLACE FUNCTION take_log_head(
  p_seq bigint, p_version bigint, p_events bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  -- Who appends nothing must still be noticed.
  IF p_events > 0 THEN
    UPDATE log_head SET last_seq = p_seq + p_events
    WHERE last_seq = p_seq AND thread_version = p_version;
  ELSE
    UPDATE log_head SET thread_version = p_version + 1
    WHERE last_seq = p_seq AND thread_version = p_version;
  END IF;
  RETURN FOUND;
END $$;
