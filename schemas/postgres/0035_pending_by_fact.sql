-- SPDX-License-Identifier: Apache-2.0
-- What waits for a fact is read newest first. The index that has it so must be
-- the only one in an order of time: where few facts are waited for, the planner
-- would go through the other from its end, which is all of it where nothing
-- waits for the fact that an event has taught.
CREATE INDEX correlation_pending_fact
  ON correlation_pending (fact, event_created_at, event_id, key);
DROP INDEX correlation_pending_time;
CREATE INDEX correlation_pending_time
  ON correlation_pending USING brin (event_created_at)
  WITH (autosummarize = on);
