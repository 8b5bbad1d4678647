import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OutgoingRecord } from '../../../../src/main/sync/connector.ts';
import { type Notion, startNotion } from '../../../support/notion/start.ts';
import {
  change,
  connect,
  create,
  decision,
  done,
  dump,
  edit,
  freshDatabase,
  makeDatabase,
  merged,
  outgoing,
  pullAll,
  pushOne,
  settled,
  signal,
} from './notion-harness.ts';

const RUNS = Number(process.env.NOTION_RUNS ?? 25);
let notion: Notion;
beforeAll(async () => {
  notion = await startNotion();
});
afterAll(() => notion.stop());

describe('a record', () => {
  test('arrives as a page that reads back the same, and pushing it again writes nothing', async () => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision());
    const { records } = await pullAll(connector);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      id: record.id,
      remoteId: record.remoteId,
      version: record.baseVersion,
      problems: [],
    });
    expect(merged(records[0])).toEqual(decision());
    await notion.call('clearLog');
    expect(done(await pushOne(connector, record)).version).toBe(record.baseVersion);
    expect((await notion.log()).map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /v1/pages/${record.remoteId}`,
    ]);
    expect(await dump(notion, database)).toHaveLength(1);
  });

  test('of a text of 300 KB arrives whole', async () => {
    const { connector } = await freshDatabase(notion);
    const text = `${'Zeile mit Ünïcode 😀 und Rest\n'.repeat(6000)}\n\n${'語'.repeat(110_000)}\n`;
    expect(Buffer.byteLength(text)).toBeGreaterThan(500_000);
    const record = await create(connector, decision({ decision: text }));
    const [read] = await connector.read('decision_vault', [record.id], signal);
    expect(read?.fields.decision === text).toBe(true);
    expect(read?.version).toBe(record.baseVersion);
    const shorter = `${text.slice(0, 120_000)}!${text.slice(120_000)}`;
    const again = await change(connector, record, { decision: shorter });
    const [reread] = await connector.read('decision_vault', [record.id], signal);
    expect(reread?.fields.decision === shorter).toBe(true);
    expect(reread?.version).toBe(again.baseVersion);
  });

  test('with any text, tags and fields reads back exactly', async () => {
    const { connector } = await freshDatabase(notion);
    const word = fc.oneof(
      fc.constantFrom(
        'a,b',
        'a‚b',
        ', ',
        'x',
        'X',
        'é',
        '😀',
        'שלום',
        '  two  words ',
        'y'.repeat(100),
        `${'z'.repeat(99)}😀`,
      ),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    );
    const tag = word.map((text) => text.trim().slice(0, 100)).filter((text) => text !== '');
    const fields = fc.record({
      title: word.map((text) => text.trim()).filter((text) => text !== ''),
      decision: fc
        .array(fc.oneof(word, fc.constantFrom('\n', '\n\n', '\r\n', '\t', '- ', '# ')), { maxLength: 12 })
        .map((parts) => parts.join('')),
      category: fc.oneof(
        fc.constant(''),
        word.map((text) => text.trim()),
        fc.constant('c, '.repeat(60).trim()),
      ),
      type: fc.oneof(fc.constant(''), tag),
      tags: fc.array(tag, { maxLength: 5 }),
      date: fc.constantFrom(null, '2026-02-28'),
      sourcePath: fc.oneof(fc.constant(null), word),
    });
    await fc.assert(
      fc.asyncProperty(fields, fields, async (first, second) => {
        let record = await create(connector, decision(first));
        const [read] = await connector.read('decision_vault', [record.id], signal);
        expect(merged(read)).toEqual(decision(first));
        record = await change(connector, record, second);
        const [reread] = await connector.read('decision_vault', [record.id], signal);
        expect(merged(reread)).toEqual(decision(second));
        expect(reread?.version).toBe(record.baseVersion);
        expect(reread?.problems).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  test("a person's change of a tag with a comma counts, whatever was kept exactly before", async () => {
    const { connector } = await freshDatabase(notion);
    const record = await create(connector, decision({ tags: ['a, b', 'c'] }));
    await notion.call('set', { pageId: record.remoteId, properties: { Tags: ['c', 'd'] } });
    const { records } = await pullAll(connector);
    expect(records[0]?.fields.tags).toEqual(['c', 'd']);
  });

  test('that is retired goes to the trash and comes back from it, to the millisecond', async () => {
    const { connector, database } = await freshDatabase(notion);
    let record = await create(connector, decision());
    const retired = edit(record, { deletedAtMs: 1_763_999_999_123, title: 'Retired' });
    record = settled(retired, await pushOne(connector, retired));
    expect(await dump(notion, database)).toMatchObject([{ in_trash: true }]);
    expect((await pullAll(connector)).records).toMatchObject([
      { id: record.id, version: record.baseVersion, fields: { deletedAtMs: 1_763_999_999_123, title: 'Retired' } },
    ]);
    const inside = edit(record, { title: 'Edited in the trash', decision: 'Other\n\nwords' });
    record = settled(inside, await pushOne(connector, inside));
    expect(await dump(notion, database)).toMatchObject([{ in_trash: true }]);
    const back = edit(record, { deletedAtMs: null });
    record = settled(back, await pushOne(connector, back));
    const { records } = await pullAll(connector);
    expect(records).toMatchObject([{ id: record.id, version: record.baseVersion }]);
    expect(merged(records[0])).toEqual(decision({ title: 'Edited in the trash', decision: 'Other\n\nwords' }));
  });

  test('memories and activities go to data sources of their own', async () => {
    const memories = await makeDatabase(notion, 'memories');
    const activities = await makeDatabase(notion, 'activities');
    const decisions = await makeDatabase(notion, 'decision_vault');
    const connector = connect(notion, {
      decision_vault: decisions.databaseId,
      memories: memories.databaseId,
      activities: activities.dataSourceId,
    });
    expect(connector.tables).toEqual(['decision_vault', 'memories', 'activities']);
    const memory = {
      title: 'Tabs',
      content: 'Two spaces.',
      kind: 'preference',
      category: '',
      status: 'active',
      tags: [],
      sourcePath: null,
      sourceSha256: null,
      supersedes: null,
      deletedAtMs: null,
    };
    const activity = outgoing(
      {
        kind: 'file.created',
        summary: 'notes.md was created',
        path: 'notes.md',
        recordId: null,
        origin: 'watch',
        occurredAtMs: 1_763_000_000_123,
      },
      { table: 'activities' },
    );
    const record = outgoing(memory, { table: 'memories' });
    const outcomes = await connector.push([record, activity, outgoing(decision())], signal);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
    const { records } = await pullAll(connector);
    expect(records.map(({ table }) => table)).toEqual(['decision_vault', 'memories']);
    expect(merged(records[1])).toEqual(memory);
    expect(await dump(notion, activities)).toHaveLength(1);
    await connector.push([activity], signal);
    expect(await dump(notion, activities)).toHaveLength(1);
  });
});

describe('an edit by a person', () => {
  test('is never overwritten: the push gives back what is there', async () => {
    const { connector } = await freshDatabase(notion);
    const record = await create(connector, decision());
    await notion.call('set', { pageId: record.remoteId, properties: { Status: 'rejected' } });
    const outcome = await pushOne(connector, edit(record, { title: 'Mine' }));
    expect(outcome).toMatchObject({
      kind: 'changed',
      current: {
        id: record.id,
        fields: { status: 'rejected', title: 'Use SQLite', decision: 'Because it is everywhere.' },
      },
    });
    if (outcome.kind !== 'changed') return;
    const { fields, version } = outcome.current;
    const next: OutgoingRecord = {
      ...record,
      base: fields,
      baseVersion: version,
      fields: decision({ title: 'Mine', status: 'rejected' }),
    };
    expect(done(await pushOne(connector, next)).version).not.toBe(version);
  });

  test('of the text is noticed when the text is pushed, and left alone when another field is', async () => {
    const { connector, database } = await freshDatabase(notion);
    let record = await create(connector, decision({ decision: 'one\n\ntwo' }));
    const [page] = await dump(notion, database);
    await notion.call('editBlock', { blockId: page?.blocks[0]?.id, content: 'ONE' });
    expect(await pushOne(connector, edit(record, { decision: 'one\n\n2' }))).toMatchObject({
      kind: 'changed',
      current: { fields: { decision: 'ONE\n\ntwo' } },
    });
    record = await change(connector, record, { priority: 'high' });
    const { records } = await pullAll(connector);
    expect(records[0]?.fields).toMatchObject({ decision: 'ONE\n\ntwo', priority: 'high' });
    expect(records[0]?.version).not.toBe(record.baseVersion);
  });

  test('that says what we say is no conflict', async () => {
    const { connector } = await freshDatabase(notion);
    const record = await create(connector, decision());
    await notion.call('set', { pageId: record.remoteId, properties: { Name: 'Same' } });
    expect(await pushOne(connector, edit(record, { title: 'Same', priority: 'low' }))).toMatchObject({ kind: 'done' });
    expect((await pullAll(connector)).records[0]?.fields).toMatchObject({ title: 'Same', priority: 'low' });
  });

  test('of another field between our reading and our writing survives, and is seen by the next pull', async () => {
    const { connector } = await freshDatabase(notion);
    const record = await create(connector, decision());
    const { cursor } = await pullAll(connector);
    await notion.fault({ kind: 'delay', method: 'PATCH', delayMs: 400 });
    const pushing = pushOne(connector, edit(record, { title: 'Ours' }));
    await expect.poll(async () => (await notion.log()).some(({ method }) => method === 'GET')).toBe(true);
    await notion.call('set', { pageId: record.remoteId, properties: { Priority: 'critical' } });
    const outcome = done(await pushing);
    expect(outcome.base).toMatchObject({ priority: 'medium' });
    const { records } = await pullAll(connector, cursor);
    expect(records.at(-1)?.fields).toMatchObject({ title: 'Ours', priority: 'critical' });
    expect(records.at(-1)?.version).not.toBe(outcome.version);
  });

  test('of a paragraph that a long rewrite is about to remove is put back and given', async () => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision({ decision: 'a\n\nb\n\nc\n\nd' }));
    const [page] = await dump(notion, database);
    await notion.fault({ kind: 'delay', method: 'DELETE', delayMs: 400 });
    const pushing = pushOne(connector, edit(record, { decision: '1\n\n2\n\n3' }));
    await expect.poll(async () => (await dump(notion, database))[0]?.blocks.length).toBe(7);
    await notion.call('editBlock', { blockId: page?.blocks[2]?.id, content: 'c, by hand' });
    const outcome = await pushing;
    expect(outcome).toMatchObject({
      kind: 'changed',
      current: { problems: [], fields: { decision: '1\n\n2\n\n3\n\nc, by hand\n\nd' } },
    });
    const [after] = (await pullAll(connector)).records;
    expect(outcome.kind === 'changed' && outcome.current.version).toBe(after?.version);
  });

  test('to nonsense is reported and never overwritten; the other fields go on', async () => {
    const { connector, database } = await freshDatabase(notion);
    let record = await create(connector, decision());
    await notion.call('set', {
      pageId: record.remoteId,
      properties: { Status: 'maybe', Name: '', 'Source hash': 'zz' },
    });
    const { records } = await pullAll(connector);
    expect(records[0]?.problems.map(({ field, value }) => [field, value]).sort()).toEqual([
      ['sourceSha256', 'zz'],
      ['status', 'maybe'],
      ['title', ''],
    ]);
    expect(records[0]?.fields).not.toHaveProperty('status');
    record = await change(connector, record, { category: 'new', status: 'open' });
    expect((await dump(notion, database))[0]?.properties).toMatchObject({
      Status: { select: { name: 'maybe' } },
      Category: { select: { name: 'new' } },
    });
    expect((await pullAll(connector)).records[0]?.version).toBe(record.baseVersion);
  });

  test('with pictures and pages in the text: they stay in their places through our edits', async () => {
    const { connector, database } = await freshDatabase(notion);
    let record = await create(connector, decision({ decision: 'one\n\ntwo\n\nthree' }));
    const image = { image: { type: 'external', external: { url: 'https://example.com/a.png' } } };
    await notion.call('append', {
      pageId: record.remoteId,
      at: 1,
      blocks: [image, { bookmark: { url: 'https://example.com' } }],
    });
    const [read] = await connector.read('decision_vault', [record.id], signal);
    expect(read?.version).toBe(record.baseVersion);
    const next = edit(record, { decision: 'one, but longer\n\nnew\n\nnewer\n\nthree' });
    record = settled(next, await pushOne(connector, next));
    const [page] = await dump(notion, database);
    expect(page?.blocks.map(({ type }) => type)).toEqual(expect.arrayContaining(['image', 'bookmark']));
    const [reread] = await connector.read('decision_vault', [record.id], signal);
    expect(reread?.fields.decision).toBe('one, but longer\n\nnew\n\nnewer\n\nthree');
    expect(reread?.version).toBe(record.baseVersion);
    const toggle = { toggle: { rich_text: [{ text: { content: 'see' } }], children: [image] } };
    await notion.call('append', { pageId: record.remoteId, blocks: [toggle] });
    const shown = await connector.read('decision_vault', [record.id], signal);
    const { fields, version } = shown[0] as NonNullable<(typeof shown)[0]>;
    const blocked = await pushOne(connector, {
      ...record,
      base: fields,
      baseVersion: version,
      fields: decision({ decision: 'all new' }),
    });
    expect(blocked).toMatchObject({ kind: 'failed', error: { code: 'remote.rejected' } });
    expect((await dump(notion, database))[0]?.blocks.at(-1)?.type).toBe('toggle');
  });
});

describe('a page that is not where it was', () => {
  test('is gone when it was erased or moved, but never because the database is not shared any more', async () => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision());
    await notion.call('share', { databaseId: database.databaseId, shared: false });
    await expect(pushOne(connector, edit(record, { title: 'x' }))).rejects.toMatchObject({ code: 'remote.not_shared' });
    await expect(
      connector.readLinked([{ table: 'decision_vault', id: record.id, remoteId: record.remoteId ?? '' }], signal),
    ).rejects.toMatchObject({ code: 'remote.not_shared' });
    await notion.call('share', { databaseId: database.databaseId, shared: true });
    await notion.call('erase', { pageId: record.remoteId });
    expect(await pushOne(connector, edit(record, { title: 'x' }))).toEqual({ kind: 'gone', id: record.id });
    const linked = await connector.readLinked(
      [{ table: 'decision_vault', id: record.id, remoteId: record.remoteId ?? '' }],
      signal,
    );
    expect(linked).toMatchObject({ records: [], gone: [{ id: record.id }] });
  });

  test('that was moved below a page is gone from here, and its page is left alone', async () => {
    const { connector } = await freshDatabase(notion);
    const record = await create(connector, decision());
    const { pageId } = await notion.call<{ pageId: string }>('plainPage', { title: 'Elsewhere' });
    const other = { ...record, remoteId: pageId };
    expect(await pushOne(connector, edit(other, { title: 'x' }))).toEqual({ kind: 'gone', id: record.id });
  });

  test('and was put into the trash by a person can be edited there, and stays as old as it was', async () => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision());
    await notion.call('trash', { pageId: record.remoteId });
    await notion.call('clock', { advanceMs: 600_000 });
    const [trashed] = (await pullAll(connector)).records;
    if (!trashed) throw new Error('nothing was pulled');
    const fields = merged(trashed);
    const edited = await change(
      connector,
      { ...record, fields, base: fields, baseVersion: trashed.version },
      { title: 'In the trash' },
    );
    expect(await dump(notion, database)).toMatchObject([{ in_trash: true }]);
    const [again] = (await pullAll(connector)).records;
    expect(again).toMatchObject({
      version: edited.baseVersion,
      fields: { title: 'In the trash', deletedAtMs: fields.deletedAtMs },
    });
  });

  test('in the trash reads as retired, and restored as before', async () => {
    const { connector } = await freshDatabase(notion);
    const record = await create(connector, decision());
    const first = await pullAll(connector);
    await notion.call('trash', { pageId: record.remoteId });
    const second = await pullAll(connector, first.cursor);
    expect(second.records).toMatchObject([{ id: record.id }]);
    expect(typeof second.records[0]?.fields.deletedAtMs).toBe('number');
    expect(await pushOne(connector, edit(record, { title: 'Edited meanwhile' }))).toMatchObject({ kind: 'changed' });
    await notion.call('restore', { pageId: record.remoteId });
    const third = await pullAll(connector, second.cursor);
    expect(third.records.at(-1)).toMatchObject({
      id: record.id,
      version: record.baseVersion,
      fields: { deletedAtMs: null },
    });
  });
});
