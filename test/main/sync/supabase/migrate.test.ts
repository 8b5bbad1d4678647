import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyMigrations, planMigrations } from '../../../../src/main/sync/supabase/migrate.ts';
import { printMigrations, readSupabaseMigrations } from '../../../../src/main/sync/supabase/migrations.ts';
import { needs } from '../../../support/needs.ts';
import { type LocalSupabase, startSupabase } from '../../../support/supabase/start-supabase.ts';

const SHAPE = `
  SELECT coalesce(json_agg(x ORDER BY x), '[]')::text AS shape FROM (
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS x
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'policy ' || schemaname || tablename || policyname || cmd || coalesce(qual, '') || coalesce(with_check, '') FROM pg_policies
    UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function ' || oid::regprocedure || ' ' || md5(prosrc) || coalesce(proacl::text, '') FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'grant ' || grantee || privilege_type || table_name FROM information_schema.role_table_grants WHERE table_schema = 'public'
    UNION ALL SELECT 'published ' || tablename FROM pg_publication_tables
    UNION ALL SELECT 'bucket ' || id || public FROM storage.buckets) s`;

describe('migrations of Supabase', needs('postgres and postgrest'), () => {
  let supabase: LocalSupabase;
  const migrations = readSupabaseMigrations();
  beforeAll(async () => {
    supabase = await startSupabase();
  }, 60_000);
  afterAll(() => supabase.stop());

  const shape = async (): Promise<unknown> => (await supabase.query(SHAPE))[0]?.shape;
  /** As a new project is. */
  const empty = async (): Promise<void> => {
    const rights = ['TABLES', 'FUNCTIONS', 'SEQUENCES'].map(
      (kind) =>
        `ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT ALL ON ${kind} TO anon, authenticated, service_role`,
    );
    await supabase
      .connect({ superuser: true })
      .unsafe(
        [
          'DROP SCHEMA public CASCADE',
          'CREATE SCHEMA public',
          'GRANT ALL ON SCHEMA public TO postgres',
          'GRANT USAGE ON SCHEMA public TO PUBLIC, anon, authenticated, service_role',
          ...rights,
        ].join('; '),
      );
  };
  const instance = async (): Promise<unknown> =>
    (await supabase.query('SELECT instance FROM angles_meta'))[0]?.instance;

  test('a plan names the files and changes nothing; applying does it; doing it again does nothing', async () => {
    const before = await shape();
    const plan = await planMigrations(supabase.dbUrl);
    expect(plan).toEqual({ current: 0, newest: migrations.length, steps: migrations.map(({ name }) => `Run ${name}`) });
    expect(await shape()).toEqual(before);
    expect(await applyMigrations(supabase.dbUrl)).toEqual(plan);
    const made = await shape();
    const id = await instance();
    expect((await applyMigrations(supabase.dbUrl)).steps).toEqual([]);
    expect(await shape()).toEqual(made);
    expect(await instance()).toBe(id);
  });

  test('every number leads to the same tables, rows that were there are kept and numbered', async () => {
    const whole = await shape();
    for (let number = 1; number < migrations.length; number += 1) {
      await empty();
      await applyMigrations(supabase.dbUrl, { migrations: migrations.slice(0, number) });
      await supabase.query(`INSERT INTO decision_vault (title) VALUES ('early')`);
      const plan = await applyMigrations(supabase.dbUrl);
      expect([plan.current, plan.steps.length]).toEqual([number, migrations.length - number]);
      expect(await shape()).toEqual(whole);
      const [row] = await supabase.query(
        'SELECT title, change_xid > 0 AND change_seq > 0 AS numbered FROM decision_vault',
      );
      expect(row).toEqual({ title: 'early', numbered: true });
    }
  });

  test('the printed SQL makes the same, on an empty project and on top of everything', async () => {
    const whole = await shape();
    await empty();
    await supabase.query(printMigrations());
    expect(await shape()).toEqual(whole);
    await supabase.query(printMigrations());
    expect(await shape()).toEqual(whole);
    expect((await planMigrations(supabase.dbUrl)).steps).toEqual([]);
  });

  test('two devices that migrate at once do not get into each other’s way', async () => {
    await empty();
    const plans = await Promise.all([1, 2, 3].map(() => applyMigrations(supabase.dbUrl)));
    expect(plans.map(({ steps }) => steps.length).toSorted()).toEqual([0, 0, migrations.length]);
  });

  test('a migration that fails leaves everything as it was, and is named', async () => {
    await empty();
    const broken = migrations.map((each) =>
      each.number === 3 ? { ...each, sql: `${each.sql}; SELECT nonsense` } : each,
    );
    const before = await shape();
    await expect(applyMigrations(supabase.dbUrl, { migrations: broken })).rejects.toMatchObject({
      code: 'migration.failed',
      message: expect.stringContaining('0003_push.sql: column "nonsense" does not exist'),
    });
    expect(await shape()).toEqual(before);
    await applyMigrations(supabase.dbUrl);
  });

  test.each([
    ['a table', 'DROP TABLE memories'],
    ['the table that identifies the project', 'DROP TABLE angles_meta'],
    [
      'every table',
      `DO $$ DECLARE t text; BEGIN
         FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
           EXECUTE format('DROP TABLE public.%I CASCADE', t);
         END LOOP;
       END $$`,
    ],
  ])('%s that was dropped by hand is made again', async (_, drop) => {
    const whole = await shape();
    await supabase.query(drop);
    expect((await applyMigrations(supabase.dbUrl)).steps.length).toBe(migrations.length);
    expect(await shape()).toEqual(whole);
  });

  test('a bucket that was removed or made public is set right', async () => {
    const whole = await shape();
    for (const change of [
      `DELETE FROM storage.buckets WHERE id = 'memory_backups'`,
      `UPDATE storage.buckets SET public = true`,
    ]) {
      await supabase.query(change);
      expect((await planMigrations(supabase.dbUrl)).steps.length).toBe(migrations.length);
      await applyMigrations(supabase.dbUrl);
      expect(await shape()).toEqual(whole);
    }
  });

  test('tables of a newer version are refused by name', async () => {
    await supabase.query(`INSERT INTO angles_migrations (number, name, sha256) VALUES (99, 'later', '')`);
    await expect(planMigrations(supabase.dbUrl)).rejects.toMatchObject({
      code: 'migration.failed',
      message: expect.stringContaining('version 99'),
    });
    await supabase.query('DELETE FROM angles_migrations WHERE number = 99');
  });

  test.each([
    ['a wrong password', (url: string) => url.replace(/:[0-9a-f]+@/, ':wrong@'), /password/],
    ['a port where nobody listens', (url: string) => url.replace(/:\d+\/postgres$/, ':1/postgres'), /ECONNREFUSED/],
    ['something else than an address', () => 'my-database', /no address/],
  ])('%s is named, and the password is not', async (_, change, message) => {
    const failure = await planMigrations(change(supabase.dbUrl)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'migration.failed', message: expect.stringMatching(message) });
    expect(JSON.stringify(failure)).not.toContain(new URL(supabase.dbUrl).password);
  });

  test('rows that come from another server are numbered anew, and the identity changes', async () => {
    await supabase.query(`INSERT INTO memories (title) VALUES ('restored')`);
    await supabase.query(`UPDATE angles_meta SET system_identifier = 'elsewhere'`);
    const before = await instance();
    expect((await applyMigrations(supabase.dbUrl)).steps).toEqual([
      'Number the rows anew: they were restored from another server',
    ]);
    expect(await instance()).not.toBe(before);
    expect((await planMigrations(supabase.dbUrl)).steps).toEqual([]);
  });
});
