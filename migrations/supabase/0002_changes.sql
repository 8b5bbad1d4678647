-- What changed since a cursor, without ever skipping a change that commits late.
--
-- Each write takes a number from one sequence and carries the number of its transaction. A cursor is the pair
-- (transaction, number), and only rows are given whose transaction is below the oldest one that still runs: every
-- transaction below it has ended, and every one that commits later is above it, whatever numbers it took before.

CREATE OR REPLACE FUNCTION public.angles_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.change_seq := nextval('public.angles_change_seq');
  NEW.change_xid := pg_current_xact_id()::text::bigint;
  NEW.synced_at := clock_timestamp();
  RETURN NEW;
END $$;

-- An edit in the table editor does not say when it was made: it was made now. A device says it itself.
CREATE OR REPLACE FUNCTION public.angles_stamp_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.change_seq := nextval('public.angles_change_seq');
  NEW.change_xid := pg_current_xact_id()::text::bigint;
  NEW.synced_at := clock_timestamp();
  IF TG_OP = 'UPDATE' AND NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at
     AND current_setting('angles.pushing', true) IS DISTINCT FROM 'on' THEN
    NEW.updated_at := clock_timestamp();
  END IF;
  RETURN NEW;
END $$;

-- Rows that were deleted for good (in the table editor: the agent only retires).
CREATE TABLE IF NOT EXISTS public.deletions (
  table_name text NOT NULL,
  id         uuid NOT NULL,
  owner_id   uuid,
  deleted_at timestamptz NOT NULL DEFAULT now(),
  change_seq bigint NOT NULL DEFAULT 0,
  change_xid bigint NOT NULL DEFAULT 0,
  synced_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (table_name, id)
);
CREATE INDEX IF NOT EXISTS deletions_by_change ON public.deletions (table_name, change_xid, change_seq);
ALTER TABLE public.deletions ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.deletions FROM anon, authenticated;
GRANT SELECT ON public.deletions TO authenticated, service_role;
DROP POLICY IF EXISTS angles_own_rows ON public.deletions;
CREATE POLICY angles_own_rows ON public.deletions FOR SELECT TO authenticated USING (owner_id = (SELECT auth.uid()));
CREATE OR REPLACE TRIGGER angles_stamp BEFORE INSERT OR UPDATE ON public.deletions
  FOR EACH ROW EXECUTE FUNCTION public.angles_stamp();

-- TG_ARGV[0] is the name the table has for us, also when somebody renames it.
CREATE OR REPLACE FUNCTION public.angles_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format('INSERT INTO public.deletions (table_name, id, owner_id) SELECT %L, id, owner_id FROM %I.%I
                    ON CONFLICT (table_name, id) DO UPDATE SET deleted_at = now(), owner_id = excluded.owner_id',
                   TG_ARGV[0], TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
  END IF;
  IF TG_OP = 'DELETE' OR OLD.id IS DISTINCT FROM NEW.id THEN
    INSERT INTO public.deletions (table_name, id, owner_id) VALUES (TG_ARGV[0], OLD.id, OLD.owner_id)
    ON CONFLICT (table_name, id) DO UPDATE SET deleted_at = now(), owner_id = excluded.owner_id;
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.angles_deleted() FROM PUBLIC, anon, authenticated;

DO $$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['decision_vault', 'memories', 'activities', 'file_snapshots'] LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER angles_stamp BEFORE INSERT OR UPDATE ON public.%I FOR EACH ROW EXECUTE FUNCTION public.%I()',
                   v_table, CASE WHEN v_table IN ('decision_vault', 'memories') THEN 'angles_stamp_edit' ELSE 'angles_stamp' END);
    EXECUTE format('CREATE OR REPLACE TRIGGER angles_deleted AFTER DELETE ON public.%I FOR EACH ROW EXECUTE FUNCTION public.angles_deleted(%L)',
                   v_table, v_table);
    EXECUTE format('CREATE OR REPLACE TRIGGER angles_renumbered AFTER UPDATE OF id ON public.%I FOR EACH ROW EXECUTE FUNCTION public.angles_deleted(%L)',
                   v_table, v_table);
    EXECUTE format('CREATE OR REPLACE TRIGGER angles_emptied BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION public.angles_deleted(%L)',
                   v_table, v_table);
  END LOOP;
END $$;

-- Rows that were there before this migration get numbers, too.
UPDATE public.decision_vault SET change_seq = 0 WHERE change_xid = 0;
UPDATE public.memories SET change_seq = 0 WHERE change_xid = 0;
UPDATE public.activities SET change_seq = 0 WHERE change_xid = 0;
UPDATE public.file_snapshots SET change_seq = 0 WHERE change_xid = 0;

-- p_cursors: {table: [transaction, number, transaction of deletions, number of deletions]}.
-- Answers {tables: {table: {rows, gone, cursor, more} or {error: {code, message}}}, ahead}. A table that fails (renamed,
-- say) does not keep the others from being read. `ahead`: a cursor is from a later state of this database.
-- Rows of the device p_skip_device are left out of the append-only tables: it wrote them itself.
CREATE OR REPLACE FUNCTION public.angles_pull(p_cursors jsonb, p_skip_device text, p_max_rows integer, p_max_bytes integer)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_oldest bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
  v_newest_seq bigint := (SELECT last_value FROM public.angles_change_seq);
  v_result jsonb := '{}';
  v_ahead boolean := false;
  v_table text;
  v_cursor jsonb;
  v_page jsonb;
  v_gone jsonb;
