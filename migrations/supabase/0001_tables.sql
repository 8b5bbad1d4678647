-- Tables of a vault in Supabase. Every statement can be run again. Times are UTC.
-- Reached only by signed-in users (their own rows) and by the service key: nothing is granted to the role anon.

CREATE TABLE IF NOT EXISTS public.angles_meta (
  id                boolean PRIMARY KEY DEFAULT true CHECK (id),
  -- Made once: a database that was created anew has another one.
  instance          uuid NOT NULL DEFAULT gen_random_uuid(),
  -- The server whose transaction numbers the rows carry: another one after a restore into a new server.
  system_identifier text,
  created_at        timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE public.angles_meta ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.angles_meta FROM anon, authenticated;

INSERT INTO public.angles_meta (system_identifier)
SELECT system_identifier::text FROM pg_control_system() ON CONFLICT DO NOTHING;

-- Whose a new row is: the signed-in user's; with the service key and in the table editor the only user's there is.
CREATE OR REPLACE FUNCTION public.angles_owner() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  v_users uuid[];
BEGIN
  IF auth.uid() IS NOT NULL THEN
    RETURN auth.uid();
  END IF;
  SELECT array_agg(u.id) INTO v_users FROM (SELECT id FROM auth.users LIMIT 2) u;
  RETURN CASE WHEN cardinality(v_users) = 1 THEN v_users[1] END;
END $$;
REVOKE ALL ON FUNCTION public.angles_owner() FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION public.angles_owner() TO authenticated, service_role;

CREATE SEQUENCE IF NOT EXISTS public.angles_change_seq;
REVOKE ALL ON SEQUENCE public.angles_change_seq FROM anon;
GRANT USAGE, SELECT ON SEQUENCE public.angles_change_seq TO authenticated, service_role;

CREATE TABLE IF NOT EXISTS public.decision_vault (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  title         text NOT NULL,
  decision      text NOT NULL DEFAULT '',
  type          text NOT NULL DEFAULT '',
  category      text NOT NULL DEFAULT '',
  status        text NOT NULL DEFAULT 'open' CHECK (status IN ('proposed', 'accepted', 'rejected', 'deprecated', 'superseded', 'open')),
  priority      text NOT NULL DEFAULT 'medium' CHECK (priority IN ('low', 'medium', 'high', 'critical')),
  tags          text[] NOT NULL DEFAULT '{}',
  date          date,
  source_path   text,
  source_sha256 text,
  supersedes    text,
  origin        text NOT NULL DEFAULT 'supabase',
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  deleted_at    timestamptz,
  device_id     text NOT NULL DEFAULT 'supabase',
  owner_id      uuid DEFAULT public.angles_owner(),
  change_seq    bigint NOT NULL DEFAULT 0,
  change_xid    bigint NOT NULL DEFAULT 0,
  synced_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS decision_vault_by_change ON public.decision_vault (change_xid, change_seq);
CREATE INDEX IF NOT EXISTS decision_vault_by_time ON public.decision_vault (created_at);
CREATE INDEX IF NOT EXISTS decision_vault_by_category ON public.decision_vault (category);
CREATE INDEX IF NOT EXISTS decision_vault_by_status ON public.decision_vault (status);
CREATE INDEX IF NOT EXISTS decision_vault_by_path ON public.decision_vault USING hash (source_path);

CREATE TABLE IF NOT EXISTS public.memories (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  title         text NOT NULL,
  content       text NOT NULL DEFAULT '',
  kind          text NOT NULL DEFAULT 'note' CHECK (kind IN ('fact', 'preference', 'instruction', 'context', 'note')),
  category      text NOT NULL DEFAULT '',
  status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'superseded')),
  tags          text[] NOT NULL DEFAULT '{}',
  source_path   text,
  source_sha256 text,
  supersedes    text,
  origin        text NOT NULL DEFAULT 'supabase',
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  deleted_at    timestamptz,
  device_id     text NOT NULL DEFAULT 'supabase',
  owner_id      uuid DEFAULT public.angles_owner(),
  change_seq    bigint NOT NULL DEFAULT 0,
  change_xid    bigint NOT NULL DEFAULT 0,
  synced_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS memories_by_change ON public.memories (change_xid, change_seq);
CREATE INDEX IF NOT EXISTS memories_by_time ON public.memories (created_at);
CREATE INDEX IF NOT EXISTS memories_by_category ON public.memories (category);
CREATE INDEX IF NOT EXISTS memories_by_status ON public.memories (status);
CREATE INDEX IF NOT EXISTS memories_by_path ON public.memories USING hash (source_path);

CREATE TABLE IF NOT EXISTS public.activities (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind         text NOT NULL DEFAULT 'note',
  summary      text,
  root         text,
  path         text,
  snapshot_id  text,
  record_table text,
  record_id    text,
  origin       text NOT NULL DEFAULT 'supabase',
  occurred_at  timestamptz NOT NULL DEFAULT now(),
  device_id    text NOT NULL DEFAULT 'supabase',
  owner_id     uuid DEFAULT public.angles_owner(),
  change_seq   bigint NOT NULL DEFAULT 0,
  change_xid   bigint NOT NULL DEFAULT 0,
  synced_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS activities_by_change ON public.activities (change_xid, change_seq);
CREATE INDEX IF NOT EXISTS activities_by_time ON public.activities (occurred_at);
CREATE INDEX IF NOT EXISTS activities_by_kind ON public.activities (kind);

-- Paths may be longer than a row of a b-tree takes: those are found by their hash.
CREATE TABLE IF NOT EXISTS public.file_snapshots (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  root            text NOT NULL DEFAULT '',
  path            text NOT NULL DEFAULT '',
  previous_path   text,
  change          text NOT NULL DEFAULT 'modified' CHECK (change IN ('created', 'modified', 'renamed', 'deleted')),
  sha256          text,
  size_bytes      bigint NOT NULL DEFAULT 0,
  mtime           timestamptz,
  captured_at     timestamptz NOT NULL DEFAULT now(),
  still_open      boolean NOT NULL DEFAULT false,
  -- The text, redacted; above 256 KiB it lies in the bucket file_contents under this name.
  content         text,
  content_object  text,
  -- Why there is no content: binary, deleted, too_large, held.
  content_omitted text,
  redactions      integer NOT NULL DEFAULT 0,
  device_id       text NOT NULL DEFAULT 'supabase',
  owner_id        uuid DEFAULT public.angles_owner(),
  change_seq      bigint NOT NULL DEFAULT 0,
  change_xid      bigint NOT NULL DEFAULT 0,
  synced_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS file_snapshots_by_change ON public.file_snapshots (change_xid, change_seq);
CREATE INDEX IF NOT EXISTS file_snapshots_by_time ON public.file_snapshots (captured_at);
CREATE INDEX IF NOT EXISTS file_snapshots_by_path ON public.file_snapshots USING hash (path);

CREATE TABLE IF NOT EXISTS public.system_logs (
  device_id   text NOT NULL,
  time        timestamptz NOT NULL,
  seq         bigint NOT NULL,
  level       text NOT NULL,
  component   text NOT NULL,
  message     text NOT NULL,
  run_id      text,
  duration_ms double precision,
  data        jsonb NOT NULL DEFAULT '{}',
  owner_id    uuid DEFAULT public.angles_owner(),
  PRIMARY KEY (device_id, time, seq)
);
CREATE INDEX IF NOT EXISTS system_logs_by_time ON public.system_logs (time);
CREATE INDEX IF NOT EXISTS system_logs_by_component ON public.system_logs (component, time);

CREATE TABLE IF NOT EXISTS public.run_artifacts (
  id          text PRIMARY KEY,
  device_id   text NOT NULL,
  kind        text NOT NULL,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz,
  outcome     text,
  data        jsonb NOT NULL DEFAULT '{}',
  owner_id    uuid DEFAULT public.angles_owner()
);
CREATE INDEX IF NOT EXISTS run_artifacts_by_time ON public.run_artifacts (started_at);
CREATE INDEX IF NOT EXISTS run_artifacts_by_kind ON public.run_artifacts (kind, started_at);

CREATE TABLE IF NOT EXISTS public.devices (
  id            text PRIMARY KEY,
  name          text NOT NULL DEFAULT '',
  platform      text NOT NULL DEFAULT '',
  version       text NOT NULL DEFAULT '',
  unsent        jsonb NOT NULL DEFAULT '{}',
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at  timestamptz NOT NULL DEFAULT now(),
  owner_id      uuid DEFAULT public.angles_owner()
);

-- A lease is one row per owner and name; the row stays when it is given back, so that its number never comes twice.
CREATE TABLE IF NOT EXISTS public.leases (
  name       text NOT NULL,
  owner_id   uuid NOT NULL DEFAULT coalesce(public.angles_owner(), '00000000-0000-0000-0000-000000000000'),
  device_id  text NOT NULL,
  fence      bigint NOT NULL DEFAULT 1,
  expires_at timestamptz NOT NULL,
  taken_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, name)
);

DO $$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['decision_vault', 'memories', 'activities', 'file_snapshots', 'system_logs',
                                 'run_artifacts', 'devices', 'leases'] LOOP
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('REVOKE ALL ON public.%I FROM anon', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO authenticated, service_role', v_table);
    EXECUTE format('DROP POLICY IF EXISTS angles_own_rows ON public.%I', v_table);
    EXECUTE format('CREATE POLICY angles_own_rows ON public.%I FOR ALL TO authenticated
                    USING (owner_id = (SELECT auth.uid())) WITH CHECK (owner_id = (SELECT auth.uid()))', v_table);
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON public.%I (owner_id)', v_table || '_by_owner', v_table);
  END LOOP;
END $$;
