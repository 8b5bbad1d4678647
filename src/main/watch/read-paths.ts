import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { fsPath, splitPath } from '../path-names.ts';
import type { FileStat, Seen } from '../store/captures.ts';
import { OBJECT_THRESHOLD_BYTES } from '../store/contents.ts';
import type { Candidate } from './capture-paths.ts';
import { isSameVersion, type ReadResult, readSmall, toFileStat } from './read-file.ts';
import type { RootContext } from './root-context.ts';

/** What one job of a worker is: neither starves it nor floods the memory. */
export const CHUNK_FILES = 512;
export const CHUNK_BYTES = 8 * OBJECT_THRESHOLD_BYTES;
/** Up to this much is read without a worker: starting one would take longer. */
const INLINE_FILES = 8;
const INLINE_BYTES = 524_288;

export type ReadOutcome = {
  readonly seen: readonly Extract<Seen, { kind: 'content' | 'skipped' }>[];
  /** Changed while they were read. */
  readonly busy: readonly Candidate[];
  readonly gone: readonly string[];
};

/**
 * Reads files that may have changed, in this thread when they are few and small, else in the workers.
 * Rejects with `data.full` and the like; nothing is recorded here.
 */
export async function readPaths(context: RootContext, candidates: readonly Candidate[]): Promise<ReadOutcome> {
  const { parts, rootPath } = context;
  const maxBytes = parts.limits().maxFileBytes;
  const paths = candidates.map((candidate) => join(rootPath, candidate.path));
  const results = isSmall(candidates)
    ? readInline(paths, maxBytes, parts.dataFolder)
    : await parts.pool.read(paths, maxBytes);
  const seen: Extract<Seen, { kind: 'content' | 'skipped' }>[] = [];
  const busy: Candidate[] = [];
  const gone: string[] = [];
  const { half, endless } = findHalfWritten(context, candidates, results);
  for (const [index, candidate] of candidates.entries()) {
    const result = results[index];
    if (result === undefined || result.kind === 'busy' || half.has(candidate.path)) busy.push(candidate);
    else if (result.kind === 'gone') gone.push(candidate.path);
    else if (result.kind === 'skipped')
      seen.push({ kind: 'skipped', ...splitPath(candidate.path), stat: result.stat, reason: result.reason });
    else
      seen.push({
        kind: 'content',
        ...splitPath(candidate.path),
        stat: result.stat,
        content: result.content,
        renamedFrom: null,
        stillOpen: candidate.stillOpen || endless.has(candidate.path),
      });
  }
  return { seen, busy, gone };
}

/**
 * Which of those read may be half of a version. Nobody had these files open when they were looked at; what is unchanged
 * since then is whole. Of the others only that is whole which nobody has open now, and which nobody touched since it
 * was read.
 */
function findHalfWritten(
  { parts, rootPath }: RootContext,
  candidates: readonly Candidate[],
  results: readonly ReadResult[],
): { readonly half: ReadonlySet<string>; readonly endless: ReadonlySet<string> } {
  const endless = new Set<string>();
  const changed = new Map<string, FileStat>();
  const nowMs = parts.monotonicMs();
  for (const [index, { path, stat, firstMs, stillOpen }] of candidates.entries()) {
    const result = results[index];
    if (result?.kind !== 'content') continue;
    if (isSameVersion(result.stat, stat) && !isJustEmptied(parts, stat)) continue;
    // What is written without end is captured as it is, after a while.
    if (stillOpen || nowMs - firstMs >= parts.limits().openFileWaitMs) endless.add(path);
    else changed.set(path, result.stat);
  }
  const open = parts.writers.openForWriting(new Set([...changed.keys()].map((path) => join(rootPath, path))));
  const half = new Set<string>();
  for (const [path, stat] of changed) {
    const now = lookAt(rootPath, path);
    if (open.has(join(rootPath, path)) || typeof now === 'string' || !isSameVersion(now.stat, stat)) half.add(path);
    else if (isJustEmptied(parts, stat)) half.add(path);
  }
  return { half, endless };
}

/**
 * open(2) with O_TRUNC empties a file before the file shows as open in /proc; in between it may wait for the journal of
 * the file system, for more than 60 ms where somebody syncs (2 of 10,000 slow saves were captured empty).
 */
const EMPTY_WAIT_MS = 2_000;

function isJustEmptied({ wallMs }: RootContext['parts'], stat: FileStat): boolean {
  const ageMs = wallMs() - stat.ctimeUs / 1_000;
  // Times of files are finer than ours; one far in the future says nothing.
  return stat.sizeBytes === 0 && ageMs > -1_000 && ageMs < EMPTY_WAIT_MS;
}

function isSmall(candidates: readonly Candidate[]): boolean {
  if (candidates.length > INLINE_FILES) return false;
  return candidates.reduce((sum, candidate) => sum + candidate.stat.sizeBytes, 0) <= INLINE_BYTES;
}

function readInline(paths: readonly string[], maxBytes: number, dataFolder: string): ReadResult[] {
  return paths.map((path) => {
    const result = readSmall({ path, maxBytes, dataFolder });
    // It grew beyond what is read here: its next event finds it large.
    return result === 'large' ? { kind: 'busy' } : result;
  });
}

export type OnDisk = { readonly kind: 'file' | 'folder' | 'symlink' | 'special'; readonly stat: FileStat };

/** Folders that were found to lie behind a link or not, for looks right after each other. */
export type LinkedFolders = Map<string, boolean>;

/** What lies at a path; `gone` when nothing or behind a link, `unreadable` when a folder above cannot be searched. */
export function lookAt(
  rootPath: string,
  path: string,
  linked: LinkedFolders = new Map(),
): OnDisk | 'gone' | 'unreadable' {
  try {
    const stats = lstatSync(fsPath(join(rootPath, path)), { bigint: true });
    const kind = stats.isFile()
      ? 'file'
      : stats.isDirectory()
        ? 'folder'
        : stats.isSymbolicLink()
          ? 'symlink'
          : 'special';
    return isBehindLink(rootPath, splitPath(path).dir, linked) ? 'gone' : { kind, stat: toFileStat(stats) };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'gone' : 'unreadable';
  }
}

/** What a linked folder shows lies elsewhere: it is none of this root. Throws the system's error. */
function isBehindLink(rootPath: string, dir: string, linked: LinkedFolders): boolean {
  if (dir === '') return false;
  const known = linked.get(dir);
  if (known !== undefined) return known;
  const is =
    lstatSync(fsPath(join(rootPath, dir))).isSymbolicLink() || isBehindLink(rootPath, splitPath(dir).dir, linked);
  linked.set(dir, is);
  return is;
}

/** Whether the file that was at a path is gone: nothing is there now, or a folder is. */
export function isGone(rootPath: string, path: string): boolean {
  const found = lookAt(rootPath, path);
  return found === 'gone' || (typeof found === 'object' && found.kind === 'folder');
}

/** Cuts work for the workers into pieces that neither starve nor flood them. */
export function* inChunks(candidates: readonly Candidate[]): Generator<readonly Candidate[]> {
  let chunk: Candidate[] = [];
  let bytes = 0;
  for (const candidate of candidates) {
    if (chunk.length > 0 && (chunk.length >= CHUNK_FILES || bytes + candidate.stat.sizeBytes > CHUNK_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(candidate);
    bytes += candidate.stat.sizeBytes;
  }
  if (chunk.length > 0) yield chunk;
}
