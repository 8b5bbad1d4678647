/**
 * Random edits on both sides, with an unlucky network between, and an engine of the simplest kind: at the end both hold
 * the same, the next round writes nothing, and no picture of a person is gone.
 * `NOTION_SEED=n` replays one, `NOTION_SEEDS=n` runs so many.
 */

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Fields, type FieldValue, MERGED_FIELDS, type RemoteRecord } from '../../../../src/main/sync/connector.ts';
import type { NotionConnector } from '../../../../src/main/sync/notion/notion-connector.ts';
import { AppError } from '../../../../src/shared/errors.ts';
import type { Fault } from '../../../support/notion/faults.ts';
import { type Notion, startNotion } from '../../../support/notion/start.ts';
import { connect, type Database, decision, dump, freshDatabase, outgoing, signal } from './notion-harness.ts';

let notion: Notion;
beforeAll(async () => {
  notion = await startNotion();
});
afterAll(() => notion.stop());

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Held = {
  fields: Record<string, FieldValue>;
  remoteId: string | null;
  base: Record<string, FieldValue> | null;
  version: string | null;
  dirty: boolean;
};

/** The field merge of the engine, without its history: when both changed, theirs is taken. */
function takeIn(held: Held, record: RemoteRecord): void {
  for (const field of MERGED_FIELDS.decision_vault) {
    const theirs = record.fields[field];
    if (theirs === undefined) continue;
    if (held.base === null || !isDeepStrictEqual(theirs, held.base[field])) held.fields[field] = theirs;
    held.base = { ...held.base, [field]: theirs };
  }
  held.remoteId = record.remoteId;
  held.version = record.version;
  held.dirty = record.problems.length > 0 || record.id === null || !isDeepStrictEqual(held.fields, held.base);
}

class TinyEngine {
  readonly records = new Map<string, Held>();
  cursor: string | null = null;
  connector: NotionConnector;
  constructor(connector: NotionConnector) {
    this.connector = connector;
  }
  add(fields: Fields): void {
    this.records.set(randomUUID(), { fields: { ...fields }, remoteId: null, base: null, version: null, dirty: true });
  }
  async pull(): Promise<void> {
    for (let more = true; more; ) {
      const page = await this.connector.pull(this.cursor, signal);
      for (const record of page.records) {
        const linked = [...this.records].find(
          ([id, held]) => held.remoteId === record.remoteId || (id === record.id && held.remoteId === null),
        );
        const held = linked?.[1] ?? { fields: {}, remoteId: null, base: null, version: null, dirty: true };
        if (!linked) this.records.set(record.id ?? randomUUID(), held);
        if (held.version !== record.version || record.problems.length > 0) takeIn(held, record);
      }
      this.cursor = page.cursor;
      more = page.hasMore;
    }
  }
  async push(): Promise<void> {
    const dirty = [...this.records].filter(([, held]) => held.dirty);
    if (dirty.length === 0) return;
    const out = dirty.map(([id, held]) =>
      outgoing({ ...held.fields }, { id, remoteId: held.remoteId, base: held.base, baseVersion: held.version }),
    );
    for (const outcome of await this.connector.push(out, signal)) {
      const held = this.records.get(outcome.id);
      if (!held) continue;
      if (outcome.kind === 'changed') takeIn(held, outcome.current);
      if (outcome.kind === 'changed') held.dirty = true;
      if (outcome.kind !== 'done') continue;
      Object.assign(held, { remoteId: outcome.remoteId, version: outcome.version, base: outcome.base, dirty: false });
    }
  }
}

const TEXTS = [
  '',
  'one',
  'one\n\ntwo',
  '# Head\n\n- a\n- b\n\nend',
  'a\r\nb\n',
  '> q\n\n```json\n{}\n```',
  '1. x\n2. y\n\n\n\nz ',
  'one\n\nnew\n\ntwo\n\nthree',
];
const FAULTS: readonly Fault['kind'][] = ['cut-before', 'cut-after', 'truncate', 'status', 'html', 'foreign'];
const block = (content: string) => ({ paragraph: { rich_text: content === '' ? [] : [{ text: { content } }] } });
const IMAGE = { image: { type: 'external', external: { url: 'https://example.com/p.png' } } };

