/** From paths that something happened to, to what is recorded of them. */
import { join } from 'node:path';
import { joinPath, splitPath } from '../path-names.ts';
import type { FileStat, IndexedFile, Seen } from '../store/captures.ts';
import { captureInLanes } from './capture-lanes.ts';
import type { DuePath } from './coalesce.ts';
import { IGNORE_FILES } from './ignore-rules.ts';
import { isSameVersion, NO_STAT } from './read-file.ts';
import { inChunks, type LinkedFolders, lookAt } from './read-paths.ts';
import type { RootContext } from './root-context.ts';

export type Candidate = {
  readonly path: string;
  /** As it was before anybody looked who has it open: read in another state, it is looked at again. */
  readonly stat: FileStat;
  readonly firstMs: number;
  /** A program has it open and does not close it: it is captured as it is. */
  readonly stillOpen: boolean;
};

type Sorted = {
  readonly toRead: Candidate[];
  readonly gone: Map<string, IndexedFile>;
  readonly seen: Seen[];
  readonly rulesChangedIn: string[];
  /** Whether files are known in a folder below this one, asked once for all files of a burst. */
  readonly hasBelow: Map<string, boolean>;
};

/**
 * Captures the current state of some paths. What is being written goes back to the coalescer. Files that are gone are
 * put into `gone`, and those there that turn out to be renamed are taken out; the caller decides about the rest.
 * Returns the folders whose ignore rules changed: they are to be scanned. Safe to repeat.
 */
export async function capturePaths(
  context: RootContext,
  due: readonly DuePath[],
  gone: Map<string, IndexedFile>,
): Promise<readonly string[]> {
  const sorted: Sorted = { toRead: [], gone, seen: [], rulesChangedIn: [], hasBelow: new Map() };
  // What is read is opened where it seems to be, or not at all: in between a folder may become a link.
  const linked: LinkedFolders = new Map();
  for (const { path, firstMs } of due) sortPath(context, path, firstMs, sorted, linked);
  context.commit(sorted.seen);
  const ready = holdBackOpenFiles(context, sorted.toRead);
  const chunks = inChunks(ready)[Symbol.iterator]();
  await captureInLanes(context, { next: async () => chunks.next().value ?? null, gone });
  return sorted.rulesChangedIn;
}

function sortPath(context: RootContext, path: string, firstMs: number, sorted: Sorted, linked: LinkedFolders): void {
  const { parts, rootId, rootPath } = context;
  const { dir, name } = splitPath(path);
  const known = parts.captures.find(rootId, dir, name);
  const found = lookAt(rootPath, path, linked);
  if ((IGNORE_FILES as readonly string[]).includes(name)) {
    context.ignore.forget(dir);
    sorted.rulesChangedIn.push(dir);
  }
  if (found === 'gone') {
    if (known?.state === 'present') sorted.gone.set(path, known);
    else if (known?.state === 'skipped') sorted.seen.push({ kind: 'gone', dir, name });
    loseBelow(context, path, sorted);
  } else if (found === 'unreadable') {
    if (known !== undefined || !context.ignore.ignoresPath(path, false))
      sorted.seen.push({ kind: 'skipped', dir, name, stat: known ?? NO_STAT, reason: 'file.unreadable' });
  } else if (context.ignore.ignoresPath(path, found.kind === 'folder')) {
    if (known?.state === 'present')
      sorted.seen.push({ kind: 'skipped', dir, name, stat: found.stat, reason: 'file.excluded' });
  } else if (found.kind === 'folder') {
    if (known?.state === 'present') sorted.gone.set(path, known);
  } else if (found.kind === 'symlink' || found.kind === 'special') {
    if (known?.state !== 'present') loseBelow(context, path, sorted);
    sorted.seen.push({
      kind: 'skipped',
      dir,
      name,
      stat: found.stat,
      reason: found.kind === 'symlink' ? 'file.symlink' : 'file.special',
    });
  } else if (found.stat.sizeBytes > parts.limits().maxFileBytes) {
    sorted.seen.push({ kind: 'skipped', dir, name, stat: found.stat, reason: 'file.too_large' });
  } else if (known?.state !== 'present' || !isSameVersion(known, found.stat)) {
    if (known?.state !== 'present') loseBelow(context, path, sorted);
    sorted.toRead.push({ path, stat: found.stat, firstMs, stillOpen: false });
  }
}

/** What lay below a path is gone when the path is no folder any more. */
function loseBelow({ parts, rootId }: RootContext, path: string, sorted: Sorted): void {
  const { dir } = splitPath(path);
  let hasBelow = sorted.hasBelow.get(dir);
  if (hasBelow === undefined) {
    hasBelow = parts.captures.hasPresentBelow(rootId, dir);
    sorted.hasBelow.set(dir, hasBelow);
  }
  if (!hasBelow) return;
  for (const file of parts.captures.presentBelow(rootId, path)) sorted.gone.set(joinPath(file.dir, file.name), file);
}

/** Puts files back that a program has open for writing, unless it keeps them open for too long. */
function holdBackOpenFiles(context: RootContext, candidates: readonly Candidate[]): Candidate[] {
  const { parts, rootPath } = context;
  const open = parts.writers.openForWriting(new Set(candidates.map((candidate) => join(rootPath, candidate.path))));
  const nowMs = parts.monotonicMs();
  const { quietMs, openFileWaitMs } = parts.limits();
  const ready: Candidate[] = [];
  for (const candidate of candidates) {
    if (!open.has(join(rootPath, candidate.path))) {
      ready.push(candidate);
      continue;
    }
    const waitedMs = nowMs - candidate.firstMs;
    if (waitedMs >= openFileWaitMs) ready.push({ ...candidate, stillOpen: true });
    // Closing sends no event: look again, less often the longer it takes.
    else
      context.coalescer.postpone(
        candidate.path,
        candidate.firstMs,
        nowMs + Math.min(2_000, Math.max(quietMs, waitedMs / 4)),
      );
  }
  return ready;
}
