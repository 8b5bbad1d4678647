/** Sample data of the fake agent: what a person who works with assistants might have, the same at every run. */
import { createHash } from 'node:crypto';
import type {
  ActivityRecord,
  FileEntry,
  LogRecord,
  RootInfo,
  SkipReason,
  Snapshot,
  SnapshotChange,
} from '../../src/shared/model.ts';

/** Friday 20 November 2026, 09:30 UTC: the present of all sample data. */
export const FAKE_NOW_MS = Date.UTC(2026, 10, 20, 9, 30);
export const FAKE_DEVICE = '019a9b00-0000-7000-8000-00000000d001';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const FAKE_ROOTS = [
  '/home/mira/notes',
  '/home/mira/projects/atlas/docs',
  '/home/mira/assistant-exports',
] as const;

type Row = readonly [root: number, path: string, kiloBytes: number, versions: number, changedMinutesAgo: number];

const ROWS: readonly Row[] = [
  [1, 'inbox.md', 3, 14, 2],
  [1, 'journal/2026-11-20.md', 6, 9, 11],
  [1, 'journal/2026-11-19.md', 8, 12, 900],
  [1, 'journal/2026-11-18.md', 5, 7, 2_400],
  [1, 'journal/2026-11-17.md', 7, 8, 3_900],
  [1, 'ideas/offline-first.md', 11, 5, 47],
  [1, 'ideas/pricing-page.md', 4, 3, 1_600],
  [1, 'ideas/reading-list.md', 2, 21, 5_000],
  [1, 'people/1-1 with Jonas.md', 3, 6, 1_450],
  [1, 'people/hiring loop.md', 9, 4, 7_300],
  [1, 'recipes/sourdough.md', 2, 2, 40_000],
  [1, 'travel/lisbon.md', 5, 3, 22_000],
  [1, 'meetings/2026-11-12 roadmap.md', 12, 4, 11_600],
  [1, 'meetings/2026-11-05 retro.md', 7, 2, 21_700],
  [1, 'résumé (final).md', 6, 11, 13_000],
  [2, 'README.md', 9, 18, 130],
  [2, 'architecture.md', 31, 27, 35],
  [2, 'adr/0001-use-sqlite.md', 4, 2, 60_000],
  [2, 'adr/0002-one-writer.md', 5, 3, 52_000],
  [2, 'adr/0003-plan-then-apply.md', 6, 4, 31_000],
  [2, 'adr/0004-no-cloud-lock-in.md', 4, 2, 9_900],
  [2, 'adr/0005-search-in-process.md', 7, 6, 95],
  [2, 'api/contract.md', 22, 9, 2_900],
  [2, 'api/errors.md', 14, 7, 2_950],
  [2, 'api/examples.json', 41, 5, 6_100],
  [2, 'guides/install.md', 8, 10, 4_400],
  [2, 'guides/backup.md', 13, 8, 4_380],
  [2, 'guides/restore.md', 12, 6, 4_200],
  [2, 'diagrams/save-flow.svg', 18, 3, 17_000],
  [2, 'glossary.md', 3, 5, 8_800],
  [3, '2026-11-20 refactor the importer.md', 64, 1, 21],
  [3, '2026-11-19 explain WAL mode.md', 38, 1, 1_300],
  [3, '2026-11-18 weekly plan.md', 12, 2, 2_700],
  [3, '2026-11-16 SQL window functions.md', 51, 1, 5_600],
  [3, '2026-11-13 release notes draft.md', 17, 3, 9_700],
  [3, 'prompts/code-review.md', 3, 8, 3_300],
];

const SPECIAL: readonly (readonly [number, string, number, number, FileEntry['state'], SkipReason | null])[] = [
  [1, 'drafts/old-intro.md', 2, 3, 'deleted', null],
  [2, 'guides/migrate-from-v0.md', 5, 4, 'deleted', null],
  [3, 'recordings/2026-11-14 standup.m4a', 182_000, 0, 'skipped', 'file.too_large'],
  [1, 'private/keys.txt', 1, 0, 'skipped', 'file.unreadable'],
];

