import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addLines, passes } from '../../../src/renderer/data/log-lines.ts';
import { type ProgressByRoot, progressShare, takeProgress } from '../../../src/renderer/data/progress.ts';
import { createQueryCache } from '../../../src/renderer/data/query.ts';
import { changedFields, emptyTexts, splitTags, textsOf } from '../../../src/renderer/data/record-fields.ts';
import { kindOf, parseValue, sectionsOf, settingName } from '../../../src/renderer/data/setting-values.ts';
import type { DecisionRecord, LogRecord, ScanProgress } from '../../../src/shared/model.ts';

const report = (change: Partial<ScanProgress>): ScanProgress => ({
  rootId: 1,
  root: '/n',
  phase: 'capturing',
  doneFiles: 0,
  totalFiles: 100,
  doneBytes: 0,
  totalBytes: 1_000,
  filesPerSecond: 0,
  bytesPerSecond: 0,
  etaMs: null,
  ...change,
});
const NONE: ProgressByRoot = new Map();

test('progress never goes back, whatever order the reports come in', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { minLength: 1 }), (bytes) => {
      let known = NONE;
      let before = 0;
      for (const doneBytes of bytes) {
        known = takeProgress(known, report({ doneBytes }));
        const share = progressShare(known.get(1) ?? report({})) ?? 0;
        expect(share).toBeGreaterThanOrEqual(before);
        before = share;
      }
    }),
  );
});

test('a new phase starts its own count, and a finished root leaves', () => {
  const listing = takeProgress(NONE, report({ phase: 'listing', doneFiles: 90 }));
  const capturing = takeProgress(listing, report({ doneFiles: 1 }));
  expect(capturing.get(1)?.doneFiles).toBe(1);
  expect(takeProgress(capturing, report({ phase: 'done' })).size).toBe(0);
});

test('the share is unknown while listing, by bytes when there are any, and never above one', () => {
  expect(progressShare(report({ phase: 'listing' }))).toBeNull();
  expect(progressShare(report({ doneBytes: 250 }))).toBe(0.25);
  expect(progressShare(report({ doneFiles: 50, totalBytes: 0 }))).toBe(0.5);
  expect(progressShare(report({ doneBytes: 5_000 }))).toBe(1);
});

const line = (seq: number, change: Partial<LogRecord> = {}): LogRecord => ({
  seq,
  timeMs: seq,
  level: 'info',
  component: 'watch',
  message: `line ${seq}`,
  runId: null,
  durationMs: null,
  data: {},
  ...change,
});

test('log lines stand in order, each once, the newest kept', () => {
  const seqs = (lines: readonly LogRecord[]): number[] => lines.map((one) => one.seq);
  expect(seqs(addLines([line(1), line(2)], [line(3)]))).toEqual([1, 2, 3]);
  expect(seqs(addLines([line(2), line(4)], [line(3), line(4), line(1)]))).toEqual([1, 2, 3, 4]);
  expect(seqs(addLines([line(1), line(2)], [line(3), line(4)], 3))).toEqual([2, 3, 4]);
  expect(seqs(addLines([], [line(2), line(2), line(1)]))).toEqual([1, 2]);
});

test('a line passes by level and worse, part, and text in any case', () => {
  const all = { level: 'debug', component: '', text: '' } as const;
  expect(passes(line(1), all)).toBe(true);
  expect(passes(line(1), { ...all, level: 'warn' })).toBe(false);
  expect(passes(line(1, { level: 'error' }), { ...all, level: 'warn' })).toBe(true);
  expect(passes(line(1), { ...all, component: 'search' })).toBe(false);
  expect(passes(line(1, { message: 'Cannot READ' }), { ...all, text: 'read' })).toBe(true);
});

const decision: DecisionRecord = {
  table: 'decision_vault',
  id: '1',
  title: 'Use SQLite',
  decision: 'Because.',
  type: '',
  category: 'storage',
  status: 'open',
  priority: 'high',
  tags: ['a', 'b'],
  date: '2026-11-20',
  sourcePath: null,
  sourceSha256: null,
  supersedes: null,
  origin: 'cli',
  createdAtMs: 0,
  updatedAtMs: 0,
  deletedAtMs: null,
  deviceId: 'd',
  ownerId: null,
  changeSeq: 1,
};

test('an edit sends only the fields that were changed, in the form of the contract', () => {
  const before = textsOf(decision);
  expect(changedFields(before, before)).toEqual({});
  expect(changedFields({ ...before, tags: 'a, c ,, a', date: '', status: 'accepted' }, before)).toEqual({
    tags: ['a', 'c'],
    date: null,
    status: 'accepted',
  });
});

test('a form for a new record has a text for every field', () => {
  expect(Object.keys(emptyTexts('decision_vault')).sort()).toEqual(Object.keys(textsOf(decision)).sort());
  expect(splitTags(' , ')).toEqual([]);
});

test('settings are edited by what they are', () => {
  expect(kindOf('watch.quiet_ms', 300)).toBe('number');
  expect(kindOf('logs.level', 'info')).toBe('choice');
  expect(kindOf('ai.enabled', true)).toBe('switch');
  expect(kindOf('backup.repository', 'x')).toBe('text');
  expect(kindOf('some.list', [])).toBe('json');
  expect(parseValue('number', ' 12 ')).toEqual({ ok: true, value: 12 });
  expect(parseValue('number', '')).toEqual({ ok: false });
  expect(parseValue('number', 'ten')).toEqual({ ok: false });
  expect(parseValue('switch', 'true')).toEqual({ ok: true, value: true });
  expect(parseValue('json', '[1')).toEqual({ ok: false });
  expect(settingName('watch.max_wait_ms')).toBe('Max wait ms');
  expect(sectionsOf([{ key: 'roots' }, { key: 'watch.a' }, { key: 'logs.b' }, { key: 'watch.c' }])).toEqual([
    { name: 'watch', values: [{ key: 'watch.a' }, { key: 'watch.c' }] },
    { name: 'logs', values: [{ key: 'logs.b' }] },
  ]);
});

test('the cache forgets the answer that was put in longest ago', () => {
  const cache = createQueryCache(2);
  cache.put('a', 1);
  cache.put('b', 2);
  cache.put('a', 3);
  cache.put('c', 4);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([3, undefined, 4]);
});

test('the same question at the same moment is one call; a little later it is asked again', async () => {
  let nowMs = 0;
  let calls = 0;
  const cache = createQueryCache(2, () => nowMs);
  const slow = async (): Promise<number> => {
    calls += 1;
    return calls;
  };
  expect(await Promise.all([cache.share('a', slow), cache.share('a', slow), cache.share('b', slow)])).toEqual([
    1, 1, 2,
  ]);
  expect(await cache.share('a', slow)).toBe(3);
  const never = cache.share('c', () => new Promise<unknown>(() => undefined));
  nowMs = 60;
  expect(await cache.share('c', slow)).toBe(4);
  expect(never).toBeInstanceOf(Promise);
});

test('a shared call that fails fails for all who share it, and the next is a new one', async () => {
  const cache = createQueryCache(2, () => 0);
  const fail = (): Promise<unknown> => Promise.reject(new Error('down'));
  const both = await Promise.allSettled([cache.share('a', fail), cache.share('a', fail)]);
  expect(both.map((one) => one.status)).toEqual(['rejected', 'rejected']);
  expect(await cache.share('a', async () => 'up')).toBe('up');
});
