import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeTray, pauseEndMs, TRAY_STATES, type TrayFacts, type TrayItem } from '../../src/shared/tray-state.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
type Status = NonNullable<TrayFacts['status']>;
const CALM: Status = {
  attention: [],
  roots: [
    {
      rootId: 1,
      path: '/notes',
      state: 'watching',
      reason: null,
      fix: null,
      files: 3,
      sizeBytes: 10,
      skipped: 0,
      lastScanAtMs: NOW_MS,
      hold: null,
    },
  ],
  waiting: { capture: 0, index: 0 },
  progress: [],
  outbox: [],
  sync: { remotes: [], conflicts: 0, safeMode: null },
  pausedUntilMs: null,
  lastCaptureAtMs: NOW_MS - 60_000,
};
const queue = (pending: number): Status['outbox'] => [
  { remote: 'supabase', configured: true, pending, leased: 0, parked: 0, oldestAtMs: null },
];
const remote = (name: 'supabase' | 'notion', more: Partial<Status['sync']['remotes'][number]>): Status['sync'] => ({
  remotes: [
    {
      remote: name,
      configured: true,
      state: 'offline',
      reason: null,
      fix: null,
      code: null,
      pending: 3,
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
      ...more,
    },
  ],
  conflicts: 0,
  safeMode: null,
});
const attention = (code: string, message = 'Something.'): Status['attention'] => [
  { code, message, fix: 'Mend it.', rootId: null },
];

const facts = (status: Partial<Status> | null, more: Partial<TrayFacts> = {}): TrayFacts => ({
  nowMs: NOW_MS,
  status: status === null ? null : { ...CALM, ...status },
  isOnline: true,
  conflicts: 0,
  recent: [],
  can: { sync: true, backUp: true },
  clock: (timeMs) => new Date(timeMs).toISOString().slice(11, 16),
  ...more,
});

describe('the state', () => {
  test.each<[string, TrayFacts, string, string]>([
    ['starting', facts(null), 'syncing', 'Angles: Starting'],
    ['all well', facts({}), 'up-to-date', 'Angles: Up to date. Last save captured 11:59'],
    ['nothing captured yet', facts({ lastCaptureAtMs: null }), 'up-to-date', 'Angles: Up to date'],
    [
      'no folder',
      facts({ roots: [], attention: attention('root.none') }),
      'setup',
      'Angles: Not set up: choose a folder. Last save captured 11:59',
    ],
    ['to send', facts({ outbox: queue(1_204) }), 'syncing', 'Angles: Working: 1,204 left. Last save captured 11:59'],
    [
      'to capture and to send',
      facts({ outbox: queue(2), waiting: { capture: 3, index: 9 } }),
      'syncing',
      'Angles: Working: 5 left. Last save captured 11:59',
    ],
    [
      'a service that is not configured',
      facts({ outbox: [{ remote: 'notion', configured: false, pending: 9, leased: 0, parked: 0, oldestAtMs: null }] }),
      'up-to-date',
      'Angles: Up to date. Last save captured 11:59',
    ],
    [
      'paused',
      facts({ pausedUntilMs: NOW_MS + 60_000, outbox: queue(2) }),
      'paused',
      'Angles: Paused until 12:01; saves are still captured. Last save captured 11:59',
    ],
    [
      'a pause that ran out',
      facts({ pausedUntilMs: NOW_MS }),
      'up-to-date',
      'Angles: Up to date. Last save captured 11:59',
    ],
    [
      'offline with a queue',
      facts({ outbox: queue(1) }, { isOnline: false }),
      'offline',
      'Angles: Offline: 1 change to send later. Last save captured 11:59',
    ],
    [
      'a service that cannot be reached, as it was left',
      facts({ outbox: queue(3), sync: remote('notion', {}) }),
      'offline',
      'Angles: Offline: 3 changes to send when Notion can be reached. Last save captured 11:59',
    ],
    [
      'a service that cannot be reached, with nothing to send',
      facts({ sync: remote('notion', { pending: 0 }) }),
      'up-to-date',
      'Angles: Up to date. Last save captured 11:59',
    ],
    [
      'a service that is not set up any more',
      facts({ outbox: queue(3), sync: remote('notion', { configured: false }) }),
      'syncing',
      'Angles: Working: 3 left. Last save captured 11:59',
    ],
    [
      'offline with nothing to send',
      facts({}, { isOnline: false }),
      'up-to-date',
      'Angles: Up to date. Last save captured 11:59',
    ],
    [
      'offline and paused',
      facts({ outbox: queue(3), pausedUntilMs: NOW_MS + 1 }, { isOnline: false }),
      'offline',
      'Angles: Offline: 3 changes to send later. Last save captured 11:59',
    ],
    [
      'a hold',
      facts({ attention: attention('root.held', '64 files are gone.') }),
      'needs-you',
      'Angles: Needs you: 64 files are gone. Last save captured 11:59',
    ],
    [
      'conflicts',
      facts({}, { conflicts: 2 }),
      'needs-you',
      'Angles: Needs you: 2 conflicts to decide. Last save captured 11:59',
    ],
    [
      'limited watching',
      facts({ attention: attention('watch.limited') }),
      'up-to-date',
      'Angles: Up to date. Last save captured 11:59',
    ],
    [
      'a full disk',
      facts(
        { attention: attention('data.full', 'The disk is full.'), outbox: queue(3) },
        { isOnline: false, conflicts: 1 },
      ),
      'error',
      'Angles: Problem: The disk is full. Last save captured 11:59',
    ],
  ])('%s', (_, given, state, tooltip) => {
    const view = describeTray(given);
    expect([view.state, view.tooltip]).toEqual([state, tooltip]);
  });
});

