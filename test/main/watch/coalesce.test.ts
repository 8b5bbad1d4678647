import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCoalescer } from '../../../src/main/watch/coalesce.ts';

const limits = { quietMs: 300, maxWaitMs: 3_000 };
const create = () => createCoalescer(() => limits);

describe('the coalescer', () => {
  it('makes a path due after the quiet time', () => {
    const coalescer = create();
    coalescer.note('a', 0);
    expect([coalescer.take(299), coalescer.take(300)]).toEqual([[], [{ path: 'a', firstMs: 0 }]]);
  });

  it('starts the quiet time again with each event, up to the longest wait', () => {
    const coalescer = create();
    for (let ms = 0; ms <= 2_900; ms += 100) coalescer.note('a', ms);
    expect([coalescer.take(2_999), coalescer.take(3_000)]).toEqual([[], [{ path: 'a', firstMs: 0 }]]);
  });

  it('hands out what is due in the order of the first events and leaves the rest', () => {
    const coalescer = create();
    coalescer.note('late', 200);
    coalescer.note('b', 20);
    coalescer.note('a', 10);
    expect(coalescer.take(350).map((due) => due.path)).toEqual(['a', 'b']);
    expect([coalescer.size(), coalescer.nextDueMs()]).toEqual([1, 500]);
  });

  it('keeps the first event of a postponed path', () => {
    const coalescer = create();
    coalescer.postpone('a', 5, 1_000);
    coalescer.note('a', 900);
    expect([coalescer.take(1_199), coalescer.take(1_200)]).toEqual([[], [{ path: 'a', firstMs: 5 }]]);
  });

  it('loses no path and delays none beyond the longest wait, whatever the events', () => {
    const event = fc.record({ path: fc.constantFrom('a', 'b', 'c'), afterMs: fc.integer({ min: 0, max: 700 }) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const coalescer = create();
        const waitingSince = new Map<string, number>();
        let nowMs = 0;
        const takeAt = (ms: number) => {
          for (const { path } of coalescer.take(ms)) {
            expect(ms - (waitingSince.get(path) ?? Number.NaN)).toBeLessThanOrEqual(limits.maxWaitMs);
            waitingSince.delete(path);
          }
        };
        for (const { path, afterMs } of events) {
          const untilMs = nowMs + afterMs;
          for (let due = coalescer.nextDueMs(); due !== null && due <= untilMs; due = coalescer.nextDueMs())
            takeAt(due);
          nowMs = untilMs;
          coalescer.note(path, nowMs);
          if (!waitingSince.has(path)) waitingSince.set(path, nowMs);
        }
        for (let due = coalescer.nextDueMs(); due !== null; due = coalescer.nextDueMs()) takeAt(due);
        expect(waitingSince.size).toBe(0);
      }),
    );
  });
});
