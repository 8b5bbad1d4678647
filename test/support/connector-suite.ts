/** What every connector has to keep of `sync/connector.ts`, run against a real other side, or one in memory. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Connector,
  type Fields,
  MERGED_FIELDS,
  type MergedTable,
  type OutgoingRecord,
  type PullPage,
  type PushOutcome,
  type RemoteRecord,
} from '../../src/main/sync/connector.ts';
import { isSame } from '../../src/main/sync/merge.ts';

/** A remote of its own for the suite, and a person at it. What a remote cannot do is left out. */
export type SuiteRemote = {
  readonly connector: Connector;
  /** A person changes fields of a row by hand. */
  readonly edit: (table: MergedTable, remoteId: string, fields: Fields) => Promise<void>;
  /** A person makes a row that carries no id of ours; gives its id over there. */
  readonly create?: (table: MergedTable, fields: Fields) => Promise<string>;
  /** A person deletes a row for good. */
  readonly remove?: (table: MergedTable, remoteId: string) => Promise<void>;
  /** A person writes something into a row that makes no sense; says into which field. */
  readonly spoil?: (table: MergedTable, remoteId: string) => Promise<string>;
  readonly close: () => Promise<void>;
};

export type SuiteOptions = {
  /** How long one test may take. */
  readonly timeoutMs?: number;
};

const SIGNAL = new AbortController().signal;
const NOW_MS = Date.UTC(2026, 10, 20, 9, 30);

/** Texts that get lost on careless ways; NUL and halves of surrogate pairs never reach a connector. */
export const HARD_TEXTS: readonly string[] = [
  'plain',
  '',
  ' leading and trailing ',
  'line one\nline two\n\n\nline five\n',
  'tab\there, quote " and \' and \\ backslash, percent % and comma, semicolon;',
  '😀 👩‍👩‍👧 family, e\u0301 as two, é as one, ﷽',
  'שלום \u202eright to left\u202c عربى',
  '<script>alert(1)</script> **bold** `code` [link](x) # heading',
  'a'.repeat(6_001),
  Array.from({ length: 250 }, (_, index) => `- item ${index} with some words`).join('\n'),
];

