/** One scan of a root or a part of it: find what changed, capture it, decide about what is gone. */
import { AppError } from '../../shared/errors.ts';
import type { RootHold, ScanProgress, ScanResult } from '../../shared/model.ts';
import { splitPath } from '../path-names.ts';
import type { CaptureCounts, IndexedFile, Seen } from '../store/captures.ts';
import { type CandidateQueue, createCandidateQueue } from './candidate-queue.ts';
import { captureAll } from './capture-all.ts';
import { mustHold } from './hold.ts';
import { createProgressMeter, type ProgressMeter } from './progress.ts';
import { isGone } from './read-paths.ts';
import type { RootContext } from './root-context.ts';
import { folderIdentity } from './root-path.ts';
import { type ScanEnd, type ScanFindings, type ScanRequest, scanTree } from './scan.ts';
import { scanInThreads } from './scan-threads.ts';

export type RootScanOptions = {
  /** Relative to the root, none inside another; '' scans all of it. */
  readonly dirs: readonly string[];
  readonly deep: boolean;
  /** A person said that the deletions are meant. */
  readonly acceptDeletes: boolean;
  /** The identity at the last good scan; null at the first. */
  readonly knownIdentity: string | null;
  readonly onProgress: (progress: ScanProgress) => void;
  readonly signal: AbortSignal;
  /** Called once before anything is listed, while the thread that will list it starts. */
  readonly beforeListing?: () => void;
};

export type RootScanOutcome = {
  readonly result: ScanResult;
  readonly hold: RootHold | null;
  readonly end: ScanEnd;
  readonly identity: string;
};

const COMMIT_CHUNK = 1_000;
const HOLD_SAMPLE = 10;
/** Known files from which a second thread is worth its start. A first scan needs the processors for reading. */
const TWO_THREADS_FROM = 20_000;

type Found = {
  readonly candidates: CandidateQueue;
  readonly gone: Map<string, IndexedFile>;
  /** Of the index but never captured, and not there any more: nothing is lost with them. */
  readonly forgotten: string[];
  unchanged: number;
  skipped: number;
};

/**
 * Scans, captures what changed, and records deletions unless they must be held.
 * Rejects with `root.missing` when the folder goes away meanwhile (nothing counts as deleted then), with `data.full`
 * when the disk is full, and with `interrupted` after `signal`. Safe to repeat.
 */
export async function scanRoot(context: RootContext, options: RootScanOptions): Promise<RootScanOutcome> {
  const { parts, rootId, rootPath } = context;
  const startMs = parts.monotonicMs();
  const identity = identityOrThrow(rootPath);
  const total = createCounts();
  const counting: RootContext = { ...context, commit: (seen) => addCounts(total, context.commit(seen)) };
  const meter = createProgressMeter(rootId, rootPath, startMs);
  const before = parts.captures.countPresent(rootId);

  const found: Found = { candidates: createCandidateQueue(), gone: new Map(), forgotten: [], unchanged: 0, skipped: 0 };
  const listing = find(counting, options, found, meter, before).finally(found.candidates.end);
  const capture = (): Promise<void> => captureAll(counting, { ...options, ...found, meter });
  // Nothing can have been renamed in a first scan: reading begins while the tree is still being listed.
  const capturing = before === 0 ? capture() : listing.then(capture, () => undefined);
  const [listed, captured] = await Promise.allSettled([listing, capturing]);
  if (listed.status === 'rejected') throw listed.reason;
  if (captured.status === 'rejected') throw captured.reason;
  const end = listed.value;

  if (identityOrThrow(rootPath) !== identity)
    throw new AppError('root.missing', `${rootPath} was replaced during the scan.`);
  const gone = [...found.gone.keys()].filter((path) => isGone(rootPath, path));
  const facts = {
    deletes: gone.length,
    total: before,
    identityChanged: options.knownIdentity !== null && options.knownIdentity !== identity,
  };
  const { holdOver, holdShare } = parts.limits();
  const held = !options.acceptDeletes && mustHold(facts, { over: holdOver, share: holdShare });
  const recorded = held ? found.forgotten : [...found.forgotten, ...gone];
  for (let from = 0; from < recorded.length; from += COMMIT_CHUNK) {
    counting.commit(
      recorded.slice(from, from + COMMIT_CHUNK).map((path): Seen => ({ kind: 'gone', ...splitPath(path) })),
    );
  }
  meter.finish();
  options.onProgress(meter.at(parts.monotonicMs()));
  const hold = held
    ? { deletes: gone.length, total: before, sinceMs: parts.wallMs(), sample: gone.slice(0, HOLD_SAMPLE) }
    : null;
  const { bytes, unchanged, skipped, ...changes } = total;
  const result: ScanResult = {
    rootId,
    root: rootPath,
    ...changes,
    files: found.unchanged + found.candidates.pushed(),
    unchanged: unchanged + found.unchanged,
    skipped: skipped + found.skipped,
    capturedBytes: bytes,
    heldDeletes: held ? gone.length : 0,
    durationMs: parts.monotonicMs() - startMs,
  };
  return { result, hold, end, identity };
}

