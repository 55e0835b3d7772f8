-- SPDX-License-Identifier: Apache-2.0
-- An event that processors want is updated once they are done (processed_at,
-- which no index has). With room on its page that touches none of the indexes.

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
        CASE t.table_name WHEN 'events' THEN ' WITH (fillfactor = 80)'
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
  RETURN v_made;
END $$;

-- A function that is replaced loses its settings.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION ensure_partitions SET search_path = %I, '
                 'pg_temp', current_schema());
  ALTER FUNCTION ensure_partitions SET lock_timeout = '300ms';
END $$;

DO $$
DECLARE
  p record;
BEGIN
  FOR p IN SELECT i.inhrelid::regclass AS name FROM pg_inherits i
           WHERE i.inhparent = 'events'::regclass LOOP
    EXECUTE format('ALTER TABLE %s SET (fillfactor = 80)', p.name);
  END LOOP;
END $$;
