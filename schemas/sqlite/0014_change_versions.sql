-- SPDX-License-Identifier: Apache-2.0
-- A change of a stream or a subscription is written only on top of what it was
-- made of.

-- Raised by each change of what the stream is.
ALTER TABLE event_streams ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
-- Raised by each change of what the subscription is; not by its progress.
ALTER TABLE stream_subscriptions ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

CREATE TRIGGER event_streams_version
  AFTER UPDATE OF description, filter, built_in ON event_streams
  WHEN OLD.description IS NOT NEW.description
    OR OLD.filter IS NOT NEW.filter
    OR OLD.built_in IS NOT NEW.built_in
BEGIN
  UPDATE event_streams SET version = OLD.version + 1 WHERE name = NEW.name;
END;

CREATE TRIGGER stream_subscriptions_version
  AFTER UPDATE OF subscriber_id, type, url, filter, secrets, format, ordered,
                  headers, max_concurrent, rate_per_second, active,
                  disabled_reason ON stream_subscriptions
  WHEN OLD.subscriber_id IS NOT NEW.subscriber_id
    OR OLD.type IS NOT NEW.type
    OR OLD.url IS NOT NEW.url
    OR OLD.filter IS NOT NEW.filter
    OR OLD.secrets IS NOT NEW.secrets
    OR OLD.format IS NOT NEW.format
    OR OLD.ordered IS NOT NEW.ordered
    OR OLD.headers IS NOT NEW.headers
    OR OLD.max_concurrent IS NOT NEW.max_concurrent
    OR OLD.rate_per_second IS NOT NEW.rate_per_second
    OR OLD.active IS NOT NEW.active
    OR OLD.disabled_reason IS NOT NEW.disabled_reason
BEGIN
  UPDATE stream_subscriptions SET version = OLD.version + 1 WHERE id = NEW.id;
END;
