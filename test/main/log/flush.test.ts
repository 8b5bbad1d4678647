import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogFlush, type LogFlush } from '../../../src/main/log/flush.ts';
import type { LogEntry } from '../../../src/main/log/log.ts';

const entry = (message: string): LogEntry => ({
  timeMs: 0,
  level: 'info',
  component: 'x',
  message,
  runId: null,
  durationMs: null,
  data: {},
});

let batches: string[][];
let failing: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  batches = [];
  failing = false;
});
afterEach(() => {
  vi.useRealTimers();
});

function create(capacity = 10): LogFlush {
  return createLogFlush({
    append: (entries) => {
      if (failing) throw new Error('full');
      batches.push(entries.map((one) => one.message));
    },
    delayMs: 1_000,
    nowMs: () => 0,
    capacity,
  });
}

describe('createLogFlush', () => {
  test('hands on in batches, and has no timer when nothing waits', () => {
    const flush = create();
    expect(vi.getTimerCount()).toBe(0);
    flush.add(entry('a'));
    flush.add(entry('b'));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(999);
    expect(batches).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(batches).toEqual([['a', 'b']]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('stopping stores what waits, and counts what comes later', () => {
    const flush = create();
    flush.add(entry('a'));
    flush.stop();
    flush.add(entry('late'));
    flush.stop();
    expect([batches, vi.getTimerCount(), flush.stats()]).toEqual([[['a']], 0, { waiting: 0, dropped: 1 }]);
  });

  test('keeps order and asks ever less often while nothing can be stored', () => {
    const flush = create();
    failing = true;
    flush.add(entry('a'));
    vi.advanceTimersByTime(1_000);
    flush.add(entry('b'));
    vi.advanceTimersByTime(1_999);
    failing = false;
    expect(batches).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(batches).toEqual([['a', 'b']]);
    expect(flush.stats()).toEqual({ waiting: 0, dropped: 0 });
  });

  test('is bounded; the first batch after a loss says how much is missing, once', () => {
    const flush = create(10);
    failing = true;
    for (let n = 1; n <= 25; n += 1) flush.add(entry(`${n}`));
    vi.advanceTimersByTime(60_000);
    const { waiting, dropped } = flush.stats();
    expect([waiting, dropped]).toEqual([10, 15]);
    failing = false;
    flush.flush();
    flush.add(entry('next'));
    flush.flush();
    expect(batches).toEqual([
      [
        '15 log records could not be stored in the vault; they may be in the log files.',
        ...Array.from({ length: 10 }, (_, n) => `${n + 16}`),
      ],
      ['next'],
    ]);
  });

  test('a record that storing itself makes is kept, not lost and not an endless loop', () => {
    const flush: LogFlush = createLogFlush({
      append: (entries) => {
        batches.push(entries.map((one) => one.message));
        if (batches.length === 1) flush.add(entry('stored'));
      },
      delayMs: 1_000,
      nowMs: () => 0,
    });
    flush.add(entry('a'));
    vi.advanceTimersByTime(5_000);
    expect(batches).toEqual([['a'], ['stored']]);
  });
});
