-- SPDX-License-Identifier: Apache-2.0
-- What an index by type takes off an append (8 of 100 with a team's webhooks:
-- each type's entries go in amid the others', so its pages split all the time)
-- is more than it gives to the one who asks: most types are a good part of all
-- rows. Who asks for a rare one makes an index (docs/operate.md).
DROP INDEX event_correlations_type;
