import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  backupShare,
  type Chosen,
  isChosen,
  isConfirmed,
  isTag,
  missingIn,
  needsTyping,
  planCounts,
  planInput,
  proofOf,
  type RestoreChoice,
  takeBackupProgress,
  timelineOf,
  toggleChosen,
  writesAnything,
} from '../../../src/renderer/data/backup-view.ts';
import type {
  BackupItem,
  BackupProgressView,
  DrillReceipt,
  RestorePlanView,
} from '../../../src/shared/contract-backup.ts';

const passed = { passed: true } as DrillReceipt;
test.each([
  ['no backup', { lastBackupAtMs: null, lastProvenAtMs: null, lastDrill: null, proofIsStale: false }, 'nothing'],
  ['never proven', { lastBackupAtMs: 1, lastProvenAtMs: null, lastDrill: null, proofIsStale: true }, 'none'],
  ['an old proof', { lastBackupAtMs: 9, lastProvenAtMs: 1, lastDrill: passed, proofIsStale: true }, 'stale'],
  ['a fresh proof', { lastBackupAtMs: 9, lastProvenAtMs: 8, lastDrill: passed, proofIsStale: false }, 'fresh'],
  [
    'a proof that failed after one that passed',
    { lastBackupAtMs: 9, lastProvenAtMs: 8, lastDrill: { passed: false } as DrillReceipt, proofIsStale: false },
    'failed',
  ],
])('%s is told as such', (_, status, expected) => expect(proofOf(status)).toBe(expected));

test('the timeline puts backups under their day of the time zone, and keeps their order', () => {
  const item = (id: string, createdAtMs: number): BackupItem => ({ id, kind: 'repository', createdAtMs }) as BackupItem;
  const late = Date.UTC(2026, 10, 20, 23, 30);
  const rows = timelineOf([item('c', late), item('b', late - 3_600_000), item('a', late - 86_400_000)], 'UTC');
  expect(rows.map((row) => (row.kind === 'day' ? `${row.key} ${row.backups}` : row.backup.id))).toEqual([
    '2026-11-20 2',
    'c',
    'b',
    '2026-11-19 1',
    'a',
  ]);
  expect(timelineOf([item('c', late)], 'Asia/Tokyo')[0]?.key).toBe('2026-11-21');
});

const entry = (path: string, kind: Chosen['kind'] = 'file', rootId = 1): Chosen => ({ rootId, root: '/r', path, kind });

test('a folder takes what was chosen inside of it; another root keeps its own', () => {
  const one = toggleChosen([], entry('a/b.md'));
  const other = toggleChosen(one, entry('a/b.md', 'file', 2));
  const folder = toggleChosen(other, entry('a', 'folder'));
  expect(folder.map(({ rootId, path }) => `${rootId} ${path}`)).toEqual(['2 a/b.md', '1 a']);
  expect(isChosen(folder, entry('a/b.md'))).toBe(true);
  expect(isChosen(folder, entry('ab.md'))).toBe(false);
  expect(isChosen(folder, entry('a/b.md', 'file', 3))).toBe(false);
  expect(toggleChosen(folder, entry('a', 'folder')).map((chosen) => chosen.path)).toEqual(['a/b.md']);
});

test('choosing twice changes nothing, whatever was chosen', () => {
  const path = fc.constantFrom('a', 'a/b', 'a/b/c.md', 'd.md');
  fc.assert(
    fc.property(fc.array(path), (paths) => {
      const chosen = paths.reduce<readonly Chosen[]>((known, one) => toggleChosen(known, entry(one)), []);
      const free = entry('e.md');
      expect(toggleChosen(toggleChosen(chosen, free), free)).toEqual(chosen);
    }),
  );
});

const choice = (changes: Partial<RestoreChoice> = {}): RestoreChoice => ({
  what: 'all',
  chosen: [],
  tables: [],
  where: 'beside',
  folder: '',
  allowRedacted: false,
  ...changes,
});

test.each([
  ['everything beside', choice(), { backup: 'b' }],
  [
    'everything in place',
    choice({ where: 'in_place', allowRedacted: true }),
    { backup: 'b', inPlace: true, allowRedacted: true },
  ],
  ['into a folder', choice({ where: 'folder', folder: ' /tmp/x ' }), { backup: 'b', to: '/tmp/x' }],
  [
    'a file and a folder',
    choice({ what: 'chosen', chosen: [entry('a/b.md'), entry('c', 'folder'), entry('', 'folder')] }),
    {
      backup: 'b',
      paths: [
        { rootId: 1, path: 'a/b.md' },
        { rootId: 1, path: 'c' },
        { rootId: 1, path: '' },
      ],
    },
  ],
])('the question for %s is right', (_, given, expected) => expect(planInput('b', given)).toEqual(expected));

