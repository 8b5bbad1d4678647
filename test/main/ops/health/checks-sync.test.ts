import { describe, expect, test } from 'vitest';
import { checkConflicts, checkHolds, checkSync } from '../../../../src/main/ops/health/checks-sync.ts';
import type { DoctorFacts } from '../../../../src/main/ops/health/facts.ts';
import type { RemoteStatus, SyncHold } from '../../../../src/shared/contract-sync.ts';
import type { Check } from '../../../../src/shared/model.ts';

const NOW = 1_790_000_000_000;
const CALM: RemoteStatus = {
  remote: 'supabase',
  configured: true,
  state: 'ok',
  reason: null,
  fix: null,
  code: null,
  pending: 0,
  leased: 0,
  parked: 0,
  oldestAtMs: null,
  perSecond: 0,
  etaMs: null,
  lastSuccessAtMs: NOW - 180_000,
  lastPullAtMs: null,
  nextTryAtMs: null,
  paused: [],
  hold: null,
  leader: null,
};
const HOLD: SyncHold = { kind: 'pull', sinceMs: NOW, deletes: 60, overwrites: 2, total: 100, sample: [] };

/** Only what these checks look at. */
function facts(remotes: readonly Partial<RemoteStatus>[], isRunning = true): DoctorFacts {
  const status = { remotes: remotes.map((one) => ({ ...CALM, ...one })), conflicts: 0, safeMode: null };
  return {
    nowMs: NOW,
    lock: isRunning ? { holder: 'self', pid: 1 } : { holder: 'none' },
    sync: { status, warnUnsent: 10, errorUnsent: 50 },
  } as unknown as DoctorFacts;
}
const said = (checks: readonly Check[]): string[] => checks.map(({ id, verdict }) => `${id} ${verdict}`);

describe('what waits to be sent', () => {
  test.each<[string, Partial<RemoteStatus>, string]>([
    ['nothing', {}, 'ok'],
    ['ten, as many as may', { pending: 10, state: 'syncing' }, 'ok'],
    ['eleven', { pending: 9, leased: 2, state: 'syncing' }, 'warn'],
    ['fifty', { pending: 50, state: 'syncing' }, 'warn'],
    ['fifty-one', { pending: 51, state: 'syncing' }, 'error'],
    ['thousands that are being sent right now', { pending: 9_000, state: 'syncing', perSecond: 400 }, 'ok'],
    ['few, and the service cannot be reached', { pending: 1, state: 'offline', reason: 'It is away.' }, 'warn'],
    ['none, and a key is wrong', { state: 'needs_you', reason: 'The key.', fix: 'Another key.' }, 'error'],
  ])('%s', (_, remote, verdict) => {
    expect(said(checkSync(facts([remote])))).toEqual([`sync.supabase ${verdict}`]);
  });

  test('each says when it was last reached, and how to mend it', () => {
    const [check] = checkSync(facts([{ state: 'offline', reason: 'It is away.', fix: 'Look at the network.' }]));
    expect(check).toMatchObject({
      reason: '0 changes not sent yet. It is away. Last success 3 min ago.',
      fix: 'Look at the network.',
    });
    expect(checkSync(facts([{ lastSuccessAtMs: null }]))[0]?.reason).toContain('never reached');
    expect(checkSync(facts([{ pending: 99, state: 'off' }], false))[0]?.fix).toBe('Start the agent: `angles start`.');
    expect(checkSync(facts([{ configured: false, state: 'off' }]))).toEqual([]);
  });
});

test.each<[string, NonNullable<RemoteStatus['leader']>, string, RegExp]>([
  ['this device', { kind: 'this_device', deviceId: 'a', untilMs: NOW }, 'ok', /This device, for all/],
  ['this device, alone', { kind: 'this_device', deviceId: 'a', untilMs: null }, 'ok', /^This device\.$/],
  ['another one', { kind: 'other_device', deviceId: 'b', untilMs: null }, 'ok', /device b; this one takes over/],
  ['none', { kind: 'none', deviceId: null, untilMs: null }, 'warn', /No device/],
])('who talks to Notion: %s', (_, leader, verdict, words) => {
  const found = checkSync(facts([{ remote: 'notion', leader }])).find(({ id }) => id === 'sync.notion.leader');
  expect(found).toMatchObject({ verdict, reason: expect.stringMatching(words) });
  expect(checkSync(facts([{ remote: 'notion', leader }], false)).map(({ id }) => id)).toEqual(['sync.notion']);
});

test('what is held is said with its size and both ways to decide', () => {
  expect(said(checkHolds(facts([{}, { remote: 'notion' }])))).toEqual(['sync.held ok']);
  expect(checkHolds(facts([{ configured: false }]))).toEqual([]);
  const held = checkHolds(facts([{ hold: HOLD }, { remote: 'notion', hold: { ...HOLD, kind: 'replaced' } }]));
  expect(said(held)).toEqual(['sync.held.supabase error', 'sync.held.notion error']);
  expect(held[0]?.reason).toBe('60 records would be retired and 2 overwritten here, of 100.');
  expect(held[1]?.reason).toContain('another database');
  for (const check of held) expect(check.fix).toMatch(/--accept --only \w+.*--refuse/);
});

test('conflicts are counted, and silence is only for those who sync', () => {
  expect(said(checkConflicts(facts([{}])))).toEqual(['conflicts ok']);
  expect(checkConflicts(facts([]))).toEqual([]);
  const two = facts([{}]);
  const many = { ...two, sync: { ...two.sync, status: { ...two.sync.status, conflicts: 2 } } };
  expect(checkConflicts(many)[0]).toMatchObject({ verdict: 'warn', fix: 'Decide with `angles conflicts`.' });
});
