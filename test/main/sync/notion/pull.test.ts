import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Notion, startNotion } from '../../../support/notion/start.ts';
import {
  change,
  connect,
  create,
  decision,
  dump,
  freshDatabase,
  makeDatabase,
  merged,
  pullAll,
  signal,
} from './notion-harness.ts';

let notion: Notion;
beforeAll(async () => {
  notion = await startNotion();
});
afterAll(() => notion.stop());

const paragraph = (content: string) => ({ paragraph: { rich_text: [{ text: { content } }] } });

describe('pulling', () => {
  test('a second look at everything reads only the texts that may have changed', async () => {
    const { connector, database } = await freshDatabase(notion);
    const add = (name: string) =>
      notion.call<{ pageId: string }>('page', {
        dataSourceId: database.dataSourceId,
        properties: { Name: name, Status: 'open', Priority: 'low' },
        blocks: [paragraph(`text of ${name}`)],
      });
    const textsRead = async (): Promise<number> =>
      (await notion.log()).filter(({ path }) => path.endsWith('/children')).length;
    const [first, second] = [await add('one'), await add('two')];
    await notion.call('clock', { advanceMs: 180_000 });
    try {
      await pullAll(connector);
      await notion.call('clearLog');
      expect((await pullAll(connector)).records.map(({ fields }) => fields.decision).sort()).toEqual([
        'text of one',
        'text of two',
      ]);
      expect(await textsRead()).toBe(0);
      await notion.call('append', { pageId: second.pageId, blocks: [paragraph('and more')] });
      const again = await pullAll(connector);
      const byId = new Map(again.records.map((record) => [record.remoteId, record.fields.decision]));
      expect(byId.get(first.pageId)).toBe('text of one');
      expect(byId.get(second.pageId)).toContain('and more');
      // Its minute is not over: it is read each time.
      await notion.call('append', { pageId: second.pageId, blocks: [paragraph('and the end')] });
      const last = await pullAll(connector);
      expect(last.records.find((record) => record.remoteId === second.pageId)?.fields.decision).toContain('the end');
      expect(await textsRead()).toBe(2);
    } finally {
      await notion.call('clock', { advanceMs: -180_000 });
    }
  });

  test('misses none of many edits in the same minute, whenever in it the pulls happen', async () => {
    const { connector, database } = await freshDatabase(notion);
    const minute = Date.UTC(2026, 10, 24, 12, 0, 0);
    await notion.call('clock', { fixedMs: minute + 1000 });
    try {
      const ids: string[] = [];
      for (let index = 0; index < 15; index += 1) {
        const made = await notion.call<{ pageId: string }>('page', {
          dataSourceId: database.dataSourceId,
          properties: { Name: `P${index}`, Status: 'open', Priority: 'low' },
        });
        ids.push(made.pageId);
      }
      const latest = new Map(ids.map((id, index) => [id, `P${index}`]));
      const seen = new Map<string, unknown>();
      let cursor: string | null = null;
      // Edits and pulls take turns through three minutes, many of each in every minute.
      for (let step = 0; step < 30; step += 1) {
        await notion.call('clock', { advanceMs: 5000 });
        for (const id of ids.filter((_, index) => (index * 7 + step) % 5 === 0)) {
          latest.set(id, `${id} at ${step}`);
          await notion.call('set', { pageId: id, properties: { Name: `${id} at ${step}` } });
        }
        if (step % 2 === 0) continue;
        const pulled = await pullAll(connector, cursor);
        cursor = pulled.cursor;
        for (const record of pulled.records) seen.set(record.remoteId, record.fields.title);
        expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(latest));
      }
      // When it is quiet, nothing is given twice for ever.
      await notion.call('clock', { advanceMs: 180_000 });
      const last = await pullAll(connector, cursor);
      await notion.call('clock', { advanceMs: 180_000 });
      expect((await pullAll(connector, last.cursor)).records).toEqual([]);
    } finally {
      await notion.call('clock', { fixedMs: null });
    }
  });

  test('gives everything of more pages than one answer holds, while pages are edited in between', async () => {
    const { connector, database } = await freshDatabase(notion);
    const minute = Date.UTC(2026, 10, 24, 13, 0, 0);
    await notion.call('clock', { fixedMs: minute });
    try {
      const ids: string[] = [];
      for (let index = 0; index < 130; index += 1) {
        // All of the first 70 in one minute, then four a minute.
        if (index >= 70 && index % 4 === 0) await notion.call('clock', { advanceMs: 60_000 });
        const made = await notion.call<{ pageId: string }>('page', {
          dataSourceId: database.dataSourceId,
          properties: { Name: `P${index}` },
        });
        ids.push(made.pageId);
      }
      await notion.call('clock', { advanceMs: 60_000 });
      const seen = new Set<string>();
      const edited = new Set<string>();
      let cursor: string | null = null;
      let more = true;
      for (let turn = 0; more; turn += 1) {
        const page = await connector.pull(cursor, signal);
        for (const { remoteId } of page.records) seen.add(remoteId);
        cursor = page.cursor;
        more = page.hasMore;
        // Early ones move to the end of the list, and so does the one that a cursor would name next.
        const next = ids.find((id) => !seen.has(id) && !edited.has(id));
        for (const pageId of [ids[turn], next]) {
          if (pageId === undefined || turn >= 30) continue;
          edited.add(pageId);
          await notion.call('set', { pageId, properties: { Priority: 'high' } });
        }
      }
      expect([...seen].sort()).toEqual([...ids].sort());
    } finally {
      await notion.call('clock', { fixedMs: null });
    }
  });

  test('gives a new page of a person without an id of ours, with what its blocks say; pushing it gives it one', async () => {
    const { connector, database } = await freshDatabase(notion);
    const { pageId } = await notion.call<{ pageId: string }>('page', {
      dataSourceId: database.dataSourceId,
      properties: { Name: ' From Notion ', Status: 'open', Priority: 'low', Date: '2026-11-20T10:00:00.000+02:00' },
      blocks: [
        { heading_2: { rich_text: [{ text: { content: 'Why' } }] } },
        paragraph('Because'),
        { to_do: { rich_text: [{ text: { content: 'do it', link: { url: 'https://example.com' } } }], checked: true } },
      ],
    });
    const { records } = await pullAll(connector);
    expect(records).toHaveLength(1);
    const [record] = records;
    expect(record).toMatchObject({
      id: null,
      remoteId: pageId,
      fields: {
        title: 'From Notion',
        date: '2026-11-20',
        origin: 'notion',
        decision: '## Why\n\nBecause\n\n- [x] [do it](https://example.com)',
        category: '',
        tags: [],
      },
    });
    if (!record) return;
    const fields = merged(record);
    const linked = await change(
      connector,
      {
        table: 'decision_vault',
        id: '0198c0de-0000-7000-8000-000000000001',
        remoteId: pageId,
        fields,
        base: fields,
        baseVersion: record.version,
        content: null,
      },
      {},
    );
    const [again] = (await pullAll(connector)).records;
    expect(again).toMatchObject({ id: linked.id, version: record.version });
    expect((await dump(notion, database))[0]?.blocks.map(({ type }) => type)).toEqual([
      'heading_2',
      'paragraph',
      'to_do',
    ]);
  });

  test('of a duplicated page gives the copy as a new one, also to a run that knows nothing', async () => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision());
    await notion.call('clock', { advanceMs: 120_000 });
    const copy = await notion.call<{ pageId: string }>('duplicate', { pageId: record.remoteId });
    const expected = [
      { id: record.id, remoteId: record.remoteId },
      { id: null, remoteId: copy.pageId },
    ];
    for (const one of [connector, connect(notion, { decision_vault: database.databaseId })]) {
      const { records } = await pullAll(one);
      expect(records.map(({ id, remoteId }) => ({ id, remoteId }))).toEqual(expected);
    }
    // A new link of the copy takes the id of the original out of it.
    await change(
      connector,
      { ...record, id: '0198c0de-0000-7000-8000-000000000002', remoteId: copy.pageId },
      { title: 'The copy' },
    );
    const { records } = await pullAll(connect(notion, { decision_vault: database.databaseId }));
    expect(records.map(({ id, fields }) => [id, fields.title]).sort()).toEqual(
      [
        ['0198c0de-0000-7000-8000-000000000002', 'The copy'],
        [record.id, 'Use SQLite'],
      ].sort(),
    );
  });

  test('an id that a person typed is none', async () => {
    const { connector } = await freshDatabase(notion);
    const record = await create(connector, decision());
    await notion.call('set', { pageId: record.remoteId, properties: { 'Angles ID': 'my own' } });
    expect((await pullAll(connector)).records).toMatchObject([{ id: null, remoteId: record.remoteId }]);
  });

  test('an idle round asks for the schema and the two listings, and reads no page', async () => {
    const { connector } = await freshDatabase(notion);
    await notion.call('clock', { fixedMs: Date.UTC(2026, 10, 24, 15, 0, 0) });
    try {
      await create(connector, decision());
      await notion.call('clock', { advanceMs: 300_000 });
      const first = await pullAll(connector);
      await notion.call('clearLog');
      const second = await pullAll(connector, first.cursor);
      expect(second.records).toEqual([]);
      expect(
        (await notion.log()).map(({ method, path }) => `${method} ${path.replace(/[0-9a-f-]{36}/, 'ID')}`),
      ).toEqual(['GET /v1/data_sources/ID', 'POST /v1/data_sources/ID/query', 'POST /v1/data_sources/ID/query']);
    } finally {
      await notion.call('clock', { fixedMs: null });
    }
  });

  test('an empty, failing or unshared listing says nothing is gone', async () => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision());
    const { cursor } = await pullAll(connector);
    await notion.fault({ kind: 'foreign', path: 'query' });
    await expect(pullAll(connector, cursor)).rejects.toMatchObject({ code: 'remote.bad_answer' });
    await notion.call('share', { databaseId: database.databaseId, shared: false });
    await expect(pullAll(connector, null)).rejects.toMatchObject({ code: 'remote.not_shared' });
    const empty = await makeDatabase(notion, 'decision_vault');
    const other = connect(notion, { decision_vault: empty.databaseId });
    const pulled = await other.pull(null, signal);
    expect(pulled.gone).toEqual([]);
    await expect(
      other.readLinked([{ table: 'decision_vault', id: record.id, remoteId: record.remoteId ?? '' }], signal),
    ).resolves.toMatchObject({ gone: [{ id: record.id }] });
  });

  test('the limit of results of a query hides nothing: what it cannot give is an error', async () => {
    const { connector, database } = await freshDatabase(notion);
    await notion.call('clock', { fixedMs: Date.UTC(2026, 10, 24, 17, 0, 0) });
    await notion.call('maxResults', { count: 30 });
    const add = async (count: number) => {
      for (let index = 0; index < count; index += 1)
        await notion.call('page', { dataSourceId: database.dataSourceId, properties: { Name: 'P' } });
    };
    try {
      for (let minute = 0; minute < 5; minute += 1) {
        await add(20);
        await notion.call('clock', { advanceMs: 60_000 });
      }
      const { records, cursor } = await pullAll(connector);
      expect(new Set(records.map(({ remoteId }) => remoteId)).size).toBe(100);
      await add(40);
      await expect(pullAll(connector, cursor)).rejects.toMatchObject({
        code: 'remote.bad_answer',
        message: expect.stringContaining('one minute'),
      });
    } finally {
      await notion.call('maxResults', { count: 10_000 });
      await notion.call('clock', { fixedMs: null });
    }
  });

  test('a cursor of nobody is none', async () => {
    const { connector } = await freshDatabase(notion);
    await create(connector, decision());
    for (const text of ['', '{}', '{"v":2}', 'x'.repeat(50)])
      expect((await pullAll(connector, text)).records).toHaveLength(1);
  });
});

