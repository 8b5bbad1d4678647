/** Proves that a backup can be restored: it is restored into a scratch folder and compared with the vault. */
import { createHash, randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { fsPath } from '../path-names.ts';
import type { RunStore } from '../store/runs.ts';
import { createExclusive } from './exclusive.ts';
import { choosePlaces } from './restore-places.ts';
import { createRestorer, type RestoreOptions } from './restorer.ts';
import { type BackupSource, entryKey, type SourceEntry } from './source.ts';
import { compareWithFile, hashFileSync } from './target-state.ts';

export type DrillDeps = {
  readonly dataFolder: string;
  readonly nowMs: () => number;
  /**
   * The bytes that the vault has for a SHA-256; null when it does not have them any more. Then the checksum alone
   * proves the file.
   */
  readonly vaultContent: (sha256: string, sizeBytes: number) => Readable | null;
  /** null for the folder of the data folder; another disk when that one is small. */
  readonly scratchFolder: string | null;
};

export type DrillReceipt = {
  readonly runId: string;
  readonly backupId: string;
  readonly backupName: string;
  readonly outcome: 'ok' | 'failed';
  readonly files: number;
  readonly bytes: number;
  /** Files of which every byte was the one in the vault; the others were proven by their checksum. */
  readonly comparedWithVault: number;
  readonly rows: number;
  /** Over path and SHA-256 of every file that came back, sorted: two drills of one backup have the same. */
  readonly contentSha256: string;
  readonly startedMs: number;
  readonly minutes: number;
  /** What was wrong, the first ones; empty when all was well. */
  readonly problems: readonly string[];
};

const KIND = 'drill';
const MOST_PROBLEMS = 20;

/** A receipt, and when it was over. */
export type DrillOutcome = { readonly receipt: DrillReceipt; readonly finishedMs: number };

/** {@link drillBackup}, with its receipt noted as a run. */
export async function runDrill(
  source: BackupSource,
  deps: DrillDeps & { readonly runs: RunStore },
  options: RestoreOptions = {},
): Promise<DrillReceipt> {
  const outcome = await drillBackup(source, deps, options);
  noteDrill(deps.runs, outcome);
  return outcome.receipt;
}

export function noteDrill(runs: RunStore, { receipt, finishedMs }: DrillOutcome): void {
  const { runId: id, startedMs, outcome } = receipt;
  runs.add({ id, kind: KIND, startedMs, finishedMs, outcome, data: receipt });
}

/**
 * Restores the whole backup as a person would, compares every file, reads every row and removes the scratch folder. A
 * backup that does not come back is a receipt with outcome `failed`, not an error.
 * Throws only when the drill itself could not run (`data.full`, `interrupted`).
 */
export async function drillBackup(
  source: BackupSource,
  deps: DrillDeps,
  options: RestoreOptions = {},
): Promise<DrillOutcome> {
  const runId = randomUUID();
  const startedMs = deps.nowMs();
  const beganMs = performance.now();
  const scratch = join(deps.scratchFolder ?? join(deps.dataFolder, 'drill'), runId);
  const drill = { files: 0, bytes: 0, comparedWithVault: 0, rows: 0, contentSha256: '', problems: [] as string[] };
  try {
    mkdirSync(scratch, { recursive: true, mode: 0o700 });
    await restoreAll(source, scratch, deps, options);
    await compareAll(source, scratch, drill, deps, options.signal);
    for (const table of source.tables) drill.rows += await countRows(source, table, drill.problems);
  } catch (cause) {
    const isOurs =
      cause instanceof AppError &&
      !['data.full', 'interrupted', 'data.unwritable', 'backup.key_missing'].includes(cause.code);
    if (!isOurs) throw cause;
    drill.problems.push(cause.message);
  } finally {
    removeScratch(scratch);
  }
  const tookMs = Math.round(performance.now() - beganMs);
  const receipt: DrillReceipt = {
    runId,
    backupId: source.info.id,
    backupName: source.info.name,
    outcome: drill.problems.length === 0 ? 'ok' : 'failed',
    ...drill,
    problems: drill.problems.slice(0, MOST_PROBLEMS),
    startedMs,
    minutes: Math.round((tookMs / 60_000) * 100) / 100,
  };
  return { receipt, finishedMs: startedMs + tookMs };
}

/** Removes what killed drills left. For the start. */
export function clearDrills(dataFolder: string): void {
  removeScratch(join(dataFolder, 'drill'));
}

/** The newest restore that was proven; null when none ever was. */
export function lastProvenRestore(runs: RunStore): { readonly atMs: number; readonly receipt: DrillReceipt } | null {
  const run = runs.newest(KIND, 'ok');
  return run === undefined ? null : { atMs: run.finishedMs, receipt: run.data as unknown as DrillReceipt };
}

async function restoreAll(
  source: BackupSource,
  scratch: string,
  deps: DrillDeps,
  options: RestoreOptions,
): Promise<void> {
  // A journal of its own, in the scratch folder: a drill is nothing to undo.
  const journalFolder = join(scratch, 'journal');
  mkdirSync(journalFolder);
  const restorer = createRestorer({
    dataFolder: journalFolder,
    nowMs: deps.nowMs,
    exclusive: createExclusive(),
    keepSafe: async () => undefined,
    pauseWatching: async () => async () => undefined,
    records: null,
  });
  const prepared = await restorer.prepare(source, {
    target: { kind: 'folder', folder: join(scratch, 'files') },
    only: [],
    tables: [],
    withFiles: true,
    allowRedacted: true,
    autoMigrate: false,
  });
  await restorer.apply(source, prepared, options);
}

async function compareAll(
  source: BackupSource,
  scratch: string,
  drill: { files: number; bytes: number; comparedWithVault: number; contentSha256: string; problems: string[] },
  deps: DrillDeps,
  signal: AbortSignal | undefined,
): Promise<void> {
  const entries = [...source.entries()];
  const places = new Map(
    choosePlaces(source.roots, entries, { kind: 'folder', folder: join(scratch, 'files') }).map((place) => [
      place.rootId,
      place.folder,
    ]),
  );
  const lines: string[] = [];
  for (const entry of entries) {
    signal?.throwIfAborted();
    if (entry.kind !== 'file') continue;
    const path = `${places.get(entry.rootId)}/${entry.path}`;
    const problem = await compareOne(entry, path, deps, drill);
    if (problem !== null) drill.problems.push(`${displayPath(entry.path)} ${problem}`);
    drill.files += 1;
    drill.bytes += entry.sizeBytes;
    lines.push(`${entryKey(entry)} ${entry.sha256}`);
  }
  drill.contentSha256 = createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

async function compareOne(
  entry: SourceEntry,
  path: string,
  deps: DrillDeps,
  drill: { comparedWithVault: number },
): Promise<string | null> {
  const stat = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return 'did not come back';
  if (entry.mode !== null && (Number(stat.mode) & 0o7777) !== entry.mode) return 'came back with another mode';
  if (entry.mtimeUs !== null && Number(stat.mtimeNs / 1_000n) !== entry.mtimeUs) return 'came back with another time';
  const vault = entry.sha256 === null ? null : deps.vaultContent(entry.sha256, entry.sizeBytes);
  if (vault === null) return hashFileSync(path) === entry.sha256 ? null : 'came back with other bytes';
  drill.comparedWithVault += 1;
  return (await compareWithFile(vault, path)) ? null : 'came back with other bytes than those in the vault';
}

async function countRows(
  source: BackupSource,
  table: BackupSource['tables'][number],
  problems: string[],
): Promise<number> {
  let rows = 0;
  for await (const _ of source.rows(table.name)) rows += 1;
  if (rows !== table.recordCount)
    problems.push(`the table ${table.name} has ${rows} rows instead of ${table.recordCount}`);
  return rows;
}

function removeScratch(folder: string): void {
  rmSync(fsPath(folder), { recursive: true, force: true, maxRetries: 3 });
}
