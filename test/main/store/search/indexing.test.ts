import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Indexer } from '../../../../src/main/store/search/indexer.ts';
import { createIndexing, type Indexing } from '../../../../src/main/store/search/indexing.ts';
import type { WorkerListeners, WorkerOutcome } from '../../../../src/main/store/search/worker-handle.ts';

/** A vault that is a number (the newest change), an index that is another, and a worker that does what it is told. */
type World = {
  committed: number;
  indexed: number;
  stepFails: Error | null;
  readonly events: string[];
  readonly indexing: Indexing;
  readonly clock: { nowMs: number };
  endWorker: (outcome?: WorkerOutcome) => void;
  workerIndexes: (upTo: number) => void;
};

const LARGE = 100;

function createWorld(): World {
  let listeners: WorkerListeners | null = null;
  const indexer: Indexer = {
    step: ({ documents }) => {
      if (world.stepFails !== null) throw world.stepFails;
      if (listeners !== null) world.events.push('two writers');
      const taken = Math.min(documents, world.committed - world.indexed);
      world.indexed += taken;
      return taken;
    },
    knows: (change) => world.indexed >= change,
    waiting: () => world.committed - world.indexed,
    backlog: () => ({ documents: world.committed - world.indexed, bytes: 0 }),
    unmerged: () => 0,
    merge: () => false,
  };
  const clock = { nowMs: 0 };
  const events: string[] = [];
  const indexing = createIndexing({
    startWorker: (given) => {
      events.push('worker started');
      listeners = given;
      return {
        wake: () => void events.push('worker woken'),
        stop: async () => {
          events.push('worker stopped');
          world.endWorker();
        },
      };
    },
    indexer: () => indexer,
    newestChange: () => world.committed,
    remake: () => {
      events.push(listeners === null ? 'made again' : 'made again under the worker');
      world.indexed = 0;
    },
    onProblem: (message) => void events.push(`problem: ${message}`),
    nowMs: () => clock.nowMs,
  });
  const world: World = {
    committed: 0,
    indexed: 0,
    stepFails: null,
    events,
    indexing,
    clock,
    endWorker: (outcome = { failure: null }) => {
      const ended = listeners;
      listeners = null;
      ended?.onEnd(outcome);
    },
    workerIndexes: (upTo) => {
      world.indexed = upTo;
      listeners?.onProgress();
    },
  };
  return world;
}

let world: World;
beforeEach(() => {
  vi.useFakeTimers();
  world = createWorld();
});
afterEach(async () => {
  await world.indexing.stop();
  vi.useRealTimers();
});
const settle = (ms = 20): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const damage = (): Error => new Database.SqliteError('malformed', 'SQLITE_CORRUPT_VTAB');

test('a few changes are taken in without a worker', async () => {
  world.indexing.start();
  world.committed = 20;
  const idle = world.indexing.idle();
  await settle();
  await idle;
  expect([world.indexed, world.events]).toEqual([20, []]);
});

test('while a worker lives nobody else writes, and what came when it was ending is not lost', async () => {
  world.committed = LARGE;
  world.indexing.start();
  await settle();
  world.committed += 1;
  const idle = world.indexing.idle();
  await settle();
  expect(world.events).toEqual(['worker started', 'worker woken']);
  world.workerIndexes(LARGE);
  world.endWorker();
  await settle();
  await idle;
  expect(world.indexed).toBe(LARGE + 1);
  expect(world.events).not.toContain('two writers');
});

test('waiting for what is known already needs no word from a resting worker', async () => {
  world.committed = LARGE;
  world.indexing.start();
  await settle();
  world.workerIndexes(LARGE);
  const idle = world.indexing.idle();
  await settle();
  await idle;
});

test('a failure is reported, and tried again after half a minute', async () => {
  world.indexing.start();
  world.stepFails = new Error('the disk is full');
  world.committed = 1;
  world.indexing.wake();
  await settle();
  world.stepFails = null;
  world.indexing.wake();
  await settle(29_000);
  expect(world.indexed).toBe(0);
  await settle(2_000);
  expect(world.indexed).toBe(1);
  expect(world.events).toEqual([expect.stringContaining('the disk is full')]);
});

test('a worker that fails rests before the next one starts', async () => {
  world.committed = LARGE;
  world.indexing.start();
  await settle();
  world.endWorker({ failure: { message: 'out of memory', damaged: false } });
  await settle(1_000);
  expect(world.events).toEqual(['worker started', expect.stringContaining('out of memory')]);
  await settle(30_000);
  expect(world.events.filter((event) => event === 'worker started')).toHaveLength(2);
});

test('a damaged index is made again, but only when the worker is gone, and not in a circle', async () => {
  world.committed = LARGE;
  world.indexing.start();
  await settle();
  world.indexing.remake('seen by a query');
  await settle();
  expect(world.events.slice(1)).toEqual([
    expect.stringContaining('seen by a query'),
    'worker stopped',
    'made again',
    'worker started',
  ]);
  world.workerIndexes(LARGE);
  world.endWorker();
  world.committed += 1;
  world.stepFails = damage();
  await settle(1_000);
  expect(world.events.filter((event) => event === 'made again')).toHaveLength(1);
  world.stepFails = null;
  world.clock.nowMs += 90_000;
  await settle(30_000);
  expect(world.events.filter((event) => event === 'made again')).toHaveLength(2);
});

test('nothing happens any more after the stop', async () => {
  world.indexing.start();
  await settle();
  await world.indexing.stop();
  world.committed = 5;
  world.indexing.wake();
  await settle(60_000);
  expect(world.indexed).toBe(0);
});
