/** The backups, receipts and restores of the fake agent. */
import type { BackupItem, DrillReceipt, RestoreRun } from '../../src/shared/contract-backup.ts';
import { FAKE_DEVICE, hashOf } from './fake-data.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Not a key: the shape of one, so that the page has something to show and to confirm. */
const FAKE_KEY = ['AK1', 'ZK7M', 'PQ3D', 'W9XN', 'E5TB', '2CHR', 'V8LY'].join('-');
export const FAKE_KIT = [
  'Angles recovery kit',
  '',
  'Keep this where your computer is not: on paper, or in a password manager.',
  'Without it nobody can read your backups, and neither can we.',
  '',
  'Fingerprint  7QK4-9M2X',
  `Key          ${FAKE_KEY}`,
  '',
  'To restore on any machine with Node: node restore.mjs vault.git ./restored',
  '',
].join('\n');

const REASONS = ['After changes', 'After changes', 'Daily backup', 'After changes'] as const;
const TAGS: Readonly<Record<number, string>> = { 9: 'before-the-move', 23: 'release-1.4' };

/** Newest first: several a day at first, fewer as time goes back; every eighth is an archive. */
export function createBackupItems(nowMs: number): BackupItem[] {
  return Array.from({ length: 42 }, (_, index): BackupItem => {
    const isArchive = index % 8 === 5;
    const createdAtMs = nowMs - Math.round((index * 2.5 + (index * index) / 3.5) * HOUR) - 11 * 60_000;
    const id = hashOf(`backup ${index} of the sample`).slice(0, 40);
    return {
      id: isArchive ? `memory_backup_${new Date(createdAtMs).toISOString().slice(0, 10)}.zip.gpg` : id,
      kind: isArchive ? 'archive' : 'repository',
      createdAtMs,
      reason:
        TAGS[index] !== undefined
          ? 'Asked for in the dashboard'
          : isArchive
            ? 'Daily archive'
            : (REASONS[index % 4] ?? 'After changes'),
      tag: TAGS[index] ?? null,
      deviceId: FAKE_DEVICE,
      files: 38 - Math.min(12, Math.floor(index / 3)),
      sizeBytes: 412_000 - index * 4_100,
      tables: { decision_vault: 7, memories: 5, activities: 900 - index * 9 },
      isEncrypted: true,
      incomplete: index === 3 ? 1 : 0,
      redacted: isArchive && index > 10 ? 1 : 0,
      verifiedAtMs: index === 4 ? null : createdAtMs + 2_000,
      where: isArchive ? ['folder'] : index > 2 ? ['repository', 'github'] : ['repository'],
    };
  });
}

export const createReceipt = (startedAtMs: number, backupId: string): DrillReceipt => ({
  runId: 'run-drill-1',
  backupId,
  startedAtMs,
  durationMs: 41_000,
  files: 38,
  bytes: 412_000,
  rows: 912,
  differences: [],
  passed: true,
});

export function createRestoreRuns(nowMs: number): RestoreRun[] {
  const common = {
    rowsInserted: 0,
    rowsUpdated: 0,
    failed: [],
    backupId: hashOf('backup 9 of the sample').slice(0, 40),
  };
  return [
    {
      ...common,
      restoreId: 'restore-1',
      startedAtMs: nowMs - 2 * DAY,
      durationMs: 920,
      target: null,
      written: 1,
      overwritten: 3,
      bytes: 41_000,
      undoUntilMs: nowMs + 28 * DAY,
      state: 'done',
    },
    {
      ...common,
      restoreId: 'restore-0',
      startedAtMs: nowMs - 12 * DAY,
      durationMs: 2_210,
      target: '/home/mira/Angles restored 2026-11-08 10-02',
      written: 38,
      overwritten: 0,
      bytes: 402_000,
      undoUntilMs: null,
      state: 'undone',
    },
  ];
}
