import { expect, test } from 'vitest';
import { createSummaries, type NoteService, type SummaryParts } from '../../../src/main/sync/summaries.ts';
import { describeRun, describeWhile } from '../../../src/main/sync/summary-text.ts';
import type { SyncPlan } from '../../../src/shared/contract-sync.ts';
import { AppError } from '../../../src/shared/errors.ts';
import type { ActivityKind } from '../../../src/shared/model.ts';

const NOW = Date.UTC(2026, 10, 25, 9, 14, 3);
const HOUR_MS = 3_600_000;
const counts = { push: 3, pushDeletes: 1, pull: 2, pullCreates: 0, pullDeletes: 0, conflicts: 1, invalid: 0 };
const plan = (more: Partial<SyncPlan> = {}): SyncPlan => ({
  remote: 'supabase',
  tables: [{ table: 'memories', ...counts }],
  sample: ['Send: "a title\u202e"'],
  hold: null,
  problem: null,
  ...more,
});

test('a run is told in words: what moved, what did not, by whom', () => {
  const problem = { code: 'remote.unreachable', message: 'Notion cannot be reached', fix: '', exitCode: 3 };
  const { title, text } = describeRun({
    startedAtMs: NOW,
    finishedAtMs: NOW + 1_240,
    device: 'desk',
    timeZone: 'Europe/Berlin',
    plans: [plan(), plan({ remote: 'notion', tables: [], sample: [], problem })],
    openConflicts: 1,
  });
  expect(title).toBe('Sync 2026-11-25 10:14:03, desk');
  expect(text).toBe(
    [
      'By desk, in 1.2 s. 1 conflict wait for a decision.',
      '',
      '## Supabase',
      '',
      '- memories: 3 sent (1 retired), 2 taken, 1 conflict',
      '- Send: "a title\\u202e"',
      '',
      '## Notion',
      '',
      '- Not finished: Notion cannot be reached',
    ].join('\n'),
  );
});

test('a while is told by kinds, with what deserves a line of its own; nothing is told of nothing', () => {
  const facts = { untilMs: NOW, device: 'desk', timeZone: 'UTC', events: [], waiting: [], openConflicts: 0 };
  expect(describeWhile({ ...facts, counts: [] })).toBeNull();
  expect(describeWhile({ ...facts, counts: [{ kind: 'agent.started', count: 1 }] })).toBeNull();
  const section = describeWhile({
    ...facts,
    counts: [
      { kind: 'file.modified', count: 4 },
      { kind: 'backup.made', count: 1 },
    ],
    events: [{ summary: 'A backup was made.', occurredAtMs: NOW - 60_000 }],
    waiting: [
      { remote: 'supabase', count: 2 },
      { remote: 'notion', count: 0 },
    ],
  });
  expect(section).toEqual({
    title: 'Angles 2026-11-25',
    heading: '09:14:03, desk',
    text: [
      '- Files: 4 changed',
      '- Backups: 1 made',
      '- 09:13 A backup was made.',
      '',
      'Waiting to be sent: 2 for supabase. No conflict waits for a decision.',
    ].join('\n'),
  });
});

function world(more: Partial<SummaryParts> = {}) {
  const clock = { nowMs: NOW };
  const seq = { newest: 10 };
  const memory: { value: string | null } = { value: null };
  const written: unknown[] = [];
  const warnings: string[] = [];
  let fault: AppError | null = null;
  const take = async (note: unknown): Promise<void> => {
    if (fault !== null) throw fault;
    written.push(note);
  };
  const service: NoteService = { put: take, append: take };
  const parts: SummaryParts = {
    service: () => service,
    settings: () => ({ runs: true, days: true, timeZone: 'UTC' }),
    device: 'desk',
    nowMs: () => clock.nowMs,
    countSince: (after): { kind: ActivityKind; count: number }[] => [
      { kind: 'record.edited', count: seq.newest - after },
    ],
    eventsSince: () => [],
    newestSeq: () => seq.newest,
    waiting: () => [],
    openConflicts: () => 0,
    redact: (text) => ({ text: text.replaceAll('SECRET', '[REDACTED:x]') }),
    memory: { get: () => memory.value, set: (value) => void Object.assign(memory, { value }) },
    log: { info: () => undefined, warn: (message) => void warnings.push(message), error: () => undefined },
    ...more,
  };
  return {
    clock,
    seq,
    memory,
    written,
    warnings,
    make: () => createSummaries(parts),
    setFault: (next: AppError | null): void => {
      fault = next;
    },
  };
}

