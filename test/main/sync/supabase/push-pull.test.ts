import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { OutgoingRecord } from '../../../../src/main/sync/connector.ts';
import { createSupabaseConnection } from '../../../../src/main/sync/supabase/client.ts';
import { needs } from '../../../support/needs.ts';
import { decision, edited, type Project, pullAll, signal, startProject } from './harness.ts';

describe('the connector to Supabase', needs('postgres and postgrest'), () => {
  let project: Project;
  beforeAll(async () => {
    project = await startProject();
  }, 60_000);
  afterAll(() => project.stop());
  beforeEach(() => project.supabase.clear());
  const query: Project['supabase']['query'] = (sql, parameters) => project.supabase.query(sql, parameters);
  const rowsOf = async (id: string) =>
    (await query('SELECT * FROM decision_vault WHERE id = $1', [id])) as Record<string, unknown>[];

  test('a record that is pushed comes back as it was, and only once', async () => {
    const connector = project.connector();
    const record = decision();
    const { cursor } = await pullAll(connector);
    const [outcome] = await connector.push([record], signal());
    expect(outcome).toMatchObject({ kind: 'done', id: record.id, remoteId: null });
    const pulled = await pullAll(connector, cursor);
    expect(pulled.records).toEqual([
      {
        table: 'decision_vault',
        id: record.id,
        remoteId: record.id,
        fields: record.fields,
        problems: [],
        version: outcome?.kind === 'done' ? outcome.version : '',
        editedAtMs: record.fields.updatedAtMs,
      },
    ]);
    expect(await connector.read('decision_vault', [record.id, randomUUID(), 'none'], signal())).toEqual(pulled.records);
    expect((await pullAll(connector, pulled.cursor)).records).toEqual([]);
    expect(await rowsOf(record.id)).toMatchObject([{ owner_id: project.user.id }]);
  });

  test('an edit over there that was not seen is never overwritten', async () => {
    const connector = project.connector();
    const record = decision();
    const [first] = await connector.push([record], signal());
    await query(`UPDATE decision_vault SET category = 'theirs' WHERE id = $1`, [record.id]);
    const [outcome] = await connector.push([edited(record, first, { title: 'Ours' })], signal());
    expect(outcome).toMatchObject({
      kind: 'changed',
      current: { id: record.id, fields: { title: 'Use Postgres', category: 'theirs' }, problems: [] },
    });
    const current = outcome?.kind === 'changed' ? outcome.current : undefined;
    const merged = {
      ...edited(record, first, { title: 'Ours', category: 'theirs' }),
      baseVersion: current?.version ?? '',
    };
    expect(await connector.push([merged], signal())).toMatchObject([{ kind: 'done' }]);
    expect(await rowsOf(record.id)).toMatchObject([{ title: 'Ours', category: 'theirs' }]);
  });

  test('of two that edit the same state at once, one wins and the other one hears of it', async () => {
    const connectors = [1, 2, 3, 4].map((each) => project.connector({ deviceId: `device-${each}` }));
    const records = Array.from({ length: 20 }, () => decision());
    const [mine] = connectors;
    const first = (await mine?.push(records, signal())) ?? [];
    const outcomes = await Promise.all(
      connectors.map((connector, device) =>
        connector.push(
          records.map((record) =>
            edited(
              record,
              first.find(({ id }) => id === record.id),
              { title: `from ${device}` },
            ),
          ),
          signal(),
        ),
      ),
    );
    for (const { id } of records) {
      const kinds = outcomes.map((each) => each.find((outcome) => outcome.id === id)?.kind).toSorted();
      expect(kinds).toEqual(['changed', 'changed', 'changed', 'done']);
      const winner = outcomes.findIndex((each) => each.some((outcome) => outcome.id === id && outcome.kind === 'done'));
      expect(await rowsOf(id)).toMatchObject([{ title: `from ${winner}` }]);
    }
  });

  test('a row that was deleted over there is reported as gone, by pull and by push; making it again brings it back', async () => {
    const connector = project.connector();
    const record = decision();
    const [first] = await connector.push([record], signal());
    const { cursor } = await pullAll(connector);
    await query('DELETE FROM decision_vault WHERE id = $1', [record.id]);
    const after = await pullAll(connector, cursor);
    expect([after.gone, after.records]).toEqual([[record.id], []]);
    expect(await connector.push([edited(record, first, { title: 'Still here' })], signal())).toEqual([
      { kind: 'gone', id: record.id },
    ]);
    expect(await connector.push([record], signal())).toMatchObject([{ kind: 'done' }]);
    const again = await pullAll(connector, cursor);
    expect([again.gone, again.records.map(({ id }) => id)]).toEqual([[], [record.id]]);
  });

  test('emptying a table and renumbering a row leave their marks, too', async () => {
    const connector = project.connector();
    const note = { ...decision(), table: 'memories' as const };
    const memory: OutgoingRecord = {
      ...note,
      fields: { ...note.fields, content: 'x', kind: 'note', status: 'active' },
    };
    const record = decision();
    await connector.push([memory, record], signal());
    const { cursor } = await pullAll(connector);
    const other = randomUUID();
    await query('TRUNCATE memories');
    await query('UPDATE decision_vault SET id = $2 WHERE id = $1', [record.id, other]);
    const after = await pullAll(connector, cursor);
    expect(after.gone.toSorted()).toEqual([memory.id, record.id].toSorted());
    expect(after.records.map(({ id }) => id)).toEqual([other]);
  });

  test('rows that are made and edited in the table editor are pulled, with id, owner, number and time', async () => {
    const connector = project.connector();
    const { cursor } = await pullAll(connector);
    await query(`INSERT INTO decision_vault (title) VALUES ('Typed in')`);
    const made = await pullAll(connector, cursor);
    expect(made.records).toMatchObject([
      { fields: { title: 'Typed in', status: 'open', priority: 'medium', tags: [], origin: 'supabase' }, problems: [] },
    ]);
    const [record] = made.records;
    await query(`UPDATE decision_vault SET status = 'accepted' WHERE id = $1`, [record?.id]);
    const [after] = (await pullAll(connector, made.cursor)).records;
    expect(after?.fields.status).toBe('accepted');
    expect(after?.version).not.toBe(record?.version);
    expect(Number(after?.fields.updatedAtMs)).toBeGreaterThanOrEqual(Number(record?.fields.updatedAtMs));
    expect(Math.abs(Date.now() - Number(after?.editedAtMs))).toBeLessThan(10_000);
  });

  test('a device whose clock is ahead wins no time by it', async () => {
    const record = decision({ updatedAtMs: Date.now() + 600_000 });
    const connector = project.connector();
    await connector.push([record], signal());
    const [read] = await connector.read('decision_vault', [record.id], signal());
    expect(read?.fields.updatedAtMs).toBe(record.fields.updatedAtMs);
    expect(Math.abs(Number(read?.editedAtMs) - Date.now())).toBeLessThan(10_000);
  });

  test('an early number that commits late is never skipped', async () => {
    const connector = project.connector();
    const [slow, fast] = [project.supabase.connect(), project.supabase.connect()];
    const insert = (title: string) => `INSERT INTO decision_vault (title) VALUES ('${title}')`;
    let { cursor } = await pullAll(connector);
    const titles = async (): Promise<unknown[]> => {
      const page = await pullAll(connector, cursor);
      cursor = page.cursor;
      return page.records.map(({ fields }) => fields.title);
    };
    // The simple case: the first number is taken first and committed last.
    await slow.unsafe(`BEGIN; ${insert('slow 1')}`);
    await fast.unsafe(insert('fast 1'));
    expect(await titles()).toEqual([]);
    await slow.unsafe('COMMIT');
    expect(await titles()).toEqual(['slow 1', 'fast 1']);
    // The treacherous one: the older transaction takes the later number, and commits while the younger one still runs.
    await fast.unsafe('BEGIN; SELECT pg_current_xact_id()');
    await slow.unsafe(`BEGIN; ${insert('slow 2')}`);
    await fast.unsafe(`${insert('fast 2')}; COMMIT`);
    expect(await titles()).toEqual(['fast 2']);
    await slow.unsafe('COMMIT');
    expect(await titles()).toEqual(['slow 2']);
    // What is rolled back never shows.
    await slow.unsafe(`BEGIN; ${insert('never')}`);
    await fast.unsafe(insert('fast 3'));
    await slow.unsafe('ROLLBACK');
    expect(await titles()).toEqual(['fast 3']);
  });

  test('while many connections write, a reader that keeps its cursor sees each last state', async () => {
    const connector = project.connector();
    let { cursor } = await pullAll(connector);
    const ids = Array.from({ length: 12 }, () => randomUUID());
    const rounds = Number(process.env.ROUNDS ?? 40);
    const last = new Map<string, string>();
    let isWriting = true;
    const writers = Promise.all(
      [0, 1, 2, 3].map(async (writer) => {
        const sql = project.supabase.connect();
        for (let round = 0; round < rounds; round += 1) {
          const id = ids[(round * 7 + writer * 3) % ids.length] ?? '';
          await sql.unsafe('BEGIN; SELECT pg_current_xact_id()');
          await sql.unsafe(
            `INSERT INTO decision_vault (id, title) VALUES ('${id}', '${writer}.${round}') ON CONFLICT (id) DO UPDATE SET title = excluded.title`,
          );
          if (round % 5 === 0) await sql.unsafe('ROLLBACK');
          else await sql.unsafe('COMMIT');
        }
      }),
    ).finally(() => {
      isWriting = false;
    });
    const pull = async (): Promise<void> => {
      const page = await pullAll(connector, cursor);
      cursor = page.cursor;
      for (const { id, fields } of page.records) last.set(id ?? '', String(fields.title));
    };
    while (isWriting) await pull();
    await writers;
    await pull();
    const rows = await query('SELECT id, title FROM decision_vault WHERE id = ANY ($1::uuid[])', [ids]);
    expect(Object.fromEntries(last)).toEqual(Object.fromEntries(rows.map(({ id, title }) => [id, title])));
  });

  test('large tables come in pages, each row once', async () => {
    const connector = project.connector();
    const { cursor } = await pullAll(connector);
    await query(
      `INSERT INTO memories (title, content) SELECT 'm' || n, repeat('x', 6000) FROM generate_series(1, 1200) n`,
    );
    const pulled = await pullAll(connector, cursor);
    expect(new Set(pulled.records.map(({ id }) => id)).size).toBe(1_200);
    expect(pulled.records.length).toBe(1_200);
    expect(pulled.pages).toBeGreaterThanOrEqual(3);
    await query('DELETE FROM memories');
    const gone = await pullAll(connector, pulled.cursor);
    expect(new Set(gone.gone).size).toBe(1_200);
  });

  test('an answer that is lost after the commit makes no duplicate and no conflict', async () => {
    const connector = project.connector();
    const record = decision();
    await project.supabase.fault({ fault: { kind: 'cut-after' }, path: 'angles_push' });
    await expect(connector.push([record], signal())).rejects.toMatchObject({
      code: 'remote.unreachable',
      retryable: true,
    });
    expect(await rowsOf(record.id)).toHaveLength(1);
    const [first] = await connector.push([record], signal());
    expect(first).toMatchObject({ kind: 'done', base: { title: 'Use Postgres' } });
    const edit = edited(record, first, { title: 'Edited' });
    await project.supabase.fault({ fault: { kind: 'cut-after' }, path: 'angles_push' });
    await expect(connector.push([edit], signal())).rejects.toMatchObject({ code: 'remote.unreachable' });
    const [second] = await connector.push([edit], signal());
    expect(second).toMatchObject({ kind: 'done' });
    const next = edited(edit, second, { title: 'Edited again' });
    expect(await connector.push([next], signal())).toMatchObject([{ kind: 'done' }]);
    expect(await query('SELECT count(*)::int AS n FROM decision_vault WHERE id = $1', [record.id])).toEqual([{ n: 1 }]);
  });

  test('of 1,000 records one that the table refuses stands aside with its reason, 999 land', async () => {
    const connector = project.connector();
    await query(`ALTER TABLE decision_vault ADD CONSTRAINT no_poison CHECK (category <> 'poison')`);
    const records = Array.from({ length: 1_000 }, (_, index) =>
      decision({ category: index === 777 ? 'poison' : 'fine' }),
    );
    const outcomes = await connector.push(records, signal());
    const bad = outcomes.filter(({ kind }) => kind !== 'done');
    expect(bad).toMatchObject([
      {
        kind: 'failed',
        id: records[777]?.id,
        error: { code: 'remote.rejected', message: expect.stringContaining('no_poison') },
      },
    ]);
    expect(await query(`SELECT count(*)::int AS n FROM decision_vault WHERE category = 'fine'`)).toEqual([{ n: 999 }]);
    // Two batches of 500, and the halves on the way to one of them.
    expect((await project.supabase.requests()).filter(({ path }) => path.includes('angles_push')).length).toBeLessThan(
      25,
    );
    await query('ALTER TABLE decision_vault DROP CONSTRAINT no_poison');
  });

  test('a batch that takes longer than a statement may is halved, and the next ones stay small', async () => {
    const connector = project.connector();
    // PostgREST learns of the shorter limit when it hears of it: it is asked until it has.
    const superuser = project.supabase.connect({ superuser: true });
    const limit = async (seconds: number): Promise<void> => {
      await superuser.unsafe(
        `ALTER ROLE authenticated SET statement_timeout = '${seconds}s'; NOTIFY pgrst, 'reload config'`,
      );
      while ((await connection.call('limit_now', {}, signal()).catch(() => '')) !== `${seconds}s`) await wait(20);
    };
    const connection = createSupabaseConnection(project.config);
    await query(`CREATE FUNCTION limit_now() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('statement_timeout') $$;
      GRANT EXECUTE ON FUNCTION limit_now() TO authenticated; NOTIFY pgrst, 'reload schema';
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END';
      CREATE TRIGGER slow BEFORE INSERT ON memories FOR EACH ROW EXECUTE FUNCTION slow()`);
    await limit(1);
    const note = decision();
    const fields = { ...note.fields, content: '', kind: 'note', status: 'active' };
    const records = Array.from({ length: 200 }, () => ({
      ...note,
      id: randomUUID(),
      table: 'memories' as const,
      fields,
    }));
    const outcomes = await connector.push(records, signal());
    expect(outcomes.every(({ kind }) => kind === 'done')).toBe(true);
    expect(connector.batchSize()).toBeLessThan(200);
    await query('DROP TRIGGER slow ON memories');
    await limit(8);
  });

  const HOSTILE = {
    'a NUL': 'a\0b',
    'half a pair': 'x\ud83d',
    'the other half': '\ude00x',
    'halves in the wrong order': '\ude00\ud83d',
    'right to left': 'ab\u202Ecba\u2067',
    'emoji of several parts': '👩‍👩‍👧‍👦🏳️‍🌈',
    'what looks like our own escape': '\\u{0} \\u{5c}u{0} \\u{d83d}\\ude00 \\u0000',
    'both forms of é': '\u00e9 e\u0301',
    'markup and quotes': `<script>alert("1")</script> '; DROP TABLE decision_vault; -- {"a":[]}`,
    'line ends and escapes of a terminal': 'a\r\nb\u001b[31mc\u0085\u2028d',
    'a name with bytes that are no UTF-8': 'f\uf7ff\uf780.md',
    noncharacters: '\ufffe\uffff\ufffd\ufeff',
  };
  test.each(Object.entries(HOSTILE))('%s goes there and back unchanged', async (_, text) => {
    const connector = project.connector();
    const record = decision({
      title: `t${text}t`,
      decision: text,
      sourcePath: text,
      tags: [`x${text}x`],
      category: `c${text}c`,
    });
    expect(await connector.push([record], signal())).toMatchObject([{ kind: 'done' }]);
    const [read] = await connector.read('decision_vault', [record.id], signal());
    expect([read?.fields, read?.problems]).toEqual([record.fields, []]);
    expect(await connector.push([record], signal())).toMatchObject([{ kind: 'done' }]);
  });

  test('a version of a file goes with its text; a long one by way of the bucket, once', async () => {
    const connector = project.connector();
    const snapshot = (text: string, id = randomUUID()): OutgoingRecord => ({
      ...decision(),
      id,
      table: 'file_snapshots',
      fields: {
        root: '/home/me/notes',
        path: 'a/ü\0.md',
        previousPath: null,
        change: 'modified',
        sha256: createHash('sha256').update('original').digest('hex'),
        sizeBytes: 8,
        mtimeMs: -62_135_596_800_001,
        capturedAtMs: 1_767_225_600_123,
        stillOpen: false,
        deviceId: 'device-1',
      },
      content: { kind: 'text', text, redactions: 2 },
    });
    const long = 'ß\0'.repeat(100_000);
    const records = [snapshot('short \0'), snapshot(long), snapshot(long)];
    const outcomes = await connector.push(records, signal());
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
    const read = await connector.read(
      'file_snapshots',
      records.map(({ id }) => id),
      signal(),
    );
    const byId = new Map(read.map((each) => [each.id, each]));
    const sha256 = createHash('sha256').update(long).digest('hex');
    const object = `${project.user.id}/${sha256.slice(0, 2)}/${sha256}`;
    const sent = records.map(({ fields }) => ({ ...fields, contentOmitted: null, redactions: 2 }));
    expect(records.map(({ id }) => [byId.get(id)?.fields, byId.get(id)?.problems])).toEqual([
      [{ ...sent[0], content: 'short \0', contentObject: null }, []],
      [{ ...sent[1], content: null, contentObject: object }, []],
      [{ ...sent[2], content: null, contentObject: object }, []],
    ]);
    const [stored] = await project.supabase
      .connect({ superuser: true })
      .unsafe('SELECT bytes FROM standin.bytes WHERE name = $1', [object]);
    expect(Buffer.from(stored?.bytes).toString()).toBe(long);
    // Again, as after a lost answer.
    expect((await connector.push(records, signal())).map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
    await project.supabase.settings({ storage: { fileSizeLimitBytes: 300_000 } });
    const other = snapshot(`${long}more`);
    expect(await connector.push([other, snapshot('fine')], signal())).toMatchObject([
      { kind: 'failed', id: other.id, error: { code: 'remote.too_large' } },
      { kind: 'done' },
    ]);
    await project.supabase.settings({ storage: { fileSizeLimitBytes: 50 * 1024 * 1024 } });
  });

  test('activities are written once, and a device is not told its own', async () => {
    const activity = (deviceId: string): OutgoingRecord => ({
      ...decision(),
      table: 'activities',
      fields: {
        kind: 'file.modified',
        summary: null,
        root: '/r',
        path: 'a',
        snapshotId: null,
        recordTable: null,
        recordId: null,
        origin: 'watch',
        occurredAtMs: 1_767_225_600_000,
        deviceId,
      },
    });
    const connector = project.connector();
    const { cursor } = await pullAll(connector);
    const [own, other] = [activity('device-1'), activity('device-2')];
    await connector.push([own, other], signal());
    await connector.push([own, other], signal());
    const pulled = await pullAll(connector, cursor);
    expect(pulled.records.map(({ id }) => id)).toEqual([other.id]);
    expect((await pullAll(connector, pulled.cursor)).records).toEqual([]);
    expect(
      await query('SELECT count(*)::int AS n FROM activities WHERE id = ANY ($1::uuid[])', [[own.id, other.id]]),
    ).toEqual([{ n: 2 }]);
  });

  test('nonsense that was typed into a row is reported field by field, and the rest is read', async () => {
    const connector = project.connector();
    await query(
      'ALTER TABLE decision_vault DROP CONSTRAINT decision_vault_status_check, DROP CONSTRAINT decision_vault_priority_check, ALTER title DROP NOT NULL, ALTER created_at DROP NOT NULL',
    );
    const record = decision();
    await connector.push([record], signal());
    const { cursor } = await pullAll(connector);
    await query(
      `UPDATE decision_vault SET title = NULL, status = 'done?', priority = '', tags = ARRAY['a', NULL], supersedes = 'that one',
       source_sha256 = 'x', created_at = 'infinity', category = 'fine', date = 'infinity' WHERE id = $1`,
      [record.id],
    );
    const [read] = (await pullAll(connector, cursor)).records;
    expect(read?.problems.map(({ field, value }) => [field, value]).toSorted()).toEqual([
      ['createdAtMs', 'infinity'],
      ['date', 'infinity'],
      ['priority', ''],
      ['sourceSha256', 'x'],
      ['status', 'done?'],
      ['supersedes', 'that one'],
      ['tags', '["a",null]'],
      ['title', 'null'],
    ]);
    expect(read?.fields).toMatchObject({ category: 'fine', decision: 'We use Postgres.' });
    expect(read?.problems.find(({ field }) => field === 'status')?.reason).toContain(
      'must be one of proposed, accepted',
    );
    // What nobody could read counts as agreed: a push of another field leaves it as it is.
    const readable = { ...record.fields, category: 'pushed' };
    const next = {
      ...record,
      fields: readable,
      base: { ...record.fields, category: 'fine' },
      baseVersion: read?.version ?? '',
    };
    expect(await connector.push([next], signal())).toMatchObject([{ kind: 'done' }]);
    expect(await connector.push([next], signal())).toMatchObject([{ kind: 'done' }]);
    expect(await rowsOf(record.id)).toMatchObject([
      { category: 'pushed', title: null, status: 'done?', priority: '', supersedes: 'that one' },
    ]);
    expect(await query('SELECT to_jsonb(tags) AS tags FROM decision_vault WHERE id = $1', [record.id])).toEqual([
      { tags: ['a', null] },
    ]);
    await query('DELETE FROM decision_vault WHERE id = $1', [record.id]);
  });
});