export function connectorSuite(name: string, makeRemote: () => Promise<SuiteRemote>, options: SuiteOptions = {}): void {
  const timeout = options.timeoutMs ?? 30_000;
  describe(`${name} as a connector`, { timeout }, () => {
    let remote: SuiteRemote;
    let connector: Connector;
    let table: MergedTable = 'memories';
    beforeAll(async () => {
      remote = await makeRemote();
      ({ connector } = remote);
      table = connector.tables.includes('memories') ? 'memories' : 'decision_vault';
    }, timeout);
    afterAll(async () => {
      await remote.close();
    }, timeout);

    const record = (fields: Fields = {}, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
      table,
      id: crypto.randomUUID(),
      remoteId: null,
      fields: { ...sampleFields(table), ...fields },
      base: null,
      baseVersion: null,
      content: null,
      ...more,
    });
    const push = async (...records: OutgoingRecord[]): Promise<readonly PushOutcome[]> => {
      const outcomes = await connector.push(records, SIGNAL);
      expect(outcomes.map((outcome) => outcome.id).sort()).toEqual(records.map((one) => one.id).sort());
      return records.flatMap((one) => outcomes.filter((outcome) => outcome.id === one.id));
    };
    const pushed = async (one: OutgoingRecord): Promise<Extract<PushOutcome, { kind: 'done' }>> => {
      const [outcome] = await push(one);
      if (outcome?.kind !== 'done') throw new Error(`not done: ${JSON.stringify(outcome)}`);
      return outcome;
    };
    /** The record as it would be sent after these edits. */
    const edited = (
      one: OutgoingRecord,
      done: Extract<PushOutcome, { kind: 'done' }>,
      fields: Fields,
    ): OutgoingRecord => ({
      ...one,
      fields: { ...one.fields, ...fields, updatedAtMs: NOW_MS + 60_000 },
      remoteId: done.remoteId,
      base: done.base,
      baseVersion: done.version,
    });
    const readOne = async (id: string): Promise<RemoteRecord | undefined> =>
      (await connector.read(table, [id], SIGNAL)).find((one) => one.id === id);
    const pullAll = async (from: string | null): Promise<PullPage & { readonly pages: number }> => {
      const records: RemoteRecord[] = [];
      const gone: PullPage['gone'][number][] = [];
      let cursor = from;
      for (let pages = 1; ; pages += 1) {
        const page = await connector.pull(cursor, SIGNAL);
        records.push(...page.records);
        gone.push(...page.gone);
        cursor = page.cursor;
        if (!page.hasMore) return { records, gone, cursor, hasMore: false, pages };
        if (pages > 1_000) throw new Error('the pull does not end');
      }
    };
    /** Fields that this remote can hold at all. */
    const heldFields = (base: Fields | null): string[] =>
      MERGED_FIELDS[table].filter((field) => base !== null && base[field] !== undefined);
    const expectSame = (found: Fields | undefined, wanted: Fields, fields: readonly string[]): void => {
      for (const field of fields) {
        expect(
          isSame(field, found?.[field], wanted[field]),
          `${field}: ${JSON.stringify(found?.[field])?.slice(0, 300)} is not ${JSON.stringify(wanted[field])?.slice(0, 300)}`,
        ).toBe(true);
      }
    };

    test('says what is at the other end, the same each time', async () => {
      expect(await connector.identity(SIGNAL)).toBe(await connector.identity(SIGNAL));
      expect(connector.batchSize()).toBeGreaterThan(0);
      const failed = (await connector.check(SIGNAL)).filter((step) => step.verdict === 'failed');
      expect(failed).toEqual([]);
      expect((await connector.prepare(SIGNAL)).steps).toEqual([]);
    });

    test('gives texts back as they were, character for character', async () => {
      const body = table === 'memories' ? 'content' : 'decision';
      for (const text of HARD_TEXTS) {
        const one = record({ [body]: text, category: text.slice(0, 40).trim().replaceAll(/\s+/g, ' ') || 'general' });
        const done = await pushed(one);
        const found = await readOne(one.id);
        expectSame(found?.fields, one.fields, heldFields(done.base));
        expectSame(done.base ?? {}, one.fields, heldFields(done.base));
        expect(found?.version).toBe(done.version);
        expect(found?.problems).toEqual([]);
      }
    });

    test('holds every field of every table of records', async () => {
      for (const each of ['memories', 'decision_vault'] as const) {
        if (!connector.tables.includes(each)) continue;
        const one = {
          ...record(),
          table: each,
          fields: { ...sampleFields(each), tags: ['one', 'two words'], deletedAtMs: NOW_MS },
        };
        const [outcome] = await connector.push([one], SIGNAL);
        const [found] = await connector.read(each, [one.id], SIGNAL);
        if (outcome?.kind !== 'done') throw new Error(`not done: ${JSON.stringify(outcome)}`);
        const held = MERGED_FIELDS[each].filter((field) => outcome.base?.[field] !== undefined);
        expect(held).toEqual(expect.arrayContaining(['title', 'status', 'tags', 'deletedAtMs']));
        expectSame(found?.fields, one.fields, held);
      }
    });

    test('makes one row of a record that is pushed twice, also when the answer of the first was lost', async () => {
      const one = record({ title: 'twice' });
      await push(one);
      const [second] = await push(one);
      expect(second?.kind === 'done' || second?.kind === 'changed').toBe(true);
      const { records } = await pullAll(null);
      expect(records.filter((found) => found.id === one.id).map((found) => found.remoteId)).toSatisfy(
        (ids: readonly string[]) => new Set(ids).size === 1,
      );
    });

    test('pulls what changed, and nothing twice that did not', async () => {
      const first = record({ title: 'first' });
      const { remoteId, version } = await pushed(first);
      const before = await pullAll(null);
      expect(before.records.some((found) => found.id === first.id)).toBe(true);
      const later = record({ title: 'later' });
      await push(later);
      await remote.edit(table, remoteId ?? first.id, { title: 'edited by hand' });
      const after = await pullAll(before.cursor);
      const changed = after.records.find((found) => found.id === first.id);
      expect(changed).toMatchObject({ fields: { title: 'edited by hand' }, problems: [] });
      expect(changed?.version).not.toBe(version);
      expect(after.records.some((found) => found.id === later.id)).toBe(true);
      // What is repeated (an overlap) is exactly what was there.
      for (const again of (await pullAll(after.cursor)).records) {
        const known = [...before.records, ...after.records].filter((found) => found.remoteId === again.remoteId).at(-1);
        expect(again.version).toBe(known?.version);
      }
    });

    test('pulls more than a page without losing one', async () => {
      const many = Array.from({ length: Math.min(40, connector.batchSize()) }, (_, index) =>
        record({ title: `many ${index}` }),
      );
      const start = await pullAll(null);
      await push(...many);
      const ids = new Set((await pullAll(start.cursor)).records.map((found) => found.id));
      expect(many.filter((one) => !ids.has(one.id))).toEqual([]);
      const all = new Set((await pullAll(null)).records.map((found) => found.id));
      expect(many.filter((one) => !all.has(one.id))).toEqual([]);
    });

    test('changes what the push changes', async () => {
      const one = record({ title: 'before', category: 'kept' });
      const done = await pushed(one);
      const next = await pushed(edited(one, done, { title: 'after' }));
      const found = await readOne(one.id);
      expectSame(found?.fields, { ...one.fields, title: 'after' }, heldFields(done.base));
      expect(found?.version).toBe(next.version);
      expect(next.version).not.toBe(done.version);
    });

    test('never overwrites an edit that the pusher has not seen', async () => {
      const one = record({ title: 'before' });
      const done = await pushed(one);
      await remote.edit(table, done.remoteId ?? one.id, { title: 'by hand' });
      const [outcome] = await push(edited(one, done, { title: 'by push' }));
      expect(outcome).toMatchObject({ kind: 'changed', current: { id: one.id, fields: { title: 'by hand' } } });
      expect((await readOne(one.id))?.fields.title).toBe('by hand');
      if (outcome?.kind !== 'changed') return;
      const { current } = outcome;
      const again = { ...one, remoteId: current.remoteId, base: current.fields, baseVersion: current.version };
      await pushed({ ...again, fields: { ...one.fields, title: 'merged' } });
      expect((await readOne(one.id))?.fields.title).toBe('merged');
    });

    test('tells of a row that is gone, in a push and in a pull', async (context) => {
      if (remote.remove === undefined) return context.skip();
      const one = record({ title: 'goes' });
      const done = await pushed(one);
      const { cursor } = await pullAll(null);
      await remote.remove(table, done.remoteId ?? one.id);
      const [outcome] = await push(edited(one, done, { title: 'too late' }));
      expect(outcome).toEqual({ kind: 'gone', id: one.id });
      expect(await readOne(one.id)).toBeUndefined();
      // A remote that keeps no trace is compared from time to time.
      const { gone, records } = await pullAll(cursor);
      expect(records.some((found) => found.id === one.id)).toBe(false);
      for (const each of gone) expect(each).toMatchObject({ table, remoteId: expect.any(String) });
      // Made again, when a person's edit here beats the deletion.
      await pushed({ ...one, remoteId: null, base: null, baseVersion: null });
      expect((await readOne(one.id))?.fields.title).toBe('goes');
    });

    test('reports a value that makes no sense, and leaves it alone', async (context) => {
      if (remote.spoil === undefined) return context.skip();
      const one = record({ title: 'spoiled' });
      const done = await pushed(one);
      const field = await remote.spoil(table, done.remoteId ?? one.id);
      const { records } = await pullAll(null);
      const found = records.find((each) => each.id === one.id);
      expect(found?.problems.map((problem) => problem.field)).toEqual([field]);
      expect(Object.keys(found?.fields ?? {})).not.toContain(field);
      if (found === undefined) return;
      // The engine says of a field that it does not change that both sides agree on it.
      const base = { ...found.fields, [field]: one.fields[field] ?? null };
      const other = field === 'category' ? 'title' : 'category';
      await pushed({
        ...one,
        remoteId: found.remoteId,
        base,
        baseVersion: found.version,
        fields: { ...one.fields, [other]: 'changed' },
      });
      const after = await readOne(one.id);
      expect(after?.fields[other]).toBe('changed');
      expect(after?.problems.map((problem) => [problem.field, problem.value])).toEqual(
        found.problems.map((problem) => [problem.field, problem.value]),
      );
    });

    test('takes a row that a person made, and lets it have our id', async (context) => {
      if (remote.create === undefined) return context.skip();
      const fields = { ...sampleFields(table), title: 'made by hand' };
      const remoteId = await remote.create(table, fields);
      const found = (await pullAll(null)).records.find((each) => each.remoteId === remoteId);
      if (found === undefined) throw new Error('it was not pulled');
      expect(found.fields.title).toBe('made by hand');
      if (found.id !== null) return;
      const one = record({ ...found.fields }, { remoteId, base: found.fields, baseVersion: found.version });
      const done = await pushed({ ...one, fields: { ...sampleFields(table), ...found.fields } });
      expect(done.remoteId).toBe(remoteId);
      expect((await readOne(one.id))?.remoteId).toBe(remoteId);
    });

    test('keeps what is only ever added, once', async (context) => {
      if (!connector.tables.includes('activities')) return context.skip();
      const one: OutgoingRecord = {
        table: 'activities',
        id: crypto.randomUUID(),
        remoteId: null,
        fields: {
          kind: 'record.created',
          summary: 'The memory "x" was created',
          root: null,
          path: null,
          snapshotId: null,
          recordTable: 'memories',
          recordId: crypto.randomUUID(),
          origin: 'cli',
          occurredAtMs: NOW_MS,
          deviceId: crypto.randomUUID(),
        },
        base: null,
        baseVersion: null,
        content: null,
      };
      expect((await connector.push([one], SIGNAL))[0]?.kind).toBe('done');
      expect((await connector.push([one], SIGNAL))[0]?.kind).toBe('done');
      const { records } = await pullAll(null);
      const own = records.filter((found) => found.table === 'activities' && found.id === one.id);
      expect(new Set(own.map((found) => found.remoteId)).size).toBe(1);
      expect(own[0]?.fields).toMatchObject({ kind: 'record.created', occurredAtMs: NOW_MS, origin: 'cli' });
    });

    test('one record that is refused harms no other', async () => {
      const good = [record({ title: 'good one' }), record({ title: 'good two' })];
      const bad = record({ status: 'no such status' });
      const [first, refused, second] = await push(good[0] ?? record(), bad, good[1] ?? record());
      expect([first?.kind, second?.kind]).toEqual(['done', 'done']);
      // A remote whose columns take any word may take it; then it is reported as a problem.
      if (refused?.kind === 'done') expect((await readOne(bad.id))?.problems).not.toEqual([]);
      else expect(refused?.kind).toBe('failed');
    });

    test('stops when it is told to', async () => {
      const stopped = AbortSignal.abort(new Error('stopped'));
      await expect(connector.pull(null, stopped)).rejects.toThrow();
      await expect(connector.push([record()], stopped)).rejects.toThrow();
    });
  });
}

function sampleFields(table: MergedTable): Fields {
  const common = {
    title: 'A sample',
    category: 'general',
    tags: ['sample'],
    sourcePath: null,
    sourceSha256: null,
    supersedes: null,
    deletedAtMs: null,
    origin: 'cli',
    createdAtMs: NOW_MS,
    updatedAtMs: NOW_MS,
    deviceId: '019a9b00-0000-7000-8000-00000000d001',
    ownerId: null,
  };
  return table === 'memories'
    ? { ...common, content: 'Some text.', kind: 'note', status: 'active' }
    : {
        ...common,
        decision: 'Some text.',
        type: 'decision',
        status: 'proposed',
        priority: 'medium',
        date: '2026-11-20',
      };
}
