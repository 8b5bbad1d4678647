import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { packageRoot } from '../package-root.ts';
import { openStore, type Store, translateSqliteError, VAULT_FILE } from './database.ts';
import { readJournal } from './journal-lines.ts';
import { isBehindJournal, type ReplayResult, replayJournal } from './journal-replay.ts';
import { readMigrations } from './migrate.ts';
import { buildVault, CHANGE_GAP } from './recover-build.ts';
import {
  assertSpace,
  freeBytesOf,
  type Marker,
  makeDamagedFolder,
  moveParts,
  publish,
  readMarker,
  removeMarker,
  translateFileError,
  writeDurably,
  writeMarker,
} from './recover-folder.ts';
import { inspectVault } from './recover-inspect.ts';
import { type RecoveryReport, type ReportContext, recoveryReport } from './recover-report.ts';
import { readShapes, type Shape } from './salvage-shapes.ts';
import { INDEX_FILE } from './search/index-file.ts';

export type { RecoveryReport };

export type RecoverOptions = {
  readonly dataFolder: string;
  readonly nowMs: () => number;
  /** Why, for the report; found out when it is not given. */
  readonly reason?: string;
  /** Space on the disk of a folder; measured when it is not given. */
  readonly freeBytes?: (folder: string) => number;
};

export type Opened = {
  readonly store: Store;
  /** What was saved and what was lost, when the vault had to be rebuilt now. */
  readonly recovery: RecoveryReport | null;
  /**
   * What the journal brought back, when the newest commits were missing from a vault that is sound otherwise (its log
   * was deleted, say). Versions of files captured since then are missing too; which ones nobody knows.
   */
  readonly caughtUp: ReplayResult | null;
};

/**
 * Opens the vault, whatever state it was left in. A damaged one is found before SQLite touches it (a marker, the
 * header, the log) or when SQLite refuses it, and is rebuilt; records that only the journal has are brought back.
 * The caller holds the lock. Errors: those of `openStore` except `data.corrupt`; `data.full` when a rebuild does
 * not fit on the disk (then everything is as it was).
 */
export function openOrRecover(options: RecoverOptions): Opened {
  const recovery = findDamage(options.dataFolder) === null ? null : recoverVault(options);
  const opened = openOrRebuild(options, recovery);
  return { ...opened, caughtUp: isBehindJournal(opened.store) ? catchUp(opened.store) : null };
}

function openOrRebuild(options: RecoverOptions, recovery: RecoveryReport | null): Omit<Opened, 'caughtUp'> {
  try {
    return { store: openStore(options), recovery };
  } catch (cause) {
    if (recovery !== null || !(cause instanceof AppError) || cause.code !== 'data.corrupt') throw cause;
    const rebuilt = recoverVault({ ...options, reason: cause.message });
    return { store: openStore(options), recovery: rebuilt };
  }
}

/** Commits are missing, and nobody knows which numbers they had. */
function catchUp(store: Store): ReplayResult {
  return store.write((tx) => {
    const result = replayJournal(store, readJournal(store.dataFolder).entries);
    tx.takeChanges(CHANGE_GAP);
    return result;
  });
}

/**
 * Why the closed vault must be rebuilt, as far as that can be seen without SQLite; null when nothing is wrong, and
 * for a folder that has no vault yet.
 */
export function findDamage(dataFolder: string): string | null {
  const marker = readMarker(dataFolder);
  return marker === null ? inspectVault(dataFolder, shapes()) : marker.reason;
}

/** Tells the next start that the vault is damaged although it opens. Durable when it returns. */
export function markDamaged(dataFolder: string, reason: string): void {
  writeMarker(dataFolder, { reason, movedTo: null });
}

/**
 * Moves the closed vault aside, unchanged, and makes a new one of everything that can be read: of its pages, its log,
 * the journal and the objects. The statement of what could not be read lies beside the damaged files as `report.json`
 * and `report.txt`. Safe to kill at any moment and to start again. The caller holds the lock.
 * Throws `data.full` (then everything is as it was), `data.unwritable`, `data.io_error`.
 */
export function recoverVault(options: RecoverOptions): RecoveryReport {
  try {
    return recover(options);
  } catch (cause) {
    throw translateFileError(translateSqliteError(cause, join(options.dataFolder, VAULT_FILE)));
  }
}

function recover({ dataFolder, nowMs, reason: given, freeBytes = freeBytesOf }: RecoverOptions): RecoveryReport {
  const marker = readMarker(dataFolder);
  const finished = marker === null ? null : finishEarlier(dataFolder, marker);
  if (finished !== null) return finished;
  const reason = marker?.reason ?? given ?? inspectVault(dataFolder, shapes()) ?? 'a test of the file failed';
  const whenMs = nowMs();
  const places = marker === null || marker.movedTo === null ? [dataFolder] : [dataFolder, marker.movedTo];
  assertSpace(places, freeBytes(dataFolder));
  const movedTo = begin(dataFolder, marker, reason, whenMs);
  const report = buildAndPublish(dataFolder, { whenMs, movedTo, reason });
  finish(dataFolder, movedTo);
  return report;
}

function buildAndPublish(dataFolder: string, context: ReportContext): RecoveryReport {
  const { movedTo } = context;
  try {
    const { file, report } = buildVault(dataFolder, context);
    writeDurably(join(movedTo, 'report.txt'), report.text);
    writeDurably(join(movedTo, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    publish(file, join(dataFolder, VAULT_FILE));
    return report;
  } catch (cause) {
    // A new vault that is in its place already stays there: the next start finishes.
    if (!existsSync(join(dataFolder, VAULT_FILE))) putBack(dataFolder, movedTo);
    throw cause;
  }
}

/** Everything as it was. The marker stays, so that the next start tries again; renames need no space. */
function putBack(dataFolder: string, movedTo: string): void {
  for (const name of ['rebuild', 'report.txt', 'report.json']) {
    rmSync(join(movedTo, name), { recursive: true, force: true });
  }
  moveParts(movedTo, dataFolder);
}

/** From the moment the marker is written, every start goes on with the files in the new folder. */
function begin(dataFolder: string, marker: Marker | null, reason: string, whenMs: number): string {
  const movedTo = marker?.movedTo ?? makeDamagedFolder(dataFolder, whenMs);
  writeMarker(dataFolder, { reason, movedTo });
  moveParts(dataFolder, movedTo);
  return movedTo;
}

/** An earlier recovery that put the new vault in its place and was stopped before it could say so. */
function finishEarlier(dataFolder: string, { movedTo }: Marker): RecoveryReport | null {
  if (movedTo === null || !existsSync(join(dataFolder, VAULT_FILE))) return null;
  const file = join(movedTo, 'report.json');
  if (!existsSync(file)) return null;
  const report = recoveryReport.parse(JSON.parse(readFileSync(file, 'utf8')));
  finish(dataFolder, movedTo);
  return report;
}

function finish(dataFolder: string, movedTo: string): void {
  rmSync(join(movedTo, 'rebuild'), { recursive: true, force: true });
  // The search index belongs to the vault before; it makes itself anew.
  for (const end of ['', '-wal', '-shm']) rmSync(join(dataFolder, `${INDEX_FILE}${end}`), { force: true });
  removeMarker(dataFolder);
}

function shapes(): readonly Shape[] {
  return readShapes(readMigrations(join(packageRoot(), 'migrations', 'local')));
}
