/** Compares a folder tree with the file index: what changed, what is gone. Reads names and stats, never contents. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { SkipReason } from '../../shared/model.ts';
import { fsPath, joinPath } from '../path-names.ts';
import type { FileStat } from '../store/captures.ts';
import type { IndexReader, KnownFile } from '../store/index-reader.ts';
import type { IgnoreRules } from './ignore-rules.ts';
import { type Entry, listFolder } from './list-folder.ts';
import { NO_STAT, toFileStat } from './read-file.ts';
import type { ScanShare } from './scan-share.ts';

export type ScanRequest = {
  readonly rootId: number;
  readonly rootPath: string;
  /** The folders to scan, relative to the root and none inside another; '' for all of it. */
  readonly dirs: readonly string[];
  /** False looks at these folders only, not at those below. */
  readonly deep: boolean;
  readonly maxBytes: number;
};

/** What a scan finds, in pieces, so that capturing starts before it ends. */
export type ScanFindings = {
  /** Files to read: new, or of another stat than the index has. */
  readonly changed: { readonly path: string; readonly stat: FileStat }[];
  readonly skipped: {
    readonly dir: string;
    readonly name: string;
    readonly stat: FileStat;
    readonly reason: SkipReason;
  }[];
  /** Files of the index that are not on the disk, or are excluded now. */
  readonly gone: { readonly path: string; readonly why: 'missing' | 'excluded'; readonly wasPresent: boolean }[];
  unchangedFiles: number;
  skippedFiles: number;
};

export type ScanEnd = {
  readonly folders: number;
  /** Folders that could not be read; nothing below them counts as gone. */
  readonly unreadable: readonly string[];
  /** What the listing alone took, without the start of a thread and without any capture. */
  readonly durationMs: number;
};

const FLUSH_AT = 512;

/**
 * Walks depth first; calls `report` with at most some hundred findings at a time.
 * A folder that cannot be read is listed and its known files stay as they are. Throws when no file can be opened at all.
 */