/** Names that try to forge lines, colour the terminal, turn the direction or run a script. */
export const HOSTILE_NAMES = [
  'line\nbreak.md',
  '\u001b[31mred.md',
  'gpj.\u202eexe.md',
  '<img src=x onerror=globalThis.canary=1>.md',
  '\'"><script>globalThis.canary=1</script>.md',
  'tab\there.md',
] as const;

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const idOf = (...parts: readonly (string | number)[]): string => {
  const hex = hashOf(parts.join('\u0000'));
  return `019a9b${hex.slice(0, 2)}-${hex.slice(2, 6)}-7${hex.slice(6, 9)}-8${hex.slice(9, 12)}-${hex.slice(12, 24)}`;
};
export const fakeId = idOf;
export const rootPath = (rootId: number): string => FAKE_ROOTS[rootId - 1] ?? '/';

/** The text that version `version` (from 1) of a sample file has. */
export function fakeContent(path: string, version: number): string {
  const name =
    path
      .split('/')
      .at(-1)
      ?.replace(/\.\w+$/, '') ?? path;
  const lines = [`# ${name}`, '', `Revision ${version} of this page.`, '', '## Notes', ''];
  for (let line = 1; line <= 12 + version; line += 1) {
    lines.push(
      `- ${line}. ${line % 4 === 0 && line <= version * 4 ? 'Decided: ' : ''}keep the vault local and searchable.`,
    );
  }
  return `${lines.join('\n')}\n`;
}

export function createFiles(hostile: boolean): FileEntry[] {
  const present = ROWS.map(([rootId, path, kiloBytes, versions, minutes], index) =>
    entry({
      fileId: index + 1,
      rootId,
      path,
      sizeBytes: kiloBytes * 1_000,
      versions,
      minutes,
      state: 'present',
      reason: null,
    }),
  );
  const special = SPECIAL.map(([rootId, path, kiloBytes, versions, state, reason], index) =>
    entry({
      fileId: 100 + index,
      rootId,
      path,
      sizeBytes: kiloBytes * 1_000,
      versions,
      minutes: 3_000 + index,
      state,
      reason,
    }),
  );
  const names = (hostile ? HOSTILE_NAMES : []).map((path, index) =>
    entry({
      fileId: 200 + index,
      rootId: 1,
      path,
      sizeBytes: 700,
      versions: 2,
      minutes: 5 + index,
      state: 'present',
      reason: null,
    }),
  );
  return [...present, ...special, ...names];
}

type EntryFacts = Pick<FileEntry, 'fileId' | 'rootId' | 'path' | 'sizeBytes' | 'versions' | 'state' | 'reason'> & {
  readonly minutes: number;
};
function entry({ minutes, ...facts }: EntryFacts): FileEntry {
  const captured = facts.versions > 0;
  const changedAtMs = FAKE_NOW_MS - minutes * MINUTE;
  return {
    ...facts,
    root: rootPath(facts.rootId),
    mtimeMs: changedAtMs,
    sha256: captured && facts.state === 'present' ? hashOf(fakeContent(facts.path, facts.versions)) : null,
    snapshotId: captured ? idOf('snapshot', facts.fileId, facts.versions) : null,
    capturedAtMs: captured ? changedAtMs + 400 : null,
  };
}

/** The versions of a file, newest first. */
export function historyOf(file: FileEntry): Snapshot[] {
  return Array.from({ length: file.versions }, (_, index) => {
    const version = file.versions - index;
    const deleted = file.state === 'deleted' && index === 0;
    const content = fakeContent(file.path, version);
    const capturedAtMs = (file.capturedAtMs ?? FAKE_NOW_MS) - index * 7 * HOUR;
    return {
      snapshotId: idOf('snapshot', file.fileId, version),
      seq: file.fileId * 100 + version,
      rootId: file.rootId,
      root: file.root,
      path: file.path,
      previousPath: null,
      change: changeOf(version, deleted),
      sha256: deleted ? null : hashOf(content),
      sizeBytes: deleted ? 0 : Buffer.byteLength(content),
      mtimeMs: deleted ? null : capturedAtMs - 400,
      capturedAtMs,
      deviceId: FAKE_DEVICE,
      stillOpen: false,
    };
  });
}

