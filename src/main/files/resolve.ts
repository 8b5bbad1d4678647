import { isAbsolute, sep } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import type { FileEntry, Snapshot } from '../../shared/model.ts';
import type { FileQueries } from '../store/file-queries.ts';
import type { StoredRoot } from '../store/roots.ts';

export type Version = { readonly atMs: number } | { readonly snapshotId: string };

/**
 * Finds the one file a person means: an absolute path below a root, or a path relative to any root.
 * Throws `not_found.file` or `ambiguous.path`.
 */
export function resolveFile(path: string, roots: readonly StoredRoot[], files: FileQueries): FileEntry {
  const found = roots.flatMap((root) => {
    const relative = relativeTo(root.path, path);
    return relative === null ? [] : (files.find(root.rootId, relative) ?? []);
  });
  const [file, second] = found;
  if (file === undefined) throw new AppError('not_found.file', `Nothing is captured of ${displayPath(path)}.`);
  if (second !== undefined) {
    const candidates = found.map((each) => displayPath(`${each.root}/${each.path}`)).join(', ');
    throw new AppError('ambiguous.path', `${displayPath(path)} may be any of: ${candidates}.`);
  }
  return file;
}

/** Throws `not_found.snapshot` or `ambiguous.id`. */
export function resolveVersion(file: FileEntry, version: Version | undefined, files: FileQueries): Snapshot {
  if (version === undefined) {
    const newest = files.history(file.rootId, file.path, 20, null).find((snapshot) => snapshot.sha256 !== null);
    if (newest === undefined) throw new AppError('not_found.snapshot', `${displayPath(file.path)} was never captured.`);
    return newest;
  }
  if ('atMs' in version) {
    const snapshot = files.snapshotAt(file.rootId, file.path, version.atMs);
    if (snapshot === undefined) {
      throw new AppError(
        'not_found.snapshot',
        `${displayPath(file.path)} had no version at ${new Date(version.atMs).toISOString()}.`,
      );
    }
    return withContent(snapshot);
  }
  const matches = files.snapshotsByIdPart(version.snapshotId.toLowerCase());
  const [snapshot, second] = matches;
  if (snapshot === undefined)
    throw new AppError('not_found.snapshot', `No version has an id like ${displayPath(version.snapshotId)}.`);
  if (second !== undefined)
    throw new AppError('ambiguous.id', `More than one version has an id like ${version.snapshotId}.`);
  return withContent(snapshot);
}

function withContent(snapshot: Snapshot): Snapshot {
  if (snapshot.sha256 !== null) return snapshot;
  const when = new Date(snapshot.capturedAtMs).toISOString();
  throw new AppError(
    'not_found.snapshot',
    `${displayPath(snapshot.path)} was deleted at ${when}; choose an earlier version.`,
  );
}

function relativeTo(root: string, path: string): string | null {
  if (!isAbsolute(path)) return path.replaceAll(sep, '/').replace(/^\.\//, '');
  const prefix = root.endsWith(sep) ? root : root + sep;
  return path.startsWith(prefix) ? path.slice(prefix.length).replaceAll(sep, '/') : null;
}
