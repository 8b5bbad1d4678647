import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPause, LONGEST_PAUSE_MS, type Pause } from '../../src/main/pause.ts';

const START_MS = Date.UTC(2026, 10, 24, 12);
let stored: Map<string, string>;
let changes: number;
let open: Pause[];

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS });
  stored = new Map();
  changes = 0;
  open = [];
});
afterEach(() => {
  for (const one of open) one.close();
  vi.useRealTimers();
});

function make(): Pause {
  const pause = createPause({
    meta: { get: (key) => stored.get(key) ?? null, set: (key, value) => void stored.set(key, value) },
    nowMs: Date.now,
    onChange: () => {
      changes += 1;
    },
  });
  open.push(pause);
  return pause;
}

test('a pause ends by itself at its time, and says so', () => {
  const pause = make();
  pause.start(START_MS + 60_000);
  expect([pause.untilMs(), changes]).toEqual([START_MS + 60_000, 1]);
  vi.advanceTimersByTime(59_999);
  expect([pause.untilMs(), changes]).toEqual([START_MS + 60_000, 1]);
  vi.advanceTimersByTime(1);
  expect([pause.untilMs(), changes]).toEqual([null, 2]);
});

test('a pause survives a restart, and one that ran out meanwhile is over', () => {
  make().start(START_MS + 60_000);
  expect(make().untilMs()).toBe(START_MS + 60_000);
  vi.setSystemTime(START_MS + 60_001);
  expect(make().untilMs()).toBeNull();
});

test('a later call replaces the time; resuming ends it and is safe to repeat', () => {
  const pause = make();
  pause.start(START_MS + 60_000);
  pause.start(START_MS + 120_000);
  vi.advanceTimersByTime(60_000);
  expect(pause.untilMs()).toBe(START_MS + 120_000);
  pause.end();
  pause.end();
  expect([pause.untilMs(), changes]).toEqual([null, 3]);
});

test.each([
  ['now', 0],
  ['the past', -1],
  ['more than 14 days away', LONGEST_PAUSE_MS + 1],
])('a pause until %s is refused', (_, offset) => {
  expect(() => make().start(START_MS + offset)).toThrow(expect.objectContaining({ code: 'usage.bad_argument' }));
  expect(stored.size).toBe(0);
});

test('a clock that is set back by years does not make a pause of years', () => {
  const pause = make();
  pause.start(START_MS + 60_000);
  vi.setSystemTime(START_MS - 365 * 86_400_000);
  expect(pause.untilMs()).toBeNull();
});
