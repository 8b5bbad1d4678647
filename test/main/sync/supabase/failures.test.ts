import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSupabaseConnection } from '../../../../src/main/sync/supabase/client.ts';
import { needs } from '../../../support/needs.ts';
import type { Fault } from '../../../support/supabase/faults.ts';
import { signJwt } from '../../../support/supabase/keys.ts';
import { decision, edited, type Project, pullAll, seen, signal, startProject } from './harness.ts';

describe('bad days with Supabase', needs('postgres and postgrest'), () => {
  let project: Project;
  beforeAll(async () => {
    project = await startProject();
  }, 60_000);
  afterAll(() => project.stop());
  beforeEach(() => project.supabase.clear());
  const query: Project['supabase']['query'] = (sql, parameters) => project.supabase.query(sql, parameters);
  const reload = async (): Promise<void> => {
    await query(`NOTIFY pgrst, 'reload schema'`);
    await seen(project.supabase);
  };

  const page = '<!doctype html><title>Sign in to Wi-Fi</title>';
  const html = { 'content-type': 'text/html' };
  test.each<[string, Fault, object]>([
    [
      'a rate limit',
      { kind: 'answer', status: 429, headers: { 'retry-after': '12' }, body: '{"message":"slow down"}' },
      { code: 'remote.rate_limited', retryAfterMs: 12_000 },
    ],
    [
      'trouble of its own',
      { kind: 'answer', status: 503, headers: html, body: page },
      { code: 'remote.unavailable', retryable: true },
    ],
    [
      'a sign-in page of the network',
      { kind: 'answer', status: 200, headers: html, body: page },
      { code: 'remote.bad_answer' },
    ],
    [
      'a redirect',
      { kind: 'answer', status: 302, headers: { location: 'http://portal.test/' } },
      { code: 'remote.bad_answer' },
    ],
    ['an answer that is cut off', { kind: 'truncate' }, { code: 'remote.bad_answer', retryable: true }],
    [
      'a connection that ends within the answer',
      { kind: 'cut-within' },
      { code: 'remote.unreachable', retryable: true },
    ],
    ['a connection that ends before', { kind: 'cut-before' }, { code: 'remote.unreachable', retryable: true }],
    [
      'silence',
      { kind: 'hang' },
      { code: 'remote.unreachable', retryable: true, message: expect.stringContaining('in time') },
    ],
  ])('%s is named, is asked about once, and the next try goes well', async (_, fault, expected) => {
    const connector = project.connector({ timeLimitMs: 1_500 });
    const record = decision();
    await connector.identity(signal());
    for (const [path, attempt] of [
      ['angles_push', () => connector.push([record], signal())],
      ['angles_pull', () => connector.pull(null, signal())],
      ['/rest/v1/decision_vault', () => connector.read('decision_vault', [record.id], signal())],
    ] as const) {
      await project.supabase.clear();
      await project.supabase.fault({ fault, path });
      await expect(attempt()).rejects.toMatchObject(expected);
      expect((await project.supabase.requests()).filter((each) => each.path.includes(path))).toHaveLength(1);
      await attempt();
    }
    expect(await connector.push([record], signal())).toMatchObject([{ kind: 'done' }]);
  });

  test('an abort ends a call at once, with the reason of who aborted', async () => {
    const connector = project.connector();
    await connector.identity(signal());
    await project.supabase.fault({ fault: { kind: 'hang' }, path: 'angles_pull' });
    const controller = new AbortController();
    const pull = connector.pull(null, controller.signal);
    const reason = new Error('stopping');
    controller.abort(reason);
    await expect(pull).rejects.toBe(reason);
    await expect(connector.push([decision()], controller.signal)).rejects.toBe(reason);
  });

  test('when the service goes away within a push, what landed is told, and the rest is to be tried again', async () => {
    const connector = project.connector({ maxBatchRows: 10 });
    const records = Array.from({ length: 30 }, () => decision());
    await project.supabase.fault({ fault: { kind: 'answer', status: 500 }, path: 'angles_push', skip: 1 });
    const outcomes = await connector.push(records, signal());
    expect(outcomes.length).toBe(30);
    expect(outcomes.filter(({ kind }) => kind === 'done').length).toBe(10);
    expect(outcomes.filter((each) => each.kind === 'failed' && each.error.code === 'remote.unavailable').length).toBe(
      20,
    );
    expect((await connector.push(records, signal())).every(({ kind }) => kind === 'done')).toBe(true);
  });

  test('a wrong key, a key of nobody, a wrong password: each is told apart', async () => {
    const attempts: [object, object][] = [
      [
        { key: 'sb_publishable_wrong' },
        { code: 'remote.unauthorized', message: expect.stringContaining('Invalid API key') },
      ],
      [{ signIn: null }, { code: 'remote.forbidden', message: expect.stringContaining('permission denied') }],
      [
        { signIn: { ...project.user, password: 'wrong' } },
        { code: 'remote.unauthorized', hint: expect.stringContaining('SUPABASE_PASSWORD') },
      ],
    ];
    for (const [options, expected] of attempts) {
      const connector = project.connector(options);
      await expect(connector.push([decision()], signal())).rejects.toMatchObject(expected);
      await expect(connector.pull(null, signal())).rejects.toMatchObject(expected);
    }
  });

  test('a token that is over is replaced without anybody noticing; one that is refused again is told', async () => {
    // Tokens that are over as soon as they are given, and a clock that then believes them for long.
    await project.supabase.settings({ auth: { tokenLifetimeS: -3_600 } });
    let nowMs = Date.now();
    const connector = project.connector({ nowMs: () => nowMs });
    const signIns = async (): Promise<number> =>
      (await project.supabase.requests()).filter(({ path }) => path.startsWith('/auth/')).length;
    const record = decision();
    await expect(connector.push([record], signal())).rejects.toMatchObject({
      code: 'remote.unauthorized',
      message: expect.stringContaining('JWT expired'),
    });
    expect(await signIns()).toBe(2);
    nowMs -= 7_200_000;
    await project.supabase.settings({ auth: { tokenLifetimeS: 3_600 } });
    expect(await connector.push([record], signal())).toMatchObject([{ kind: 'done' }]);
    expect(await connector.push([record], signal())).toMatchObject([{ kind: 'done' }]);
    expect(await signIns()).toBe(3);
    const pushes = (await project.supabase.requests()).filter(({ path }) => path.includes('angles_push'));
    expect(pushes.map(({ status }) => status)).toEqual([401, 401, 401, 200, 200]);
  });

  test('row level security keeps users apart, and nobody overwrites a row they do not see', async () => {
    const other = await project.supabase.addUser();
    const [mine, theirs] = [project.connector(), project.connector({ signIn: other })];
    const record = decision();
    const [first] = await mine.push([record], signal());
    await expect(theirs.read('decision_vault', [record.id], signal())).rejects.toMatchObject({
      code: 'remote.forbidden',
    });
    expect(await theirs.read('decision_vault', [randomUUID()], signal())).toEqual([]);
    expect((await pullAll(theirs)).records.map(({ id }) => id)).not.toContain(record.id);
    for (const attempt of [record, edited(record, first, { title: 'taken over' })])
      expect(await theirs.push([attempt], signal())).toMatchObject([
        { kind: 'failed', error: { code: 'remote.forbidden' } },
      ]);
    expect(await query('SELECT title, owner_id FROM decision_vault WHERE id = $1', [record.id])).toEqual([
      { title: 'Use Postgres', owner_id: project.user.id },
    ]);
    await query(`DELETE FROM auth.users WHERE id = $1`, [other.id]);
  });

  test('nobody is let in by the publishable key alone, into no table and no function', async () => {
    const headers = { apikey: project.supabase.keys.publishable, 'content-type': 'application/json' };
    const tables = await query(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`);
    for (const { name } of tables) {
      const response = await fetch(`${project.supabase.url}/rest/v1/${name}`, { headers });
      expect([name, response.status]).toEqual([name, 401]);
    }
    const functions = await query(
      `SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND has_function_privilege('anon', oid, 'EXECUTE') AND prorettype <> 'trigger'::regtype`,
    );
    expect(functions).toEqual([]);
    expect(tables.length).toBe(11);
  });

  test('a token that somebody signed with another secret is refused', async () => {
    const forged = signJwt(
      { role: 'service_role', sub: project.user.id, exp: 9_999_999_999 },
      'another-secret-of-at-least-32-characters',
    );
    const headers = { apikey: project.supabase.keys.publishable, authorization: `Bearer ${forged}` };
    expect((await fetch(`${project.supabase.url}/rest/v1/decision_vault`, { headers })).status).toBe(401);
  });

  test('a policy that denies writing is a missing permission; reading goes on', async () => {
    const connector = project.connector();
    await query(
      'DROP POLICY angles_own_rows ON decision_vault; CREATE POLICY angles_own_rows ON decision_vault FOR SELECT TO authenticated USING (owner_id = auth.uid())',
    );
    await expect(connector.push([decision()], signal())).rejects.toMatchObject({
      code: 'remote.forbidden',
      message: expect.stringContaining('row-level security'),
    });
    await connector.pull(null, signal());
    await query(
      'DROP POLICY angles_own_rows ON decision_vault; CREATE POLICY angles_own_rows ON decision_vault FOR ALL TO authenticated USING (owner_id = auth.uid()) WITH CHECK (owner_id = auth.uid())',
    );
    expect(await connector.push([decision()], signal())).toMatchObject([{ kind: 'done' }]);
  });

  const memory = (): ReturnType<typeof decision> => {
    const note = decision();
    return { ...note, table: 'memories', fields: { ...note.fields, content: 'c', kind: 'note', status: 'active' } };
  };
  test.each([
    [
      'a table is renamed',
      'ALTER TABLE memories RENAME TO memories_old',
      'ALTER TABLE memories_old RENAME TO memories',
      /memories/,
    ],
    [
      'a column is renamed',
      'ALTER TABLE memories RENAME kind TO sort',
      'ALTER TABLE memories RENAME sort TO kind',
      /kind/,
    ],
    [
      'a column is retyped',
      'ALTER TABLE memories ALTER tags DROP DEFAULT, ALTER tags TYPE jsonb USING to_jsonb(tags)',
      `ALTER TABLE memories ALTER tags TYPE text[] USING '{}', ALTER tags SET DEFAULT '{}'`,
      /tags/,
    ],
    [
      'a stamp is gone',
      'ALTER TABLE memories RENAME change_seq TO number',
      'ALTER TABLE memories RENAME number TO change_seq',
      /change_seq/,
    ],
  ])(
    '%s while the agent runs: this table pauses with its cause, the others go on, nothing is lost',
    async (_, change, undo, named) => {
      const connector = project.connector();
      const before = memory();
      await connector.push([before], signal());
      const { cursor } = await pullAll(connector);
      await query(change);
      await reload();
      const [waiting, fine] = [memory(), decision()];
      const outcomes = await connector.push([waiting, fine], signal());
      expect(outcomes.find(({ id }) => id === fine.id)?.kind).toBe('done');
      expect(outcomes.find(({ id }) => id === waiting.id)).toMatchObject({
        kind: 'failed',
        error: { code: 'remote.schema', message: expect.stringMatching(named) },
      });
      const page = await connector.pull(cursor, signal());
      expect(page.records.map(({ id }) => id)).toContain(fine.id);
      const schema = (await connector.check(signal())).find(({ id }) => id === 'schema');
      expect(schema).toMatchObject({ verdict: 'failed', code: 'remote.schema', detail: expect.stringMatching(named) });
      await query(undo);
      await reload();
      expect(await connector.push([waiting], signal())).toMatchObject([{ kind: 'done' }]);
      const after = await pullAll(connector, page.cursor);
      expect(after.records.map(({ id }) => id)).toContain(waiting.id);
      expect((await connector.read('memories', [before.id], signal())).map(({ id }) => id)).toEqual([before.id]);
    },
  );

  test('a database that was set back, or made anew, is noticed and not believed', async () => {
    const connector = project.connector();
    const identity = await connector.identity(signal());
    expect(await connector.identity(signal())).toBe(identity);
    await connector.push([decision()], signal());
    const { cursor } = await pullAll(connector);
    const numbers = JSON.parse(cursor) as Record<string, number[]>;
    const ahead = {
      ...numbers,
      decision_vault: [numbers.decision_vault?.[0], (numbers.decision_vault?.[1] ?? 0) + 1_000, 0, 0],
    };
    await expect(connector.pull(JSON.stringify(ahead), signal())).rejects.toMatchObject({ code: 'remote.replaced' });
    // An older dump, put back into the same server.
    await query(
      'CREATE TABLE dump AS SELECT * FROM decision_vault; CREATE TABLE number AS SELECT last_value FROM angles_change_seq',
    );
    await connector.push([decision()], signal());
    const seenLater = (await pullAll(connector, cursor)).cursor;
    await query(`ALTER TABLE decision_vault DISABLE TRIGGER USER; DELETE FROM decision_vault; INSERT INTO decision_vault SELECT * FROM dump;
      ALTER TABLE decision_vault ENABLE TRIGGER USER; SELECT setval('angles_change_seq', last_value) FROM number; DROP TABLE dump, number`);
    await expect(connector.pull(seenLater, signal())).rejects.toMatchObject({ code: 'remote.replaced' });
    expect((await connector.pull(cursor, signal())).records).toEqual([]);
    const other = { ...numbers, memories: [(numbers.memories?.[0] ?? 0) + 1e9, 0, 0, 0] };
    await expect(connector.pull(JSON.stringify(other), signal())).rejects.toMatchObject({ code: 'remote.replaced' });
    await query('UPDATE angles_meta SET instance = gen_random_uuid()');
    expect(await connector.identity(signal())).not.toBe(identity);
    await query(`UPDATE angles_meta SET system_identifier = 'elsewhere'`);
    await expect(connector.identity(signal())).rejects.toMatchObject({ code: 'remote.replaced' });
    const plan = await connector.prepare(signal());
    expect(plan.steps).toEqual(['Number the rows anew: they were restored from another server']);
    await plan.apply(signal());
    await connector.identity(signal());
  });

  test('secrets never show in a failure', async () => {
    const secrets = [
      project.user.password,
      project.supabase.keys.publishable,
      project.supabase.keys.secret,
      new URL(project.supabase.dbUrl).password,
    ];
    const failures: unknown[] = [];
    for (const options of [
      { key: 'wrong' },
      { signIn: { ...project.user, email: 'nobody@example.test' } },
      { url: 'http://127.0.0.1:1' },
    ])
      failures.push(
        await project
          .connector(options)
          .pull(null, signal())
          .catch((error: unknown) => error),
      );
    failures.push(
      await createSupabaseConnection({ ...project.config, url: project.supabase.keys.secret })
        .call('x', {}, signal())
        .catch((error: unknown) => error),
    );
    const text = failures
      .map((error) => `${(error as Error).stack} ${JSON.stringify(error)} ${String((error as Error).cause)}`)
      .join('\n');
    expect(failures.length).toBe(4);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  test('ids that are none are refused by themselves', async () => {
    const connector = project.connector();
    const outcomes = await connector.push([decision({}, 'not-an-id'), decision({}, randomUUID())], signal());
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['done', 'failed']);
    expect(outcomes.find(({ kind }) => kind === 'failed')).toMatchObject({
      id: 'not-an-id',
      error: { code: 'remote.rejected' },
    });
  });
});
