-- Private buckets: large texts of file versions, and backups. A user reaches only what lies in the folder of their id.
-- Then realtime, which tells agents early that something changed.

DO $$
DECLARE
  v_action text;
  v_table text;
BEGIN
  IF to_regclass('storage.buckets') IS NOT NULL THEN
    INSERT INTO storage.buckets (id, name, public) VALUES ('file_contents', 'file_contents', false), ('memory_backups', 'memory_backups', false)
    ON CONFLICT (id) DO UPDATE SET public = false;
    FOREACH v_action IN ARRAY ARRAY['select', 'insert', 'update', 'delete'] LOOP
      EXECUTE format('DROP POLICY IF EXISTS %I ON storage.objects', 'angles_own_' || v_action);
      EXECUTE format('CREATE POLICY %I ON storage.objects FOR %s TO authenticated %s (%s)', 'angles_own_' || v_action, v_action,
        CASE WHEN v_action = 'insert' THEN 'WITH CHECK' ELSE 'USING' END,
        'bucket_id IN (''file_contents'', ''memory_backups'') AND (storage.foldername(name))[1] = (SELECT auth.uid())::text');
    END LOOP;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_publication WHERE pubname = 'supabase_realtime') THEN
    FOREACH v_table IN ARRAY ARRAY['decision_vault', 'memories'] LOOP
      IF NOT EXISTS (SELECT 1 FROM pg_publication_tables WHERE pubname = 'supabase_realtime' AND schemaname = 'public' AND tablename = v_table) THEN
        EXECUTE format('ALTER PUBLICATION supabase_realtime ADD TABLE public.%I', v_table);
      END IF;
    END LOOP;
  END IF;
END $$;

NOTIFY pgrst, 'reload schema';
