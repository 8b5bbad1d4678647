import { expect, test } from 'vitest';
import { needsOf } from '../../../src/renderer/data/needs.ts';
import { entryPlace, mendOf, rateText, worstState } from '../../../src/renderer/data/sync-view.ts';
import type { BackupStatus } from '../../../src/shared/contract-backup.ts';
import type { QueueEntry, RemoteStatus, SyncHold, SyncStatus } from '../../../src/shared/contract-sync.ts';

const HOLD: SyncHold = { kind: 'pull', sinceMs: 0, deletes: 58, overwrites: 2, total: 212, sample: [] };
const PAUSED = {
  table: 'memories',
  code: 'remote.schema',
  reason: 'The column is missing.',
  fix: 'Create it.',
} as const;
const remote = (changes: Partial<RemoteStatus> = {}): RemoteStatus => ({
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
  lastSuccessAtMs: null,
  lastPullAtMs: null,
  nextTryAtMs: null,
  paused: [],
  hold: null,
  leader: null,
  ...changes,
});

test.each<[string, Partial<RemoteStatus>, string | null]>([
  ['up to date', {}, null],
  ['not configured', { configured: false, state: 'off', code: 'sync.off' }, 'set_up'],
  ['switched off', { state: 'off', code: 'sync.off' }, 'set_up'],
  ['held', { state: 'needs_you', code: 'sync.held', hold: HOLD }, 'decide'],
  ['a refused key', { state: 'needs_you', code: 'remote.unauthorized' }, 'test'],
  ['a missing column', { state: 'needs_you', code: 'remote.schema' }, 'test'],
  ['a table that pauses', { state: 'ok', paused: [PAUSED] }, 'test'],
  ['no network', { state: 'offline', code: 'remote.unreachable' }, 'try_now'],
  ['safe mode', { state: 'needs_you', code: 'sync.safe_mode' }, 'try_now'],
  ['conflicts', { state: 'needs_you', code: 'sync.conflict' }, 'conflicts'],
  ['records set aside', { state: 'syncing', parked: 2 }, 'parked'],
  ['something unknown', { state: 'needs_you', code: 'remote.quota' }, 'test'],
])('%s is mended by the right button', (_, changes, expected) => expect(mendOf(remote(changes))).toBe(expected));

test.each([
  [['ok', 'off'], 'ok'],
  [['ok', 'syncing'], 'syncing'],
  [['offline', 'syncing'], 'offline'],
  [['ok', 'needs_you', 'offline'], 'needs_you'],
  [['off', 'off'], 'off'],
] as const)('of %j the worst speaks: %s', (states, expected) => {
  expect(worstState({ remotes: states.map((state) => remote({ state })) })).toBe(expected);
});

test.each([
  [0, null],
  [0.19, null],
  [2.84, '2.8'],
  [412.5, '413'],
])('a rate of %d reads %s', (rate, expected) => expect(rateText(rate)).toBe(expected));

test('an entry leads to its record where it has one', () => {
  const entry = (table: QueueEntry['table']) => entryPlace({ table, recordId: 'r' } as QueueEntry);
  expect([entry('decision_vault'), entry('memories'), entry('activities'), entry('file_snapshots')]).toEqual([
    { view: 'decisions', id: 'r' },
    { view: 'memories', id: 'r' },
    null,
    null,
  ]);
});

const status = (remotes: RemoteStatus[], more: Partial<SyncStatus> = {}): SyncStatus => ({
  remotes,
  conflicts: 0,
  safeMode: null,
  ...more,
});
const backup = (changes: Partial<BackupStatus> = {}): BackupStatus =>
  ({
    state: 'ok',
    problem: null,
    interruptedRestore: null,
    proofIsStale: false,
    key: { source: 'generated', kind: 'key', fingerprint: 'F', kitConfirmedAtMs: 1 },
    ...changes,
  }) as BackupStatus;
const kinds = (sync: SyncStatus, of?: BackupStatus): string[] =>
  needsOf(sync, of).map((need) => (need.of === '' ? need.kind : `${need.kind} ${need.of}`));

test('when all is well nothing needs the person, also while backups are not known', () => {
  expect(kinds(status([remote()]), backup())).toEqual([]);
  expect(kinds(status([remote(), remote({ remote: 'notion', configured: false, state: 'off' })]))).toEqual([]);
  expect(kinds(status([remote({ state: 'offline', code: 'remote.unreachable' })]))).toEqual([]);
});

test('what needs the person is listed worst first, each thing once', () => {
  const problem = { code: 'restore.interrupted', message: 'cut off', fix: '', exitCode: 6 };
  const interruptedRestore = { restoreId: 'r', startedAtMs: 0, target: '/t' };
  const everything = status(
    [
      remote({ state: 'needs_you', code: 'sync.conflict', parked: 2, paused: [PAUSED] }),
      remote({ remote: 'notion', state: 'needs_you', code: 'sync.held', hold: HOLD }),
    ],
    { conflicts: 3, safeMode: { sinceMs: 0, reason: 'crashed', fix: '' } },
  );
  const bad = backup({
    state: 'needs_you',
    problem,
    interruptedRestore,
    proofIsStale: true,
    key: { source: 'generated', kind: 'key', fingerprint: 'F', kitConfirmedAtMs: null },
  });
  expect(kinds(everything, bad)).toEqual([
    'interrupted_restore',
    'safe_mode',
    'paused supabase',
    'hold notion',
    'kit',
    'proof',
    'parked supabase',
    'conflicts',
  ]);
});

test('a key that the person gave needs no kit', () => {
  const given = backup({
    key: { source: 'environment', kind: 'passphrase', fingerprint: 'F', kitConfirmedAtMs: null },
  });
  expect(kinds(status([]), given)).toEqual([]);
});