/** Finds changes. Worth a thread of its own for a tree; one folder is looked at right here. */
async function find(
  context: RootContext,
  options: RootScanOptions,
  found: Found,
  meter: ProgressMeter,
  known: number,
): Promise<ScanEnd> {
  const { parts, rootId, rootPath } = context;
  const request: ScanRequest = {
    rootId,
    rootPath,
    dirs: options.dirs,
    deep: options.deep,
    maxBytes: parts.limits().maxFileBytes,
  };
  const report = (findings: ScanFindings): void => take(context, findings, found, meter);
  if (options.deep) {
    const { signal, beforeListing } = options;
    const job = { dataFolder: parts.dataFolder, request, ignore: context.ignoreOptions };
    return scanInThreads(job, { threads: known >= TWO_THREADS_FROM ? 2 : 1, report, signal, beforeListing });
  }
  options.beforeListing?.();
  return scanTree(request, { index: parts.index, ignore: context.ignore, share: null, report });
}

function take(context: RootContext, findings: ScanFindings, found: Found, meter: ProgressMeter): void {
  const { parts, rootId } = context;
  const nowMs = parts.monotonicMs();
  const settledUs = (parts.wallMs() - parts.limits().quietMs) * 1_000;
  found.unchanged += findings.unchangedFiles;
  found.skipped += findings.skippedFiles - findings.skipped.length;
  const seen: Seen[] = findings.skipped.map((each) => ({ kind: 'skipped', ...each }));
  for (const { path, stat } of findings.changed) {
    // What is written right now, or waits already, takes the way of events. A time in the future says nothing.
    if (context.coalescer.has(path) || context.reading.has(path)) continue;
    if (stat.mtimeUs > settledUs && stat.mtimeUs <= parts.wallMs() * 1_000) context.coalescer.note(path, nowMs);
    else {
      found.candidates.push({ path, stat, firstMs: nowMs, stillOpen: false });
      meter.list(1, stat.sizeBytes);
    }
  }
  for (const { path, why, wasPresent } of findings.gone) {
    const { dir, name } = splitPath(path);
    const known = parts.captures.find(rootId, dir, name);
    if (known === undefined) continue;
    if (why === 'excluded') seen.push({ kind: 'skipped', dir, name, stat: known, reason: 'file.excluded' });
    else if (wasPresent) found.gone.set(path, known);
    else found.forgotten.push(path);
  }
  context.commit(seen);
  context.wake();
}

function identityOrThrow(rootPath: string): string {
  const identity = folderIdentity(rootPath);
  if (identity === null) throw new AppError('root.missing', `${rootPath} is not there.`);
  return identity;
}

function createCounts(): CaptureCounts {
  return { created: 0, modified: 0, renamed: 0, deleted: 0, unchanged: 0, skipped: 0, bytes: 0 };
}

function addCounts(total: CaptureCounts, counts: CaptureCounts): CaptureCounts {
  for (const key of Object.keys(counts) as (keyof CaptureCounts)[]) total[key] += counts[key];
  return counts;
}
