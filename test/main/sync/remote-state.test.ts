import { describe, expect, test } from 'vitest';
import { afterStart, CRASH_WINDOW_MS } from '../../../src/main/sync/crash-guard.ts';
import { putBack } from '../../../src/main/sync/put-back.ts';
import { describeRemote, failureOf, parseFailure, type RemoteFacts } from '../../../src/main/sync/remote-state.ts';
import { AppError, type ErrorCode } from '../../../src/shared/errors.ts';

const failure = (code: ErrorCode) => failureOf(new AppError(code, 'The case at hand.'));
const hold = { sinceMs: 1, deletes: 60, overwrites: 2, total: 100, sample: [] };
const CALM: RemoteFacts = {
  isConfigured: true,
  isConnected: true,
  isRunning: true,
  isActive: false,
  isSafeMode: false,
  pausedUntilMs: null,
  failure: null,
  failures: 0,
  hold: null,
  leader: null,
  paused: [],
  waiting: 0,
  parked: 0,
  parkedCode: null,
};

describe('a remote is', () => {
  test.each<[string, Partial<RemoteFacts>, string, string | null]>([
    ['ok when nothing waits', {}, 'ok', null],
    ['syncing while something waits', { waiting: 3 }, 'syncing', null],
    ['syncing while it is read', { isActive: true }, 'syncing', null],
    ['off without its settings', { isConfigured: false }, 'off', 'sync.off'],
    ['off without an agent', { isRunning: false, waiting: 3 }, 'off', null],
    [
      'offline when it cannot be reached',
      { failure: failure('remote.unreachable'), failures: 9, waiting: 3 },
      'offline',
      'remote.unreachable',
    ],
    [
      'offline while it asks to slow down',
      { failure: failure('remote.rate_limited'), failures: 1 },
      'offline',
      'remote.rate_limited',
    ],
    [
      'offline while a key is tried again',
      { failure: failure('remote.unauthorized'), failures: 2 },
      'offline',
      'remote.unauthorized',
    ],
    [
      'waiting for a person after three refused keys',
      { failure: failure('remote.unauthorized'), failures: 3 },
      'needs_you',
      'remote.unauthorized',
    ],
    [
      'waiting for a person when it is not shared',
      { failure: failure('remote.not_shared'), failures: 1 },
      'needs_you',
      'remote.not_shared',
    ],
    ['waiting for a person while many losses are held', { hold: { kind: 'pull', ...hold } }, 'needs_you', 'sync.held'],
    [
      'waiting for a person when it is another one',
      { hold: { kind: 'replaced', ...hold }, waiting: 5 },
      'needs_you',
      'remote.replaced',
    ],
    ['waiting for a person in safe mode', { isSafeMode: true, waiting: 5 }, 'needs_you', 'sync.safe_mode'],
    [
      'waiting for a person with records set aside',
      { parked: 2, parkedCode: 'remote.rejected' },
      'needs_you',
      'remote.rejected',
    ],
    [
      'ok where another device talks to it',
      { waiting: 9, leader: { kind: 'other_device', deviceId: 'x', untilMs: null } },
      'ok',
      null,
    ],
  ])('%s', (_name, facts, state, code) => {
    const words = describeRemote({ ...CALM, ...facts });
    expect([words.state, words.code]).toEqual([state, code]);
    // What needs a person says what to do.
    if (state === 'needs_you')
      expect([words.reason, words.fix].every((text) => text !== null && text !== '')).toBe(true);
  });

  test('not kept back by a failure that another version stored', () => {
    expect(parseFailure('{"code":"remote.invented","message":"m","hint":"h"}')).toBeNull();
    expect(parseFailure(JSON.stringify(failure('remote.quota')))).toEqual(failure('remote.quota'));
    expect(parseFailure(null)).toBeNull();
  });
});

describe('the guard against crashes', () => {
  const T = 1_790_000_000_000;
  test.each([
    ['three within five minutes', [T - 200_000, T - 100_000], false, true],
    ['two', [T - 100_000], false, false],
    ['three, one long ago', [T - CRASH_WINDOW_MS - 1, T - 100_000], false, false],
    ['a clean end after two', [T - 200_000, T - 100_000], true, false],
    ['one from before the clock jumped back', [T + 10_000_000, T - 100_000], false, false],
  ])('%s', (_name, atMs, endedCleanly, isSafe) => {
    expect(afterStart({ atMs, safeSinceMs: null }, T, endedCleanly).safeSinceMs !== null).toBe(isSafe);
  });
  test('stays until a person says so', () => {
    expect(afterStart({ atMs: [], safeSinceMs: 5 }, T, true).safeSinceMs).toBe(5);
  });
});

describe('secrets are put back into an edited copy', () => {
  const mark = '[REDACTED:key]';
  test.each([
    ['where their markers still stand', 'a SECRET b', `a ${mark} b`, `x ${mark} y`, 'x SECRET y'],
    ['several of them in their order', 'a S1 b S2 c', `a ${mark} b ${mark} c`, `${mark}, ${mark}!`, 'S1, S2!'],
    ['not when one is gone', 'a S1 b S2 c', `a ${mark} b ${mark} c`, `a ${mark} b c`, null],
    ['not when one is new', 'a S1 b', `a ${mark} b`, `a ${mark} ${mark} b`, null],
    ['not when their kinds are mixed up', 'S1 - S2', `${mark} - [REDACTED:jwt]`, `[REDACTED:jwt] - ${mark}`, null],
    ['not when it is unclear what stood for which', 'S1S2', `${mark}${mark}`, `${mark}${mark}`, null],
    ['not when there were none', 'plain', 'plain', 'other', null],
  ])('%s', (_name, original, redacted, edited, expected) => {
    expect(putBack(original, redacted, edited)).toBe(expected);
  });
});