async function personEdits(database: Database, random: () => number, pick: <T>(of: readonly T[]) => T): Promise<void> {
  const pages = await dump(notion, database);
  if (pages.length === 0 || random() < 0.15) {
    await notion.call('page', {
      dataSourceId: database.dataSourceId,
      properties: { Name: `P${Math.floor(random() * 99)}`, Status: 'open', Priority: 'low' },
      blocks: [block('by hand'), IMAGE],
    });
    return;
  }
  const page = pick(pages);
  const texts = page.blocks.filter(({ type }) => type !== 'image' && type !== 'divider');
  const target = texts.length > 0 ? pick(texts).id : null;
  const acts: readonly (() => Promise<unknown>)[] = [
    () => notion.call('set', { pageId: page.id, properties: { Name: `By hand ${Math.floor(random() * 999)}` } }),
    () =>
      notion.call('set', {
        pageId: page.id,
        properties: { Status: pick(['open', 'rejected', 'proposed']), Tags: ['x', `t${Math.floor(random() * 5)}`] },
      }),
    () =>
      notion.call('append', {
        pageId: page.id,
        at: Math.floor(random() * (page.blocks.length + 1)),
        blocks: [random() < 0.5 ? IMAGE : block(`typed ${Math.floor(random() * 99)}`)],
      }),
    async () =>
      target && notion.call('editBlock', { blockId: target, content: `changed ${Math.floor(random() * 99)}` }),
    async () => target && notion.call('removeBlock', { blockId: target }),
    () => notion.call(page.in_trash ? 'restore' : 'trash', { pageId: page.id }),
    () => notion.call('duplicate', { pageId: page.id }),
  ];
  await pick(acts)();
}

const pictures = async (database: Database): Promise<number> =>
  (await dump(notion, database)).flatMap(({ blocks }) => blocks).filter(({ type }) => type === 'image').length;

async function runSeed(seed: number): Promise<void> {
  const random = mulberry(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const { connector, database } = await freshDatabase(notion, { timeoutMs: 2000 });
  const engine = new TinyEngine(connector);
  const lucky = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
    }
  };
  for (let step = 0; step < 40; step += 1) {
    await notion.call('clock', { advanceMs: Math.floor(random() * 50_000) });
    const act = random();
    const held = [...engine.records.values()];
    if (act < 0.1)
      engine.add(decision({ title: `L${step}`, decision: pick(TEXTS), tags: pick([[], ['a, b'], ['x']]) }));
    else if (act < 0.4 && held.length > 0) {
      const one = pick(held);
      Object.assign(
        one.fields,
        pick<Fields>([
          { decision: pick(TEXTS) },
          { title: `L${step}` },
          { priority: pick(['low', 'high']) },
          { deletedAtMs: pick([null, 1_763_000_000_000 + step]) },
        ]),
      );
      one.dirty = true;
    } else if (act < 0.65) await personEdits(database, random, pick);
    else {
      if (random() < 0.5)
        await notion.fault({ kind: pick(FAULTS), status: 500, skip: Math.floor(random() * 6) } as Fault);
      // A restart forgets everything but what an engine stores.
      if (random() < 0.2)
        engine.connector = connect(notion, { decision_vault: database.databaseId }, { timeoutMs: 2000 });
      await lucky(random() < 0.5 ? () => engine.pull() : () => engine.push());
      await notion.call('clearFaults');
    }
  }
  const before = await pictures(database);
  for (let round = 0; round < 6; round += 1) {
    await notion.call('clock', { advanceMs: 300_000 });
    await engine.pull();
    await engine.push();
  }
  await engine.pull();
  expect([...engine.records.values()].filter(({ dirty }) => dirty)).toEqual([]);
  const pages = await dump(notion, database);
  expect(pages.map(({ id }) => id).sort()).toEqual([...engine.records.values()].map(({ remoteId }) => remoteId).sort());
  for (const record of await connect(notion, { decision_vault: database.databaseId }).read(
    'decision_vault',
    [...engine.records.keys()],
    signal,
  )) {
    expect(record.fields).toMatchObject(engine.records.get(record.id ?? '')?.fields ?? { missing: true });
  }
  expect(await pictures(database)).toBe(before);
  await notion.call('clearLog');
  await engine.push();
  await engine.pull();
  expect((await notion.log()).filter(({ method, path }) => method !== 'GET' && !path.endsWith('/query'))).toEqual([]);
}

const one = process.env.NOTION_SEED;
const seeds =
  one === undefined
    ? Array.from({ length: Number(process.env.NOTION_SEEDS ?? 6) }, (_, index) => index + 1)
    : [Number(one)];
test.each(seeds)(
  'seed %i',
  async (seed) => {
    await runSeed(seed);
  },
  60_000,
);
