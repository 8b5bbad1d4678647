-- Writing rows: compare-and-set per row, a batch in one statement.

-- Which of these rows exist, also those that row level security hides: tells "gone" from "not yours".
CREATE OR REPLACE FUNCTION public.angles_existing(p_table text, p_ids uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  v_found uuid[];
BEGIN
  IF p_table NOT IN ('decision_vault', 'memories', 'activities', 'file_snapshots') THEN
    RAISE EXCEPTION 'no such table: %', p_table USING ERRCODE = '42P01';
  END IF;
  EXECUTE format('SELECT array_agg(id) FROM public.%I WHERE id = ANY ($1)', p_table) INTO v_found USING p_ids;
  RETURN coalesce(v_found, '{}');
END $$;
REVOKE ALL ON FUNCTION public.angles_existing(text, uuid[]) FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION public.angles_existing(text, uuid[]) TO authenticated, service_role;

-- p_rows: objects of the columns, with base_version: the change_seq that the writer knows, or null when the row is new
-- to it. Columns named in keep stay as they are over there. Answers {done: [[id, change_seq], ...], rest: [{id, outcome, version, row}, ...]}; outcome is `done` (it holds
-- just this already: an answer was lost), `changed` (with the row as it is), `gone`, `denied` (somebody else's) or
-- `again` (it was deleted in this very moment). Rows of append-only tables are inserted or already there.
CREATE OR REPLACE FUNCTION public.angles_push(p_table text, p_rows jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_is_merged boolean := p_table IN ('decision_vault', 'memories');
  v_owner uuid := public.angles_owner();
  v_types text;
  v_columns text;
  v_compared text;
  v_update text := '';
  v_done jsonb;
  v_rest jsonb := '[]';
BEGIN
  v_types := CASE p_table
    WHEN 'decision_vault' THEN 'title text, decision text, type text, category text, status text, priority text, tags text[], date date, source_path text, source_sha256 text, supersedes text, deleted_at timestamptz, origin text, created_at timestamptz, updated_at timestamptz, device_id text'
    WHEN 'memories' THEN 'title text, content text, kind text, category text, status text, tags text[], source_path text, source_sha256 text, supersedes text, deleted_at timestamptz, origin text, created_at timestamptz, updated_at timestamptz, device_id text'
    WHEN 'activities' THEN 'kind text, summary text, root text, path text, snapshot_id text, record_table text, record_id text, origin text, occurred_at timestamptz, device_id text'
    WHEN 'file_snapshots' THEN 'root text, path text, previous_path text, change text, sha256 text, size_bytes bigint, mtime timestamptz, captured_at timestamptz, still_open boolean, content text, content_object text, content_omitted text, redactions integer, device_id text'
  END;
  IF v_types IS NULL THEN
    RAISE EXCEPTION 'no such table: %', p_table USING ERRCODE = '42P01';
  END IF;
  v_columns := regexp_replace(v_types, '(\w+) [\w\[\]]+', '\1', 'g');
  IF v_is_merged THEN
    -- Everything up to deleted_at is what people see; the rest is carried along.
    v_compared := regexp_replace(v_columns, '(deleted_at).*', '\1');
    PERFORM set_config('angles.pushing', 'on', true);
    -- Taken in one order, so that two batches never wait for each other in a circle.
    EXECUTE format('SELECT 1 FROM public.%I WHERE id IN (SELECT (r ->> ''id'')::uuid FROM jsonb_array_elements($1) r
                    WHERE r ->> ''base_version'' IS NOT NULL) ORDER BY id FOR UPDATE', p_table) USING p_rows;
    v_update := format(', updated AS (UPDATE public.%I t SET (%s) = ROW (%s) FROM incoming i
                        WHERE t.id = i.id AND t.change_seq = i.base_version RETURNING t.id, t.change_seq)',
                       p_table, v_columns,
                       regexp_replace(v_columns, '(\w+)', 'CASE WHEN ''\1'' = ANY (i.keep) THEN t.\1 ELSE i.\1 END', 'g'));
  END IF;
  EXECUTE format('WITH incoming AS (SELECT * FROM jsonb_to_recordset($1) AS i(id uuid, base_version bigint, keep text[], %2$s)),
    inserted AS (INSERT INTO public.%1$I (id, %3$s, owner_id) SELECT id, %3$s, $2 FROM incoming
                 WHERE base_version IS NULL ORDER BY id ON CONFLICT (id) DO NOTHING RETURNING id, change_seq) %4$s
    SELECT coalesce(jsonb_agg(jsonb_build_array(id, change_seq)), ''[]'') FROM (SELECT * FROM inserted %5$s) w',
    p_table, v_types, v_columns, v_update, CASE WHEN v_is_merged THEN 'UNION ALL SELECT * FROM updated' ELSE '' END)
  INTO v_done USING p_rows, v_owner;

  IF jsonb_array_length(v_done) < jsonb_array_length(p_rows) THEN
    -- A statement of its own: it sees what was committed while the one above waited.
    EXECUTE format('WITH incoming AS (
        SELECT * FROM jsonb_to_recordset($1) AS i(id uuid, base_version bigint, keep text[], %2$s)
        WHERE id NOT IN (SELECT (d ->> 0)::uuid FROM jsonb_array_elements($2) d)),
      existing AS (SELECT public.angles_existing(%1$L, (SELECT array_agg(id) FROM incoming)) AS ids)
      SELECT coalesce(jsonb_agg(CASE
        WHEN t.id IS NULL AND i.id = ANY (existing.ids) THEN jsonb_build_object(''id'', i.id, ''outcome'', ''denied'')
        WHEN t.id IS NULL THEN jsonb_build_object(''id'', i.id, ''outcome'', CASE WHEN i.base_version IS NULL THEN ''again'' ELSE ''gone'' END)
        WHEN %3$s THEN jsonb_build_object(''id'', i.id, ''outcome'', ''done'', ''version'', t.change_seq)
        ELSE jsonb_build_object(''id'', i.id, ''outcome'', ''changed'', ''version'', t.change_seq, ''row'', to_jsonb(t)) END), ''[]'')
      FROM incoming i CROSS JOIN existing LEFT JOIN public.%1$I t ON t.id = i.id',
      p_table, v_types, CASE WHEN v_is_merged
        THEN format('ROW (%s) IS NOT DISTINCT FROM ROW (%s)', regexp_replace(v_compared, '(\w+)', 't.\1', 'g'),
          regexp_replace(v_compared, '(\w+)', 'CASE WHEN ''\1'' = ANY (i.keep) THEN t.\1 ELSE i.\1 END', 'g'))
        ELSE 'true' END)
    INTO v_rest USING p_rows, v_done;
  END IF;
  RETURN jsonb_build_object('done', v_done, 'rest', v_rest);
END $$;
REVOKE ALL ON FUNCTION public.angles_push(text, jsonb) FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION public.angles_push(text, jsonb) TO authenticated, service_role;

-- Leases by the clock of this server alone. The number grows whenever the holder may have been another one meanwhile.
CREATE OR REPLACE FUNCTION public.angles_lease_take(p_name text, p_device text, p_ttl_ms integer) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_owner uuid := coalesce(public.angles_owner(), '00000000-0000-0000-0000-000000000000');
  v_lease public.leases;
BEGIN
  INSERT INTO public.leases AS l (name, owner_id, device_id, expires_at, taken_at)
  VALUES (p_name, v_owner, p_device, v_now + make_interval(secs => p_ttl_ms / 1000.0), v_now)
  ON CONFLICT (owner_id, name) DO UPDATE SET
    fence = CASE WHEN l.device_id = p_device AND l.expires_at > clock_timestamp() THEN l.fence ELSE l.fence + 1 END,
    taken_at = CASE WHEN l.device_id = p_device AND l.expires_at > clock_timestamp() THEN l.taken_at ELSE clock_timestamp() END,
    device_id = p_device,
    expires_at = clock_timestamp() + make_interval(secs => p_ttl_ms / 1000.0)
  WHERE l.device_id = p_device OR l.expires_at <= clock_timestamp()
  RETURNING * INTO v_lease;
  IF v_lease.name IS NULL THEN
    SELECT * INTO v_lease FROM public.leases WHERE owner_id = v_owner AND name = p_name;
    RETURN jsonb_build_object('taken', false, 'holder', v_lease.device_id, 'fence', v_lease.fence,
      'remaining_ms', greatest(0, floor(extract(epoch FROM v_lease.expires_at - clock_timestamp()) * 1000)));
  END IF;
  RETURN jsonb_build_object('taken', true, 'holder', p_device, 'fence', v_lease.fence, 'remaining_ms', p_ttl_ms);
END $$;

-- Renews only what is still held: after the end, or after somebody else, it has to be taken anew.
CREATE OR REPLACE FUNCTION public.angles_lease_renew(p_name text, p_device text, p_fence bigint, p_ttl_ms integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.leases SET expires_at = clock_timestamp() + make_interval(secs => p_ttl_ms / 1000.0)
  WHERE owner_id = coalesce(public.angles_owner(), '00000000-0000-0000-0000-000000000000') AND name = p_name
    AND device_id = p_device AND fence = p_fence AND expires_at > clock_timestamp();
  RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION public.angles_lease_release(p_name text, p_device text, p_fence bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.leases SET expires_at = clock_timestamp()
  WHERE owner_id = coalesce(public.angles_owner(), '00000000-0000-0000-0000-000000000000') AND name = p_name
    AND device_id = p_device AND fence = p_fence AND expires_at > clock_timestamp();
  RETURN FOUND;
END $$;

-- A device says that it is there; by the clock of this server.
CREATE OR REPLACE FUNCTION public.angles_device_seen(p_id text, p_name text, p_platform text, p_version text, p_unsent jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.devices (id, name, platform, version, unsent)
  VALUES (p_id, p_name, p_platform, p_version, p_unsent)
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, platform = excluded.platform, version = excluded.version,
    unsent = excluded.unsent, last_seen_at = clock_timestamp();
END $$;

-- What is here, for the test of a connection: identity, migrations, the columns of each table, and the buckets.
CREATE OR REPLACE FUNCTION public.angles_describe() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  v_columns jsonb;
  v_system text;
  v_buckets jsonb;
BEGIN
  SELECT system_identifier::text INTO v_system FROM pg_control_system();
  IF to_regclass('storage.buckets') IS NOT NULL THEN
    SELECT jsonb_object_agg(id, public) INTO v_buckets FROM storage.buckets WHERE id IN ('file_contents', 'memory_backups');
  END IF;
  SELECT jsonb_object_agg(name, columns) INTO v_columns FROM (
    SELECT c.relname AS name, jsonb_object_agg(a.attname, format_type(a.atttypid, NULL)) AS columns
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      AND c.relname IN ('decision_vault', 'memories', 'activities', 'file_snapshots', 'system_logs', 'run_artifacts',
                        'devices', 'leases', 'deletions')
    GROUP BY c.relname) t;
  RETURN (SELECT jsonb_build_object('instance', instance, 'system', v_system,
      'numbered_here', system_identifier IS NOT DISTINCT FROM v_system,
      'migrations', (SELECT coalesce(jsonb_agg(number ORDER BY number), '[]') FROM public.angles_migrations),
      'tables', coalesce(v_columns, '{}'),
      -- Whether each is public, by its name.
      'buckets', coalesce(v_buckets, '{}')) FROM public.angles_meta);
END $$;

-- Writes a row into each table and takes it back: what the caller may do, as the rules here stand.
CREATE OR REPLACE FUNCTION public.angles_try_write() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_result jsonb := '{}';
  v_table text;
  v_values text;
  v_seen boolean;
BEGIN
  FOR v_table, v_values IN VALUES
    ('decision_vault', '(title) VALUES (''probe'')'), ('memories', '(title) VALUES (''probe'')'),
    ('activities', '(kind) VALUES (''probe'')'), ('file_snapshots', '(path) VALUES (''probe'')'),
    ('devices', '(id) VALUES (''probe'')'),
    ('system_logs', '(device_id, time, seq, level, component, message) VALUES (''probe'', now(), 0, ''info'', '''', '''')'),
    ('run_artifacts', '(id, device_id, kind, started_at) VALUES (''probe'', ''probe'', '''', now())') LOOP
    BEGIN
      EXECUTE format('WITH made AS (INSERT INTO public.%I %s RETURNING 1) SELECT count(*) = 1 FROM made', v_table, v_values) INTO v_seen;
      RAISE EXCEPTION USING ERRCODE = 'AN001', MESSAGE = 'taken back';
    EXCEPTION
      WHEN SQLSTATE 'AN001' THEN
        v_result := v_result || jsonb_build_object(v_table, jsonb_build_object('ok', v_seen));
      WHEN OTHERS THEN
        v_result := v_result || jsonb_build_object(v_table, jsonb_build_object('ok', false, 'code', SQLSTATE, 'message', SQLERRM));
    END;
  END LOOP;
  RETURN v_result;
END $$;

DO $$
DECLARE
  v_function regprocedure;
BEGIN
  FOR v_function IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
      AND p.proname IN ('angles_lease_take', 'angles_lease_renew', 'angles_lease_release', 'angles_device_seen',
                        'angles_describe', 'angles_try_write') LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, anon', v_function);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO authenticated, service_role', v_function);
  END LOOP;
END $$;
