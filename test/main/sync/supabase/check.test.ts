import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSupabaseConnector } from '../../../../src/main/sync/supabase/supabase-connector.ts';
import { needs } from '../../../support/needs.ts';
import { type LocalSupabase, startSupabase } from '../../../support/supabase/start-supabase.ts';
import { type Project, seen, signal, startProject } from './harness.ts';

const STEPS = ['address', 'dns', 'connection', 'project', 'key', 'sign-in', 'schema', 'permission'];

describe('the test of a connection to Supabase', needs('postgres and postgrest'), () => {
  let project: Project;
  beforeAll(async () => {
    project = await startProject();
  }, 60_000);
  afterAll(() => project.stop());
  beforeEach(() => project.supabase.clear());

  /** The step that failed or warned; the ones before were fine, the ones after were not tried. */
  async function failing(options: Parameters<Project['connector']>[0]): Promise<object | undefined> {
    const steps = await project.connector(options).check(signal());
    expect(steps.map(({ id }) => id)).toEqual(STEPS);
    const at = steps.findIndex(({ verdict }) => verdict === 'failed');
    expect(steps.slice(0, at).every(({ verdict }) => verdict === 'ok' || verdict === 'warning')).toBe(true);
    expect(steps.slice(at + 1).every(({ verdict }) => verdict === 'skipped')).toBe(true);
    return steps[at];
  }

  test('all is well: every step says so', async () => {
    const steps = await project.connector().check(signal());
    expect(steps.map(({ id, verdict, fix }) => [id, verdict, fix])).toEqual(STEPS.map((id) => [id, 'ok', null]));
  });

  test('a secret key works, and is warned about', async () => {
    for (const key of [project.supabase.keys.secret, project.supabase.keys.serviceJwt]) {
      const steps = await project.connector({ key, signIn: null }).check(signal());
      expect(steps.filter(({ verdict }) => verdict !== 'ok').map(({ id, verdict }) => [id, verdict])).toEqual([
        ['key', 'warning'],
      ]);
      expect(steps.find(({ id }) => id === 'key')?.fix).toContain('SUPABASE_EMAIL');
    }
  });

  test.each<[string, () => Parameters<Project['connector']>[0], object]>([
    ['no address', () => ({ url: 'my project' }), { id: 'address', code: 'remote.unreachable' }],
    [
      'a name that does not exist',
      () => ({ url: 'https://no-such-project.invalid' }),
      { id: 'dns', code: 'remote.unreachable' },
    ],
    [
      'a port where nobody listens',
      () => ({ url: 'http://127.0.0.1:9' }),
      { id: 'connection', code: 'remote.unreachable', detail: expect.stringContaining('ECONNREFUSED') },
    ],
    [
      'no encryption at the other end',
      () => ({ url: project.supabase.url.replace('http:', 'https:') }),
      { id: 'connection', detail: expect.stringContaining('encrypted') },
    ],
    [
      'a wrong key',
      () => ({ key: 'sb_publishable_wrong' }),
      { id: 'key', code: 'remote.unauthorized', detail: expect.stringContaining('Invalid API key') },
    ],
    [
      'nobody who is signed in',
      () => ({ signIn: null }),
      { id: 'sign-in', code: 'remote.forbidden', fix: expect.stringContaining('SUPABASE_PASSWORD') },
    ],
    [
      'a wrong password',
      () => ({ signIn: { ...project.user, password: 'no' } }),
      { id: 'sign-in', code: 'remote.unauthorized' },
    ],
  ])('%s fails at its step', async (_, options, expected) => {
    expect(await failing(options())).toMatchObject({ verdict: 'failed', canPrepare: false, ...expected });
  });

  test('a page that answers in the place of the project is recognised', async () => {
    const fault = { kind: 'answer', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' } as const;
    await project.supabase.fault({ fault, times: 9 });
    expect(await failing({})).toMatchObject({ id: 'key', code: 'remote.bad_answer' });
  });

  test('every column that is missing or retyped is named', async () => {
    const { supabase } = project;
    await supabase.query(
      'ALTER TABLE memories RENAME kind TO sort; ALTER TABLE decision_vault DROP COLUMN supersedes; ALTER TABLE activities ALTER summary TYPE varchar(100); ALTER TABLE file_snapshots ALTER redactions TYPE text',
    );
    await supabase.query(`NOTIFY pgrst, 'reload schema'`);
    expect(await failing({})).toMatchObject({
      id: 'schema',
      code: 'remote.schema',
      canPrepare: false,
      detail: expect.stringMatching(
        /decision_vault\.supersedes is missing; .*memories\.kind is missing; .*file_snapshots\.redactions is of type text, not integer/,
      ),
    });
    await supabase.query(
      'ALTER TABLE memories RENAME sort TO kind; ALTER TABLE decision_vault ADD COLUMN supersedes text; ALTER TABLE file_snapshots ALTER redactions DROP DEFAULT, ALTER redactions TYPE integer USING redactions::integer, ALTER redactions SET DEFAULT 0',
    );
    expect((await project.connector().check(signal())).every(({ verdict }) => verdict === 'ok')).toBe(true);
  });

  test('a bucket that anybody may read is named', async () => {
    await project.supabase.query(`UPDATE storage.buckets SET public = true WHERE id = 'memory_backups'`);
    expect(await failing({})).toMatchObject({
      id: 'schema',
      canPrepare: true,
      detail: expect.stringContaining('The bucket memory_backups is public.'),
    });
    await (await project.connector().prepare(signal())).apply(signal());
    expect((await project.connector().check(signal())).every(({ verdict }) => verdict === 'ok')).toBe(true);
  });

  test('a policy that denies writing is found before anything is sent', async () => {
    await project.supabase.query('DROP POLICY angles_own_rows ON memories');
    expect(await failing({})).toMatchObject({
      id: 'permission',
      code: 'remote.forbidden',
      detail: expect.stringContaining('memories'),
    });
    await project.supabase.query(
      'CREATE POLICY angles_own_rows ON memories FOR ALL TO authenticated USING (owner_id = auth.uid()) WITH CHECK (owner_id = auth.uid())',
    );
    expect(
      await project.supabase.query(
        `SELECT (SELECT count(*) FROM decision_vault)::int AS a, (SELECT count(*) FROM deletions)::int AS b`,
      ),
    ).toEqual([{ a: 0, b: 0 }]);
  });

  test('hints arrive when a row changes, after a drop again, and never after the end', async () => {
    const connector = project.connector();
    let hints = 0;
    let woken: (() => void) | null = null;
    const stop = connector.listen(() => {
      hints += 1;
      woken?.();
    });
    const next = (): Promise<void> => new Promise((resolve) => (woken = resolve));
    await next();
    for (const title of ['one', 'two']) {
      const hinted = next();
      await project.supabase.query(`INSERT INTO decision_vault (title) VALUES ('${title}')`);
      await hinted;
    }
    const again = next();
    await project.supabase.setRealtime(false);
    await project.supabase.setRealtime(true);
    await again;
    stop();
    const before = hints;
    await project.supabase.query(`INSERT INTO decision_vault (title) VALUES ('unheard')`);
    await connector.pull(null, signal());
    expect(hints).toBe(before);
  });

  test('listening to a project that is not there does nothing at all', async () => {
    const stop = project.connector({ url: 'http://127.0.0.1:9' }).listen(() => {
      throw new Error('a hint from nowhere');
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    stop();
  });
});

describe('an empty project', needs('postgres and postgrest'), () => {
  let supabase: LocalSupabase;
  beforeAll(async () => {
    supabase = await startSupabase();
  }, 60_000);
  afterAll(() => supabase.stop());

  test('the test offers to create the tables; creating them makes it pass; doing it twice does nothing', async () => {
    const user = await supabase.addUser();
    const options = { url: supabase.url, key: supabase.keys.publishable, signIn: user, nowMs: Date.now, deviceId: 'd' };
    const connector = createSupabaseConnector({ ...options, dbUrl: supabase.dbUrl });
    const failed = (await connector.check(signal())).find(({ verdict }) => verdict === 'failed');
    expect(failed).toMatchObject({ id: 'schema', code: 'remote.schema', canPrepare: true });
    await expect(connector.push([], signal())).resolves.toEqual([]);
    await expect(connector.pull(null, signal())).rejects.toMatchObject({ code: 'remote.schema' });
    const byHand = createSupabaseConnector(options);
    const manual = await byHand.prepare(signal());
    expect(manual.steps.join(' ')).toContain('angles migrate --print');
    await expect(manual.apply(signal())).rejects.toMatchObject({ code: 'remote.schema' });
    const plan = await connector.prepare(signal());
    expect(plan.steps).toContain('Run 0001_tables.sql');
    await plan.apply(signal());
    await seen(supabase);
    expect((await connector.check(signal())).every(({ verdict }) => verdict === 'ok')).toBe(true);
    expect((await connector.prepare(signal())).steps).toEqual([]);
    expect((await byHand.prepare(signal())).steps).toEqual([]);
    await connector.close();
  });
});