test('a day begins when it is asked for, has a section an hour, and none without news', async () => {
  const { clock, seq, written, make } = world();
  const summaries = make();
  await summaries.write(false);
  seq.newest = 14;
  await summaries.write(false);
  expect(written).toEqual([]);
  clock.nowMs += HOUR_MS;
  await summaries.write(false);
  await summaries.write(false);
  clock.nowMs += HOUR_MS;
  await summaries.write(false);
  expect(written).toMatchObject([
    { kind: 'append', title: 'Angles 2026-11-25', text: expect.stringContaining('4 edited') },
  ]);
});

test('what could not be written is written after a restart, once, and no secret is in it', async () => {
  const { written, make, setFault } = world();
  const first = make();
  setFault(new AppError('remote.unreachable', 'down', { retryable: true }));
  first.ran([plan({ sample: ['Send: "SECRET"'] })], NOW - 1_000);
  await first.write(true);
  await first.stop();
  expect(written).toEqual([]);
  setFault(null);
  const second = make();
  await second.write(false);
  await second.write(false);
  expect(written).toMatchObject([{ kind: 'put', title: 'Sync 2026-11-25 09:14:02, desk' }]);
  expect(JSON.stringify(written)).not.toContain('SECRET');
});

test('a summary that Notion will never take is given up and said; the next one is written', async () => {
  const { clock, written, warnings, make, setFault } = world();
  const summaries = make();
  setFault(new AppError('remote.rejected', 'no'));
  summaries.ran([plan()], NOW);
  await summaries.write(false);
  setFault(null);
  clock.nowMs += 1_000;
  summaries.ran([plan()], NOW + 1_000);
  await summaries.write(false);
  expect(written).toMatchObject([{ title: 'Sync 2026-11-25 09:14:04, desk' }]);
  expect(warnings).toHaveLength(1);
});

test('a run without any service, and runs nobody asks to see, make no page', async () => {
  const { written, make } = world();
  const summaries = make();
  summaries.ran([], NOW);
  await summaries.write(false);
  const off = world({ settings: () => ({ runs: false, days: false, timeZone: 'UTC' }) });
  off.make().ran([plan()], NOW);
  await off.make().write(true);
  expect([...written, ...off.written]).toEqual([]);
});

test('what waits is bounded: the oldest are given up, and that is said', async () => {
  const { written, warnings, make } = world({ service: () => null });
  const summaries = make();
  for (let run = 0; run < 60; run += 1) summaries.ran([plan()], NOW + run * 1_000);
  await summaries.write(false);
  expect([written.length, warnings.length]).toEqual([0, 10]);
});

test('two runs and two sections of one second have names of their own, so that neither counts as written', async () => {
  const { make, written, seq } = world();
  const summaries = make();
  await summaries.write(true);
  for (let run = 0; run < 2; run += 1) {
    seq.newest += 1;
    summaries.ran([plan()], NOW);
    await summaries.write(true);
  }
  expect(written).toMatchObject([
    { title: 'Sync 2026-11-25 09:14:03, desk' },
    { heading: '09:14:03, desk' },
    { title: 'Sync 2026-11-25 09:14:03, desk (2)' },
    { heading: '09:14:03, desk (2)' },
  ]);
});
