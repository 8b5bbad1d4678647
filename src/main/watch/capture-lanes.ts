import { joinPath, splitPath } from '../path-names.ts';
import type { IndexedFile, Seen } from '../store/captures.ts';
import type { Candidate } from './capture-paths.ts';
import { isGone, type ReadOutcome, readPaths } from './read-paths.ts';
import { type GoneFile, matchRenames } from './renames.ts';
import type { RootContext } from './root-context.ts';

export type LaneOptions = {
  /** The next files to read; null when there are no more. May throw: what was read until then is recorded. */
  readonly next: () => Promise<readonly Candidate[] | null>;
  /** Files that are gone; those that turn out to be renamed are taken out. */
  readonly gone: Map<string, IndexedFile>;
  /** After each transaction. */
  readonly onRecorded?: (files: number, bytes: number) => void;
};

const COMMIT_FILES = 3_000;
const COMMIT_BYTES = 32_000_000;

/**
 * Reads in several lanes and records together what they read: one durable transaction costs the disk as much as
 * hundreds of files cost the processor. Rejects with the first failure, after the last lane has ended.
 */
export async function captureInLanes(context: RootContext, options: LaneOptions): Promise<void> {
  let read: ReadChunk[] = [];
  let files = 0;
  let bytes = 0;
  let recording: Promise<void> = Promise.resolve();
  let hasFailed = false;
  const recordAll = (): Promise<void> => {
    const batch = { read, files, bytes };
    read = [];
    files = 0;
    bytes = 0;
    const work = async (): Promise<void> => {
      await record(context, batch.read, options.gone);
      options.onRecorded?.(batch.files, batch.bytes);
    };
    // In the order in which they were read, also after a failure: each batch must end its reading.
    recording = recording.then(work, work);
    return recording;
  };
  const lane = async (): Promise<void> => {
    for (let chunk = await options.next(); chunk !== null && !hasFailed; chunk = await options.next()) {
      // In two steps: another lane may put a new list into `read` while this one waits.
      const done = await readChunk(context, chunk);
      read.push(done);
      files += chunk.length;
      bytes += chunk.reduce((sum, candidate) => sum + candidate.stat.sizeBytes, 0);
      if (files >= COMMIT_FILES || bytes >= COMMIT_BYTES) await recordAll();
    }
  };
  const untilFailure = async (): Promise<void> => {
    try {
      await lane();
    } catch (cause) {
      hasFailed = true;
      throw cause;
    }
  };
  // Two jobs for each worker: one is read while the results of the other are recorded.
  const lanes = await Promise.allSettled(Array.from({ length: context.parts.pool.width * 2 }, untilFailure));
  // After the last lane has ended, also when one failed: what was read is whole.
  if (read.length > 0) await recordAll();
  for (const each of lanes) if (each.status === 'rejected') throw each.reason;
}

/** A chunk that was read and is not recorded yet. */
type ReadChunk = { readonly chunk: readonly Candidate[]; readonly outcome: ReadOutcome };

/** Marks the paths as being read; {@link record} ends that, or a failure here. */
async function readChunk(context: RootContext, chunk: readonly Candidate[]): Promise<ReadChunk> {
  for (const { path } of chunk) context.reading.add(path);
  try {
    return { chunk, outcome: await readPaths(context, chunk) };
  } catch (cause) {
    endReading(context, chunk);
    throw cause;
  }
}

/** Records what was read, in one transaction; what changed meanwhile goes back to the coalescer. */
async function record(context: RootContext, read: readonly ReadChunk[], gone: Map<string, IndexedFile>): Promise<void> {
  try {
    const seen = read.flatMap(({ outcome }) => outcome.seen);
    const packs = packsOf(seen);
    // Before the vault refers to them.
    if (packs.size > 0) await context.parts.pool.sync(packs);
    context.commit(withRenames(context, seen, gone));
    const nowMs = context.parts.monotonicMs();
    const untilMs = nowMs + context.parts.limits().quietMs;
    for (const { outcome } of read) {
      for (const { path, firstMs } of outcome.busy) context.coalescer.postpone(path, firstMs, untilMs);
      for (const path of outcome.gone) context.coalescer.note(path, nowMs);
    }
  } finally {
    for (const { chunk } of read) endReading(context, chunk);
  }
}

function endReading(context: RootContext, chunk: readonly Candidate[]): void {
  for (const { path } of chunk) context.reading.delete(path);
  context.wake();
}

function packsOf(seen: readonly Seen[]): Set<number> {
  const packs = new Set<number>();
  for (const each of seen) {
    const place = each.kind === 'content' ? each.content.place : undefined;
    if (typeof place === 'object') packs.add(place.pack);
  }
  return packs;
}

/** Marks new files whose content is that of a file that is gone; takes those out of `gone`. */
function withRenames(context: RootContext, seen: readonly Seen[], gone: Map<string, IndexedFile>): readonly Seen[] {
  if (gone.size === 0) return seen;
  const left: GoneFile[] = [];
  const contents = new Set(
    seen.flatMap((each) => (each.kind === 'content' ? each.content.sha256.toString('hex') : [])),
  );
  for (const [path, file] of gone) {
    if (file.sha256 === null || !contents.has(file.sha256)) continue;
    // It may be back since it was found gone: then it was no rename.
    if (isGone(context.rootPath, path)) left.push({ path, sha256: file.sha256, inode: file.inode });
  }
  const appeared: GoneFile[] = [];
  for (const each of seen) {
    if (each.kind !== 'content' || isPresent(context, each)) continue;
    appeared.push({
      path: joinPath(each.dir, each.name),
      sha256: each.content.sha256.toString('hex'),
      inode: each.stat.inode,
    });
  }
  const from = new Map(matchRenames(left, appeared).map((rename) => [rename.to, rename.from]));
  for (const path of from.values()) gone.delete(path);
  return seen.map((each) => {
    const origin = from.get(joinPath(each.dir, each.name));
    return each.kind === 'content' && origin !== undefined ? { ...each, renamedFrom: splitPath(origin) } : each;
  });
}

function isPresent(context: RootContext, file: { readonly dir: string; readonly name: string }): boolean {
  return context.parts.captures.find(context.rootId, file.dir, file.name)?.state === 'present';
}
