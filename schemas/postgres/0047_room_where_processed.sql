-- SPDX-License-Identifier: Apache-2.0
-- Pages of events are kept half empty where there are processors, whose work is
-- noted in them. Where nothing is, that room is better used, and a week that is
-- dropped has fewer pages to look for in memory.

CREATE FUNCTION events_fillfactor() RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN EXISTS (SELECT FROM processor_marks) THEN 45 ELSE 80 END
$$;
COMMENT ON FUNCTION events_fillfactor IS 'How full pages of events are to be: 45 of 100 with processors, 80 without.';

-- Pages that are full stay so: only new ones get the room.
CREATE FUNCTION fit_event_pages() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  v_fit text := 'fillfactor=' || events_fillfactor();
  p record;
BEGIN
  FOR p IN SELECT c.relname AS name FROM pg_inherits i
           JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'events'::regclass
             AND NOT coalesce(c.reloptions @> ARRAY[v_fit], false) LOOP
    EXECUTE format('ALTER TABLE %I SET (%s)', p.name, v_fit);
  END LOOP;
EXCEPTION WHEN lock_not_available OR deadlock_detected OR undefined_table THEN
  -- Somebody tends to one of them, or drops it; the next upkeep does it.
  NULL;
END $$;
COMMENT ON FUNCTION fit_event_pages IS 'Has new pages of events filled as events_fillfactor() says.';

CREATE OR REPLACE FUNCTION ensure_partitions(
  p_from timestamptz DEFAULT now() - interval '1 week',
  p_to timestamptz DEFAULT now() + interval '2 weeks'
) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  v_week timestamp := date_trunc('week', p_from AT TIME ZONE 'UTC');
  v_lower timestamptz;
  v_upper timestamptz;
  v_name text;
  v_made integer := 0;
  t record;
BEGIN
  WHILE v_week <= p_to AT TIME ZONE 'UTC' LOOP
    v_lower := v_week AT TIME ZONE 'UTC';
    v_upper := (v_week + interval '1 week') AT TIME ZONE 'UTC';
    FOR t IN SELECT * FROM partitioned_tables() LOOP
      v_name := t.table_name || to_char(v_week, '"_"YYYYMMDD');
      CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
      -- One at a time; others find it made.
      PERFORM pg_advisory_xact_lock(7311146936416691829);
      CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
      EXECUTE format(
        'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
        'INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)%s',
        v_name, t.table_name,
        CASE t.table_name
          WHEN 'events' THEN format(' WITH (fillfactor = %s)',
                                    events_fillfactor())
          ELSE '' END);
      EXECUTE format('COMMENT ON TABLE %I IS %L', v_name,
                     t.table_name || to_char(v_week,
                       '" of the week from "YYYY-MM-DD" (UTC)."'));
      -- Rows that came before their partition move into it.
      EXECUTE format(
        'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) '
        'INSERT INTO %I SELECT * FROM moved', t.table_name || '_default',
        t.time_column, v_lower, t.time_column, v_upper, v_name);
      EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        t.table_name, v_name, v_lower, v_upper);
      v_made := v_made + 1;
    END LOOP;
    v_week := v_week + interval '1 week';
  END LOOP;
  PERFORM fit_event_pages();
  RETURN v_made;
END $$;

-- The first processor does not wait for the next upkeep.
CREATE FUNCTION processor_came() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM fit_event_pages();
  RETURN NULL;
END $$;
COMMENT ON FUNCTION processor_came IS 'Trigger: has room made for what a processor notes.';

-- A function that is replaced loses its settings. And all of it belongs to whom
-- the tables belong to, also where roles.sql was run before.
DO $$
DECLARE
  v_owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c
                   WHERE c.oid = 'events'::regclass);
  f text;
BEGIN
  EXECUTE format('ALTER FUNCTION events_fillfactor OWNER TO %I', v_owner);
  FOREACH f IN ARRAY ARRAY['ensure_partitions', 'fit_event_pages',
                           'processor_came'] LOOP
    EXECUTE format('ALTER FUNCTION %I SET search_path = %I, pg_temp', f,
                   current_schema());
    EXECUTE format('ALTER FUNCTION %I SET lock_timeout = %L', f, '300ms');
    EXECUTE format('ALTER FUNCTION %I OWNER TO %I', f, v_owner);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I FROM PUBLIC', f);
  END LOOP;
END $$;

CREATE TRIGGER came AFTER INSERT ON processor_marks
FOR EACH ROW EXECUTE FUNCTION processor_came();

SELECT fit_event_pages();
