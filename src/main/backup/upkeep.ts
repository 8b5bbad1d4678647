/** What keeps backups healthy: old archives go, and backups are proven by restoring them. */
import { basename } from 'node:path';
import type { DestinationKind, DrillReceipt as DrillView } from '../../shared/contract-backup.ts';
import type { RunStore, StoredRun } from '../store/runs.ts';
import { parseArchiveName } from './archive-format.ts';
import type { Archives } from './archives.ts';
import { BUCKET_FOLDERS, type Bucket } from './bucket.ts';
import { type Catalog, type FoundBackup, placeOf } from './catalog.ts';
import { type DrillDeps, type DrillOutcome, type DrillReceipt, drillBackup, noteDrill } from './drill.ts';
import type { KeySource } from './key-source.ts';
import type { Memory } from './memory.ts';
import type { Operations } from './operation.ts';
import type { RestoreOptions } from './restore-types.ts';
import { type KeptBackup, prune, type RetentionRemote, type RetentionRules } from './retention.ts';
import type { BackupTasks } from './tasks.ts';

export type UpkeepDeps = {
  readonly archives: Archives;
  readonly bucket: () => Promise<Bucket | null>;
  readonly catalog: Catalog;
  readonly memory: Memory;
  readonly operations: Operations;
  readonly drill: DrillDeps;
  readonly runs: RunStore;
  readonly keys: KeySource;
  readonly tasks: BackupTasks | null;
  readonly rules: () => RetentionRules;
  readonly nowMs: () => number;
};

export type Pruned = {
  readonly removed: { at: DestinationKind; id: string; reason: string }[];
  readonly kept: number;
  readonly skipped: { at: DestinationKind; reason: string }[];
};

/** Looks at the folder of archives and at the bucket. The repository keeps everything: it is append-only. */
export async function pruneAll(deps: UpkeepDeps, isDryRun: boolean, signal: AbortSignal): Promise<Pruned> {
  const pruned: Pruned & { kept: number } = { removed: [], kept: 0, skipped: [] };
  const places: [DestinationKind, () => Promise<RetentionRemote | null>][] = [
    ['folder', async () => deps.archives.kept],
    ['supabase', async () => bucketRemote(await deps.bucket(), deps, signal)],
  ];
  for (const [at, open] of places) {
    try {
      const remote = await open();
      if (remote === null) continue;
      const result = await prune(remote, { rules: deps.rules(), nowMs: deps.nowMs(), isDryRun, signal });
      const gone = isDryRun ? result.remove.map(({ id }) => id) : result.removed;
      pruned.removed.push(...gone.map((id) => ({ at, id, reason: 'it is older than its class is kept' })));
      pruned.kept += result.keep.length;
      const isEmpty = result.keep.length + result.remove.length === 0;
      if (result.refused !== null && !isEmpty) pruned.skipped.push({ at, reason: result.refused });
      pruned.skipped.push(...result.failed.map(({ id, reason }) => ({ at, reason: `${id}: ${reason}` })));
      if (result.refused?.startsWith('the listing failed') === true)
        pruned.skipped.push({ at, reason: result.refused });
    } catch (cause) {
      pruned.skipped.push({ at, reason: cause instanceof Error ? cause.message : String(cause) });
    }
  }
  if (!isDryRun) deps.memory.update({ lastPruneAtMs: deps.nowMs() });
  return pruned;
}

function bucketRemote(bucket: Bucket | null, { memory }: UpkeepDeps, signal: AbortSignal): RetentionRemote | null {
  if (bucket === null) return null;
  const known = new Set(memory.destination('supabase', bucket.place).archives.map(String));
  return {
    list: async () => {
      const lists = await Promise.all(BUCKET_FOLDERS.map((folder) => bucket.list(folder, signal)));
      return lists.flat().flatMap(({ name, sizeBytes }): KeptBackup[] => {
        const parsed = parseArchiveName(basename(name));
        if (parsed === null) return [];
        const isOurs = known.has(basename(name));
        const backupClass = name.startsWith('daily/') ? 'daily' : 'manual';
        // What another device put there is not ours to remove.
        return [
          { id: name, backupClass, createdAtMs: parsed.createdAtMs, sizeBytes, isVerified: isOurs, isPinned: !isOurs },
        ];
      });
    },
    remove: async (name) => void (await bucket.remove([name], signal)),
  };
}

/** Restores a backup (the newest unless named) into a scratch folder and notes what came of it. */
export async function drillOnce(deps: UpkeepDeps, name: string, signal: AbortSignal): Promise<DrillView> {
  deps.memory.update({ lastDrillTryAtMs: deps.nowMs() });
  const found = await deps.catalog.find(name);
  return deps.operations.show('drill', async (report) => {
    const outcome = await drillFound(found, deps, {
      signal,
      onProgress: ({ phase, done, all }) => report({ phase, doneItems: done, totalItems: all }),
    });
    noteDrill(deps.runs, outcome);
    const { receipt } = outcome;
    if (receipt.outcome === 'ok') noteVerified(deps.memory, deps.catalog.item(found).id, deps.nowMs());
    return viewDrill(receipt, receipt.minutes * 60_000);
  });
}

async function drillFound(found: FoundBackup, deps: UpkeepDeps, options: RestoreOptions): Promise<DrillOutcome> {
  const { tasks, keys, nowMs } = deps;
  if (tasks !== null) {
    const job = { dataFolder: deps.drill.dataFolder, secret: keys.current()?.secret ?? null, place: placeOf(found) };
    return tasks.drill({ ...job, nowMs: nowMs() }, options);
  }
  const source = await deps.catalog.open(found);
  try {
    return await drillBackup(source, deps.drill, options);
  } finally {
    await source.close();
  }
}

export function noteVerified(memory: Memory, id: string, atMs: number): void {
  memory.update({ verified: { ...memory.read().verified, [id]: atMs } });
}

export type Drills = { readonly last: DrillView | null; readonly provenAtMs: number | null };

export function readDrills(runs: RunStore): Drills {
  const [last] = runs.list('drill', 1);
  const proven = runs.newest('drill', 'ok');
  return { last: last === undefined ? null : viewRun(last), provenAtMs: proven?.finishedMs ?? null };
}

function viewRun(run: StoredRun): DrillView {
  return viewDrill(run.data as unknown as DrillReceipt, run.finishedMs - run.startedMs);
}

function viewDrill(receipt: DrillReceipt, durationMs: number): DrillView {
  return {
    runId: receipt.runId,
    backupId: receipt.backupId,
    startedAtMs: receipt.startedMs,
    durationMs,
    files: receipt.files,
    bytes: receipt.bytes,
    rows: receipt.rows,
    differences: [...receipt.problems],
    passed: receipt.outcome === 'ok',
  };
}
