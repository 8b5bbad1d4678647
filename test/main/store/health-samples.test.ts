import { expect, test } from 'vitest';
import {
  BACKUPS_KEPT_MS,
  createHealthSamples,
  type HealthSample,
  KEPT_MS,
} from '../../../src/main/store/health-samples.ts';
import { newVault } from './test-vault.ts';

const MINUTE_MS = 60_000;
const sample = (atMs: number, more: Partial<HealthSample> = {}): HealthSample => ({
  atMs,
  spanMs: MINUTE_MS,
  cpuMs: 600,
  memoryBytes: 90e6,
  queued: 1,
  sent: 0,
  latencySumMs: 0,
  latencyMaxMs: 0,
  ...more,
});

test('minutes become points: shares of the whole span, the most of what is a level, latency by record', () => {
  const { store } = newVault();
  const samples = createHealthSamples(store);
  const since = store.nowMs() - (store.nowMs() % (10 * MINUTE_MS));
  samples.add([
    sample(since + 60_000, { cpuMs: 6_000, sent: 1, latencySumMs: 300, latencyMaxMs: 300 }),
    sample(since + 120_000, { memoryBytes: 120e6, queued: 7, sent: 3, latencySumMs: 2_100, latencyMaxMs: 1_500 }),
    sample(since + 600_001, { spanMs: 30_000, cpuMs: 30_000 }),
  ]);
  expect(samples.points(since, 10 * MINUTE_MS)).toEqual([
    { atMs: since, cpuShare: 0.055, memoryBytes: 120e6, queued: 7, sent: 4, latencyMs: 600, latencyMaxMs: 1_500 },
    {
      atMs: since + 600_000,
      cpuShare: 1,
      memoryBytes: 90e6,
      queued: 1,
      sent: 0,
      latencyMs: null,
      latencyMaxMs: null,
    },
  ]);
  expect(samples.points(since + 120_000, MINUTE_MS)).toHaveLength(1);
});

test('what is too old goes with each addition, and so does what a clock that was ahead left behind', () => {
  const { store, clock } = newVault();
  const samples = createHealthSamples(store);
  const begin = clock.nowMs;
  samples.add([sample(begin), sample(begin + 3 * 86_400_000)]);
  expect(samples.points(0, 1).map(({ atMs }) => atMs)).toEqual([begin - 1]);
  clock.nowMs = begin + KEPT_MS;
  samples.add([sample(clock.nowMs)]);
  expect(samples.points(0, 1)).toHaveLength(2);
  clock.nowMs += 1;
  samples.add([sample(clock.nowMs)]);
  expect(samples.points(0, 1).map(({ atMs }) => atMs)).toEqual([begin + KEPT_MS - 1, begin + KEPT_MS]);
});

test('backups are kept for 90 days, at most 5,000 of them, and listed oldest first', () => {
  const { store, clock } = newVault();
  const samples = createHealthSamples(store);
  const backup = { durationMs: 800.4, writtenBytes: 4_000, repositoryBytes: 90_000, files: 3 };
  const begin = clock.nowMs;
  for (let index = 0; index < 3; index += 1) {
    clock.nowMs = begin + index;
    samples.addBackup({ ...backup, atMs: clock.nowMs });
  }
  expect(samples.backups(0, 2)).toEqual([
    { ...backup, durationMs: 800, atMs: begin + 1 },
    { ...backup, durationMs: 800, atMs: begin + 2 },
  ]);
  clock.nowMs = begin + BACKUPS_KEPT_MS + 2;
  samples.addBackup({ ...backup, atMs: clock.nowMs });
  expect(samples.backups(0, 9).map(({ atMs }) => atMs)).toEqual([begin + 2, clock.nowMs]);
  store.write(() => {
    const insert = store.db.prepare('INSERT INTO backup_samples VALUES (?, 1, 1, 1, 1)');
    for (let index = 0; index < 5_000; index += 1) insert.run(clock.nowMs - 1_000_000 + index);
  });
  samples.addBackup({ ...backup, atMs: clock.nowMs + 5 });
  expect(samples.backups(0, 10_000)).toHaveLength(5_000);
});
