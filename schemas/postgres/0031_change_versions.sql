-- SPDX-License-Identifier: Apache-2.0
-- Two nodes that change the same stream or subscription at once no longer undo
-- each other: a change is written only on top of what it was made of. Triggers
-- count, for programs that do not know of it change these rows, too.

ALTER TABLE event_streams ADD COLUMN version bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN event_streams.version IS 'Raised by each change of what the stream is.';
ALTER TABLE stream_subscriptions ADD COLUMN version bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN stream_subscriptions.version IS 'Raised by each change of what the subscription is; not by its progress.';

CREATE FUNCTION raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION raise_version IS 'Counts the changes of a row.';

CREATE TRIGGER event_streams_version BEFORE UPDATE ON event_streams
  FOR EACH ROW WHEN (
    ROW(OLD.description, OLD.filter::text, OLD.built_in)
    IS DISTINCT FROM
    ROW(NEW.description, NEW.filter::text, NEW.built_in))
  EXECUTE FUNCTION raise_version();

CREATE TRIGGER stream_subscriptions_version BEFORE UPDATE ON stream_subscriptions
  FOR EACH ROW WHEN (
    ROW(OLD.subscriber_id, OLD.type, OLD.url, OLD.filter::text,
        OLD.secrets::text, OLD.format, OLD.ordered, OLD.headers::text,
        OLD.max_concurrent, OLD.rate_per_second, OLD.active,
        OLD.disabled_reason)
    IS DISTINCT FROM
    ROW(NEW.subscriber_id, NEW.type, NEW.url, NEW.filter::text,
        NEW.secrets::text, NEW.format, NEW.ordered, NEW.headers::text,
        NEW.max_concurrent, NEW.rate_per_second, NEW.active,
        NEW.disabled_reason))
  EXECUTE FUNCTION raise_version();