const labels = (items: readonly TrayItem[]): string[] =>
  items.map((item) => {
    if (item.kind === 'line') return '-';
    const label = 'enabled' in item && !item.enabled ? `(${item.label})` : item.label;
    return item.kind === 'menu' ? `${label} > ${labels(item.items).join(' | ')}` : label;
  });

test('the menu has everything, and what cannot be done now cannot be pressed', () => {
  expect(labels(describeTray(facts({})).menu)).toEqual([
    'Up to date',
    '-',
    'Open Angles',
    'Sync now',
    'Back up now',
    'Pause > 30 minutes | 2 hours | Until tomorrow',
    '-',
    '(Recent) > ',
    '(Conflicts)',
    'Logs',
    'Settings',
    '-',
    'Quit Angles',
  ]);
  const busy = facts(
    { outbox: queue(3), pausedUntilMs: NOW_MS + 60_000 },
    {
      conflicts: 2,
      can: { sync: false, backUp: false },
      recent: Array.from({ length: 7 }, (_, index) => ({
        summary: `${index}\n${'x'.repeat(90)}`,
        path: `/notes/${index}`,
      })),
    },
  );
  expect(labels(describeTray(busy).menu)).toEqual([
    'Needs you: 2 conflicts to decide',
    '-',
    'Open Angles',
    '(Sync now)',
    '(Back up now)',
    'Resume',
    '-',
    `Recent > ${[0, 1, 2, 3, 4].map((index) => `${index}\\n${'x'.repeat(56)}…`).join(' | ')}`,
    'Conflicts (2)',
    'Logs',
    'Settings',
    '-',
    'Quit Angles (3 changes kept for later)',
  ]);
});

test('whatever the agent says, the worst wins, and tooltip and labels have no control characters and fit', () => {
  const code = fc.constantFrom('data.full', 'root.held', 'root.missing', 'watch.limited', 'config.warning');
  const given = fc.record({
    attention: fc.array(
      fc.record({
        code,
        message: fc.string({ unit: 'binary', maxLength: 300 }),
        fix: fc.constant(''),
        rootId: fc.constant(null),
      }),
      { maxLength: 4 },
    ),
    pending: fc.nat(1_000_000),
    isOnline: fc.boolean(),
    conflicts: fc.nat(3),
  });
  fc.assert(
    fc.property(given, ({ attention: all, pending, isOnline, conflicts }) => {
      const view = describeTray(facts({ attention: all, outbox: queue(pending) }, { isOnline, conflicts }));
      const worst = all.some((one) => one.code === 'data.full')
        ? 'error'
        : conflicts > 0 || all.some((one) => /^(root|config)/.test(one.code))
          ? 'needs-you'
          : !isOnline && pending > 0
            ? 'offline'
            : pending > 0
              ? 'syncing'
              : 'up-to-date';
      expect(view.state).toBe(worst);
      expect(TRAY_STATES).toContain(view.state);
      expect(view.tooltip.length).toBeLessThanOrEqual(127);
      for (const text of [view.tooltip, ...labels(view.menu)])
        expect(text).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});

test('a pause until tomorrow ends at six in the morning of the next day', () => {
  const late = new Date(2026, 10, 24, 23, 59).getTime();
  const early = new Date(2026, 10, 24, 0, 1).getTime();
  for (const nowMs of [late, early])
    expect(new Date(pauseEndMs('pause-tomorrow', nowMs))).toEqual(new Date(2026, 10, 25, 6));
  expect(pauseEndMs('pause-30', 5)).toBe(5 + 1_800_000);
  expect(pauseEndMs('pause-120', 5)).toBe(5 + 7_200_000);
});
