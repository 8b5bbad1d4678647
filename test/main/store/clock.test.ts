import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clockMs, createHybridClock } from '../../../src/main/store/clock.ts';
import { uuidv7 } from '../../../src/main/store/ids.ts';

test('stamps always grow, whatever the wall clock does, and also after a restart', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4e12 }), { minLength: 1 }), fc.nat(), (walls, last) => {
      let wall = 0;
      const clock = createHybridClock(() => wall, last);
      let before = last;
      for (wall of walls) {
        const stamp = clock.tick();
        expect(stamp).toBeGreaterThan(before);
        expect(Number.isSafeInteger(stamp)).toBe(true);
        expect(clockMs(stamp)).toBeGreaterThanOrEqual(wall);
        expect(clock.last()).toBe(stamp);
        before = stamp;
      }
    }),
  );
});

test('while the wall clock goes on, a stamp tells its milliseconds', () => {
  const clock = createHybridClock(() => 1_790_000_000_123.7, 0);
  expect([clock.tick(), clock.tick()].map(clockMs)).toEqual([1_790_000_000_123, 1_790_000_000_123]);
});

test('ids are of version 7, differ, and those made later sort later', () => {
  const ids = Array.from({ length: 2_000 }, (_, index) => uuidv7(1_790_000_000_000 + index));
  expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
    true,
  );
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(Array.from({ length: 2_000 }, () => uuidv7(5))).size).toBe(2_000);
  expect(Number.parseInt(uuidv7(1_790_000_000_000).replace('-', '').slice(0, 12), 16)).toBe(1_790_000_000_000);
});