describe('the schema', () => {
  test('a renamed property is followed, by this run and by the next', async () => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision());
    const { cursor } = await pullAll(connector);
    await notion.call('renameProperty', { dataSourceId: database.dataSourceId, from: 'Status', to: 'State of it' });
    await notion.call('renameProperty', { dataSourceId: database.dataSourceId, from: 'Name', to: 'Title' });
    const next = await change(connector, record, { status: 'open', title: 'New' });
    const restarted = connect(notion, { decision_vault: database.databaseId });
    const pulled = await pullAll(restarted, cursor);
    expect(pulled.records.at(-1)).toMatchObject({
      version: next.baseVersion,
      fields: { status: 'open', title: 'New' },
    });
  });

  test.each([
    ['deleteProperty', { name: 'Priority' }, /no property "Priority"/],
    [
      'retypeProperty',
      { name: 'Priority', type: 'number' },
      /"Priority" of Decisions is of type number, it has to be select/,
    ],
  ])('%s stops push and pull with its name, and nothing is written', async (op, args, message) => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision());
    const { cursor } = await pullAll(connector);
    await notion.call(op, { dataSourceId: database.dataSourceId, ...args });
    const wrong = { code: 'remote.schema', message: expect.stringMatching(message) };
    await expect(change(connector, record, { title: 'x', priority: 'low' })).rejects.toMatchObject(wrong);
    await expect(pullAll(connector, cursor)).rejects.toMatchObject(wrong);
    expect((await dump(notion, database))[0]?.properties.Name).toMatchObject({ title: [{ plain_text: 'Use SQLite' }] });
    const plan = await connector.prepare(signal);
    expect(plan.steps).toEqual(
      op === 'deleteProperty' ? ['Add the property "Priority" (select) to Decisions in Notion'] : [],
    );
    if (op !== 'deleteProperty') return;
    await plan.apply(signal);
    const record2 = await pullAll(connector, cursor);
    expect(record2.records).toBeDefined();
  });

  test('two data sources: they are named, and the id of one chooses it', async () => {
    const { connector, database } = await freshDatabase(notion);
    await notion.call('dataSource', { databaseId: database.databaseId, name: 'Archive' });
    await expect(connector.identity(signal)).rejects.toMatchObject({
      code: 'remote.schema',
      message: expect.stringMatching(/2 data sources: "Decisions" \(.*\), "Archive"/),
      hint: expect.stringContaining('Set the id'),
    });
    const chosen = connect(notion, { decision_vault: database.dataSourceId });
    expect(await chosen.identity(signal)).toBe(`notion:decision_vault=${database.dataSourceId}`);
    const address = connect(notion, {
      decision_vault: `https://www.notion.so/team/Decisions-${database.dataSourceId.replaceAll('-', '')}?v=1`,
    });
    expect(await address.identity(signal)).toBe(`notion:decision_vault=${database.dataSourceId}`);
  });
});
