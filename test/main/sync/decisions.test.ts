import { describe, expect, test } from 'vitest';
import { backoffMs, LONGEST_BACKOFF_MS } from '../../../src/main/sync/backoff.ts';
import { mustHold } from '../../../src/main/sync/breaker.ts';

describe('the breaker', () => {
  const limits = { over: 50, share: 0.2 };
  test.each([
    [0, 0, 100, false],
    [50, 0, 10_000, false],
    [51, 0, 10_000, true],
    [26, 25, 10_000, true],
    [9, 0, 10, false],
    [10, 0, 49, true],
    [10, 0, 50, false],
    [0, 11, 50, true],
  ])('%i retired and %i overwritten of %i: held is %s', (deletes, overwrites, total, held) => {
    expect(mustHold({ deletes, overwrites, total }, limits)).toBe(held);
  });
});

describe('the back-off', () => {
  test('doubles, with full jitter, up to 15 minutes', () => {
    expect([1, 2, 3, 10, 11, 99, 5_000].map((failures) => backoffMs(failures, () => 1))).toEqual([
      1_000, 2_000, 4_000, 512_000, 900_000, 900_000, 900_000,
    ]);
    expect(backoffMs(8, () => 0)).toBe(0);
    expect(backoffMs(8, () => 0.5)).toBe(64_000);
  });
  test('obeys a remote that says when to come back, never earlier and at most a second later', () => {
    for (const random of [0, 0.5, 1]) {
      const wait = backoffMs(1, () => random, 7_000);
      expect(wait).toBeGreaterThanOrEqual(7_000);
      expect(wait).toBeLessThanOrEqual(8_000);
    }
    expect(backoffMs(1, () => 0, 3_600_000)).toBe(3_600_000);
    expect(LONGEST_BACKOFF_MS).toBe(900_000);
  });
});