test('a question for tables asks for no file, and for no place', () => {
  const input = planInput('b', choice({ what: 'tables', tables: ['memories'], where: 'in_place', folder: '/x' }));
  expect(input).toEqual({ backup: 'b', files: false, tables: ['memories'] });
});

test.each([
  [choice(), null],
  [choice({ what: 'chosen' }), 'nothing_chosen'],
  [choice({ what: 'tables' }), 'no_tables'],
  [choice({ where: 'folder', folder: ' ' }), 'folder'],
  [choice({ what: 'tables', tables: ['memories'], where: 'folder' }), null],
])('what is missing in a choice is named', (given, expected) => expect(missingIn(given)).toBe(expected));

const NONE = {
  created: 0,
  overwritten: 0,
  unchanged: 0,
  keptExtra: 0,
  refused: 0,
  rowsInserted: 0,
  rowsUpdated: 0,
  rowsSame: 0,
};
const plan = (counts: Partial<RestorePlanView['counts']>, inPlace = false) => ({
  counts: { ...NONE, ...counts },
  inPlace,
  confirmWith: '2026-11-20',
});

test('tiles show files always together, rows only where there are any, what is left out only then', () => {
  const shown = (counts: Partial<RestorePlanView['counts']>): string[] =>
    planCounts(plan(counts)).map(({ action, count }) => `${action} ${count}`);
  expect(shown({ created: 3 })).toEqual(['new 3', 'overwrite 0', 'unchanged 0', 'extra 0']);
  expect(shown({ rowsUpdated: 2, refused: 1 })).toEqual(['insert 0', 'update 2', 'same 0', 'refused 1']);
});

test.each([
  ['new files beside', plan({ created: 3 }), false],
  ['files in place', plan({ overwritten: 1 }, true), true],
  ['rows that are only added', plan({ rowsInserted: 4 }), false],
  ['rows that are replaced', plan({ rowsUpdated: 1 }), true],
])('%s are confirmed by typing: %#', (_, given, typing) => {
  expect(needsTyping(given)).toBe(typing);
  expect(isConfirmed(given, '')).toBe(!typing);
  expect(isConfirmed(given, ' 2026-11-20 ')).toBe(true);
  expect(isConfirmed(given, '2026-11-2')).toBe(!typing);
  expect(writesAnything(given)).toBe(true);
});
test('a plan that changes nothing writes nothing', () =>
  expect(writesAnything(plan({ unchanged: 9, rowsSame: 4 }))).toBe(false));

test('progress never goes back within a phase, and starts anew with the next', () => {
  const report = (phase: string, doneItems: number): BackupProgressView => ({
    operation: 'restore',
    phase,
    doneItems,
    totalItems: 10,
    doneBytes: doneItems,
    totalBytes: 10,
    etaMs: null,
  });
  const after = takeBackupProgress(report('writing', 7), report('writing', 5));
  expect([after.doneItems, after.doneBytes]).toEqual([7, 7]);
  expect(takeBackupProgress(after, report('verifying', 1)).doneItems).toBe(1);
  expect(takeBackupProgress(null, report('writing', 0)).doneItems).toBe(0);
});

test.each([
  [{ doneItems: 1, totalItems: 4, doneBytes: 0, totalBytes: 0 }, 0.25],
  [{ doneItems: 1, totalItems: 4, doneBytes: 9, totalBytes: 10 }, 0.9],
  [{ doneItems: 0, totalItems: 0, doneBytes: 0, totalBytes: 0 }, null],
  [{ doneItems: 9, totalItems: 4, doneBytes: 0, totalBytes: 0 }, 1],
])('the share of %j is %s', (progress, expected) => expect(backupShare(progress)).toBe(expected));

test.each([
  ['before-the-move', true],
  ['v1.2_3', true],
  ['-rf', false],
  ['', false],
  ['a b', false],
  ['x'.repeat(101), false],
])('%j is a tag: %s', (text, expected) => expect(isTag(text)).toBe(expected));