function changeOf(version: number, deleted: boolean): SnapshotChange {
  if (deleted) return 'deleted';
  return version === 1 ? 'created' : 'modified';
}

export function createRoots(files: readonly FileEntry[]): RootInfo[] {
  return FAKE_ROOTS.map((path, index) => {
    const rootId = index + 1;
    const own = files.filter((file) => file.rootId === rootId && file.state === 'present');
    const held = rootId === 3;
    return {
      rootId,
      path,
      state: held ? 'held' : 'watching',
      reason: held ? '64 of 70 files are gone at once.' : null,
      fix: held ? 'Run `angles roots accept PATH` if you deleted them, or bring them back.' : null,
      files: own.length,
      sizeBytes: own.reduce((sum, file) => sum + file.sizeBytes, 0),
      skipped: files.filter((file) => file.rootId === rootId && file.state === 'skipped').length,
      lastScanAtMs: FAKE_NOW_MS - (4 + index) * MINUTE,
      hold: held
        ? {
            deletes: 64,
            total: 70,
            sinceMs: FAKE_NOW_MS - 18 * MINUTE,
            sample: ['2025/january.md', '2025/february.md', '2025/march.md'],
          }
        : null,
    };
  });
}

export function createActivities(files: readonly FileEntry[]): ActivityRecord[] {
  const captures = files
    .flatMap((file) => historyOf(file).slice(0, 3))
    .map((version): ActivityRecord => {
      const verb = { created: 'was added', modified: 'was saved', renamed: 'was renamed', deleted: 'was deleted' }[
        version.change
      ];
      return {
        id: idOf('activity', version.snapshotId),
        kind: `file.${version.change}`,
        summary: `${version.path} ${verb}`,
        rootId: version.rootId,
        path: version.path,
        snapshotId: version.snapshotId,
        recordTable: null,
        recordId: null,
        origin: 'watch',
        occurredAtMs: version.capturedAtMs,
        deviceId: FAKE_DEVICE,
        changeSeq: version.seq,
      };
    });
  const started: ActivityRecord = {
    id: idOf('activity', 'start'),
    kind: 'agent.started',
    summary: 'The agent started and found 3 changes of the time it was off',
    rootId: null,
    path: null,
    snapshotId: null,
    recordTable: null,
    recordId: null,
    origin: 'agent',
    occurredAtMs: FAKE_NOW_MS - 3 * DAY,
    deviceId: FAKE_DEVICE,
    changeSeq: 1,
  };
  return [...captures, started].sort((a, b) => b.occurredAtMs - a.occurredAtMs || b.changeSeq - a.changeSeq);
}

const LOG_LINES: readonly (readonly [LogRecord['level'], string, string, number | null])[] = [
  ['info', 'agent', 'started', 812],
  ['info', 'watch', 'watching 3 roots', null],
  ['debug', 'watch', 'inbox.md changed', null],
  ['info', 'capture', '1 version captured', 9],
  ['warn', 'watch', 'recordings/2026-11-14 standup.m4a is above the size limit', null],
  ['info', 'search', '12 entries indexed', 31],
  ['error', 'watch', 'private/keys.txt cannot be read', null],
  ['warn', 'watch', '64 of 70 files of /home/mira/assistant-exports are gone: held', null],
  ['info', 'scan', 'nothing changed', 118],
];

export function createLogs(): LogRecord[] {
  return Array.from({ length: 90 }, (_, index) => {
    const [level, component, message, durationMs] = LOG_LINES[index % LOG_LINES.length] ?? [
      'info',
      'agent',
      'idle',
      null,
    ];
    return {
      seq: index + 1,
      timeMs: FAKE_NOW_MS - (90 - index) * 2 * MINUTE,
      level,
      component,
      message,
      runId: component === 'scan' ? idOf('run', index).slice(0, 13) : null,
      durationMs,
      data: level === 'error' ? { code: 'file.unreadable', path: 'private/keys.txt' } : {},
    };
  });
}