export function scanTree(
  request: ScanRequest,
  parts: {
    readonly index: IndexReader;
    readonly ignore: IgnoreRules;
    readonly report: (findings: ScanFindings) => void;
    /** Another thread that lists the same tree; null when this one is alone. */
    readonly share: ScanShare | null;
  },
): ScanEnd {
  const startMs = performance.now();
  let findings = emptyFindings();
  const unreadable: string[] = [];
  const visited = new Set<string>();
  const flush = (): void => {
    if (findings.changed.length + findings.skipped.length + findings.gone.length + findings.unchangedFiles === 0)
      return;
    parts.report(findings);
    findings = emptyFindings();
  };

  const { share } = parts;
  const queue = share?.isFirst === false ? [] : [...request.dirs];
  const next = (): string | undefined => {
    if (queue.length === 0 && share !== null) queue.push(...(share.take() ?? []));
    return queue.pop();
  };
  for (let dir = next(); dir !== undefined; dir = next()) {
    visited.add(dir);
    let entries: Entry[];
    try {
      entries = listFolder(join(request.rootPath, dir));
    } catch (cause) {
      // Gone in the meantime: its known files are found missing below. Else it is there, but not for us.
      const code = (cause as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') visited.delete(dir);
      // It is us who cannot read now: trying again helps, listing the folder does not.
      else if (code === 'EMFILE' || code === 'ENFILE') throw cause;
      else unreadable.push(dir);
      continue;
    }
    const folders = compareFolder(request, dir, entries, parts, findings);
    if (request.deep) queue.push(...folders);
    share?.give(queue);
    if (findings.changed.length + findings.skipped.length + findings.gone.length >= FLUSH_AT) flush();
  }

  if (request.deep) {
    const seen = share === null ? { visited, unreadable } : withOthers(share, { visited, unreadable });
    if (seen !== null) reportLostFolders(request, seen.visited, seen.unreadable, parts, findings);
  }
  flush();
  return { folders: visited.size, unreadable, durationMs: performance.now() - startMs };
}

type Seen = { readonly visited: ReadonlySet<string>; readonly unreadable: readonly string[] };

/** What both threads saw; null when the other one concludes. */
function withOthers(share: ScanShare, { visited, unreadable }: Seen): Seen | null {
  const others = share.conclude({ visited: [...visited], unreadable });
  if (others === null) return null;
  return { visited: new Set([...visited, ...others.visited]), unreadable: [...unreadable, ...others.unreadable] };
}

function compareFolder(
  request: ScanRequest,
  dir: string,
  entries: readonly Entry[],
  parts: { readonly index: IndexReader; readonly ignore: IgnoreRules },
  findings: ScanFindings,
): string[] {
  const known = new Map<string, KnownFile>();
  for (const file of parts.index.filesIn(request.rootId, dir)) known.set(file.name, file);
  const folders: string[] = [];
  for (const entry of entries) {
    if (entry.kind === 'folder') {
      if (!parts.ignore.ignores(dir, entry.name, true)) folders.push(joinPath(dir, entry.name));
      continue;
    }
    const file = known.get(entry.name);
    if (parts.ignore.ignores(dir, entry.name, false)) {
      if (file !== undefined) lose(findings, dir, file, 'excluded');
    } else {
      compareFile(request, dir, entry, file, findings);
    }
    known.delete(entry.name);
  }
  for (const file of known.values()) lose(findings, dir, file, 'missing');
  return folders;
}

function compareFile(
  request: ScanRequest,
  dir: string,
  entry: Entry,
  known: KnownFile | undefined,
  findings: ScanFindings,
): void {
  const path = joinPath(dir, entry.name);
  let stat: FileStat;
  try {
    stat = toFileStat(lstatSync(fsPath(`${request.rootPath}/${path}`), { bigint: true }));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      findings.skippedFiles += 1;
      findings.skipped.push({ dir, name: entry.name, stat: NO_STAT, reason: 'file.unreadable' });
    } else if (known !== undefined) lose(findings, dir, known, 'missing');
    return;
  }
  const reason = reasonToSkip(entry, stat, request.maxBytes);
  if (reason !== null) {
    findings.skippedFiles += 1;
    if (known?.state !== 'skipped' || known.reason !== reason || !isSame(known, stat))
      findings.skipped.push({ dir, name: entry.name, stat, reason });
  } else if (known !== undefined && known.state === 'present' && isSame(known, stat)) {
    findings.unchangedFiles += 1;
  } else {
    // Also what was skipped before: whether it can be read now only reading tells.
    findings.changed.push({ path, stat });
  }
}

function reasonToSkip(entry: Entry, stat: FileStat, maxBytes: number): SkipReason | null {
  if (entry.kind === 'symlink') return 'file.symlink';
  if (entry.kind === 'special') return 'file.special';
  return stat.sizeBytes > maxBytes ? 'file.too_large' : null;
}

function reportLostFolders(
  request: ScanRequest,
  visited: ReadonlySet<string>,
  unreadable: readonly string[],
  parts: { readonly index: IndexReader; readonly ignore: IgnoreRules },
  findings: ScanFindings,
): void {
  for (const dir of request.dirs.flatMap((each) => parts.index.foldersBelow(request.rootId, each))) {
    if (
      visited.has(dir) ||
      unreadable.some((blocked) => blocked === '' || dir === blocked || dir.startsWith(`${blocked}/`))
    )
      continue;
    const why = parts.ignore.ignoresPath(dir, true) ? 'excluded' : 'missing';
    for (const file of parts.index.filesIn(request.rootId, dir)) lose(findings, dir, file, why);
  }
}

function lose(findings: ScanFindings, dir: string, file: KnownFile, why: 'missing' | 'excluded'): void {
  if (why === 'excluded' && file.reason === 'file.excluded') return;
  findings.gone.push({ path: joinPath(dir, file.name), why, wasPresent: file.state === 'present' });
}

function isSame(known: KnownFile, stat: FileStat): boolean {
  return (
    known.size_bytes === stat.sizeBytes &&
    known.mtime_us === stat.mtimeUs &&
    known.ctime_us === stat.ctimeUs &&
    known.inode === stat.inode
  );
}

function emptyFindings(): ScanFindings {
  return { changed: [], skipped: [], gone: [], unchangedFiles: 0, skippedFiles: 0 };
}