BEGIN
  FOR v_table, v_cursor IN SELECT key, value FROM jsonb_each(p_cursors) LOOP
    IF greatest((v_cursor ->> 0)::bigint, (v_cursor ->> 2)::bigint) >= v_oldest
       OR greatest((v_cursor ->> 1)::bigint, (v_cursor ->> 3)::bigint) > v_newest_seq THEN
      v_ahead := true;
    END IF;
    BEGIN
      EXECUTE format($q$
        WITH page AS (
          SELECT * FROM public.%1$I WHERE (change_xid, change_seq) > ($1, $2) AND change_xid < $3
          ORDER BY change_xid, change_seq LIMIT $4
        ), measured AS (
          SELECT change_xid, change_seq, device_id = $6 AND %2$L::boolean AS skipped, to_jsonb(page) AS row FROM page
        ), kept AS (
          SELECT *, coalesce(sum(octet_length(row::text)) OVER (ORDER BY change_xid, change_seq
                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < $5 AS fits FROM measured
        )
        SELECT jsonb_build_object(
          'rows', coalesce(jsonb_agg(row ORDER BY change_xid, change_seq) FILTER (WHERE fits AND skipped IS NOT TRUE), '[]'),
          'xid', (array_agg(change_xid ORDER BY change_xid DESC, change_seq DESC) FILTER (WHERE fits))[1],
          'seq', (array_agg(change_seq ORDER BY change_xid DESC, change_seq DESC) FILTER (WHERE fits))[1],
          'more', count(*) = $4 OR bool_or(NOT fits))
        FROM kept $q$, v_table, v_table IN ('activities', 'file_snapshots'))
      INTO v_page
      USING (v_cursor ->> 0)::bigint, (v_cursor ->> 1)::bigint, v_oldest, p_max_rows, p_max_bytes, p_skip_device;
      -- A row that was made again since is not gone.
      EXECUTE format($q$
        WITH page AS (
          SELECT * FROM public.deletions WHERE table_name = %1$L AND (change_xid, change_seq) > ($1, $2) AND change_xid < $3
          ORDER BY change_xid, change_seq LIMIT $4
        )
        SELECT jsonb_build_object(
          'ids', coalesce(jsonb_agg(id ORDER BY change_xid, change_seq)
                          FILTER (WHERE NOT EXISTS (SELECT 1 FROM public.%1$I live WHERE live.id = page.id)), '[]'),
          'xid', (array_agg(change_xid ORDER BY change_xid DESC, change_seq DESC))[1],
          'seq', (array_agg(change_seq ORDER BY change_xid DESC, change_seq DESC))[1],
          'more', count(*) = $4)
        FROM page $q$, v_table)
      INTO v_gone
      USING (v_cursor ->> 2)::bigint, (v_cursor ->> 3)::bigint, v_oldest, p_max_rows;
      v_result := v_result || jsonb_build_object(v_table, jsonb_build_object(
        'rows', v_page -> 'rows',
        'gone', v_gone -> 'ids',
        'cursor', jsonb_build_array(
          coalesce(v_page ->> 'xid', v_cursor ->> 0)::bigint, coalesce(v_page ->> 'seq', v_cursor ->> 1)::bigint,
          coalesce(v_gone ->> 'xid', v_cursor ->> 2)::bigint, coalesce(v_gone ->> 'seq', v_cursor ->> 3)::bigint),
        'more', coalesce((v_page ->> 'more')::boolean, false) OR coalesce((v_gone ->> 'more')::boolean, false)));
    EXCEPTION WHEN OTHERS THEN
      v_result := v_result || jsonb_build_object(v_table,
        jsonb_build_object('error', jsonb_build_object('code', SQLSTATE, 'message', SQLERRM)));
    END;
  END LOOP;
  RETURN jsonb_build_object('tables', v_result, 'ahead', v_ahead);
END $$;
REVOKE ALL ON FUNCTION public.angles_pull(jsonb, text, integer, integer) FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION public.angles_pull(jsonb, text, integer, integer) TO authenticated, service_role;

-- Gives every row a number of this server, when the rows come from another one (a restore into a new project). The
-- instance becomes another one, too: agents then ask a person before they believe it.
CREATE OR REPLACE FUNCTION public.angles_renumber() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  v_here text := (SELECT system_identifier::text FROM pg_control_system());
BEGIN
  UPDATE public.angles_meta SET system_identifier = v_here, instance = gen_random_uuid()
  WHERE system_identifier IS DISTINCT FROM v_here;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM set_config('angles.pushing', 'on', true);
  UPDATE public.decision_vault SET change_seq = 0;
  UPDATE public.memories SET change_seq = 0;
  UPDATE public.activities SET change_seq = 0;
  UPDATE public.file_snapshots SET change_seq = 0;
  UPDATE public.deletions SET change_seq = 0;
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION public.angles_renumber() FROM PUBLIC, anon, authenticated;
