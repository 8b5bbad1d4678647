import { resolve } from 'node:path';
import type { AgentMethods } from '../shared/contract.ts';
import { displayPath } from '../shared/display.ts';
import { AppError } from '../shared/errors.ts';
import type { FileEntry, ScanResult, Snapshot } from '../shared/model.ts';
import { describeRoot } from './agent-status.ts';
import type { ApiParts } from './api-parts.ts';
import { resolveFile, resolveVersion, type Version } from './files/resolve.ts';
import { restoreFile } from './files/restore.ts';
import { showContent } from './files/text.ts';
import { readContent } from './store/contents.ts';
import type { StoredRoot } from './store/roots.ts';
import { checkRootPath } from './watch/root-path.ts';

type FileMethods = Pick<
  AgentMethods,
  | 'roots.list'
  | 'roots.add'
  | 'roots.remove'
  | 'roots.decide'
  | 'scan.run'
  | 'files.list'
  | 'files.tree'
  | 'files.history'
  | 'files.show'
  | 'files.diff'
  | 'files.restore'
>;

const DEFAULT_LIMIT = 200;
const SHOW_BYTES = 1_048_576;
/** How long a scan waits for files that are still being written; later ones are captured by the agent, or reported. */
const SETTLE_MS = 5_000;

export function createFileMethods({ parts, watch, settings, vault, applyRoots, mode }: ApiParts): FileMethods {
  const { roots, files } = parts;
  const { store } = vault;
  const info = (root: StoredRoot) => describeRoot(root, roots.counts(root.rootId), watch.condition(root.rootId));
  const file = (path: string): FileEntry => resolveFile(path, roots.list(), files);
  const bytesOf = (snapshot: Snapshot): Buffer =>
    readContent(store.db, store.dataFolder, Buffer.from(snapshot.sha256 ?? '', 'hex'));

  const rootAt = (path: string): StoredRoot => {
    const found = roots.list().find((root) => root.path === path || root.path === resolve(path));
    if (found === undefined) throw new AppError('not_found.root', `${displayPath(path)} is not a watched folder.`);
    return found;
  };

  const version = (entry: FileEntry, wanted: Version | undefined): Snapshot => resolveVersion(entry, wanted, files);

  /** Captures a file as it is now; its newest snapshot, or null when there is nothing. */
  const captureNow = async (entry: FileEntry): Promise<string | null> => {
    await watch.scan(entry.rootId, { acceptDeletes: false });
    await watch.settled(SETTLE_MS);
    const now = files.find(entry.rootId, entry.path);
    if (now?.state === 'skipped') {
      throw new AppError(
        'file.unreadable',
        `${displayPath(entry.path)} cannot be captured as it is now, so it is not overwritten.`,
        { hint: 'Restore to a side path instead.' },
      );
    }
    return now?.state === 'present' ? now.snapshotId : null;
  };

  /** A file that was just saved is captured after its scan; a disk that refused it must not look like success. */
  const assertDurable = (scanned: readonly StoredRoot[]): void => {
    for (const { rootId } of scanned) {
      const condition = watch.condition(rootId);
      if (condition?.code?.startsWith('data.') === true)
        throw new AppError(condition.code, condition.detail ?? '', { retryable: true });
    }
  };

  return {
    'roots.list': async () => ({ roots: roots.list().map(info) }),
    'roots.add': async ({ path }) => {
      const real = checkRootPath(
        path,
        roots.list().map((root) => root.path),
        store.dataFolder,
      );
      settings.addRoot(real);
      // The change of the settings starts the watch; a command without an agent does it here.
      await applyRoots();
      const root = roots.list().find((each) => each.path === real);
      if (root === undefined) throw new AppError('not_found.root', `${displayPath(real)} could not be added.`);
      parts.note('root.added', `${displayPath(real)} is watched.`);
      return { root: info(root) };
    },
    'roots.remove': async ({ path }) => {
      const root = rootAt(path);
      settings.removeRoot(root.path);
      await applyRoots();
      parts.note('root.removed', `${displayPath(root.path)} is no longer watched; what was captured stays.`);
      return {};
    },
    'roots.decide': async ({ path, decision }) => {
      const root = rootAt(path);
      const result = await watch.scan(root.rootId, { acceptDeletes: decision === 'accept' });
      if (decision === 'accept')
        parts.note('root.released', `${result.deleted} deletions in ${displayPath(root.path)} were accepted.`);
      return { result };
    },
    'scan.run': async ({ path }) => {
      const scanned = path === undefined ? roots.list() : [rootAt(path)];
      const results: ScanResult[] = [];
      const failures: unknown[] = [];
      for (const { rootId } of scanned) {
        try {
          results.push(await watch.scan(rootId, { acceptDeletes: false }));
        } catch (cause) {
          // The other folders are captured first.
          failures.push(cause);
        }
      }
      await watch.settled(mode === 'offline' ? SETTLE_MS * 6 : SETTLE_MS);
      if (failures.length > 0) throw failures[0];
      assertDurable(scanned);
      return { results, waiting: watch.waiting() };
    },

    'files.list': async ({ order = 'path', limit = DEFAULT_LIMIT, cursor = null, ...filter }) =>
      files.list(filter, order, limit, cursor),
    'files.tree': async ({ rootId, folder }) => files.tree(rootId, folder),
    'files.history': async ({ path, limit = DEFAULT_LIMIT, cursor = null }) => {
      const entry = file(path);
      const snapshots = files.history(entry.rootId, entry.path, limit, cursor === null ? null : Number(cursor));
      const last = snapshots.at(-1);
      return { file: entry, snapshots, next: snapshots.length < limit || last === undefined ? null : String(last.seq) };
    },
    'files.show': async ({ path, version: wanted, maxBytes = SHOW_BYTES }) => {
      const snapshot = version(file(path), wanted);
      return { snapshot, ...showContent(bytesOf(snapshot), maxBytes) };
    },
    'files.diff': async ({ path, from, to }) => {
      const entry = file(path);
      const before = version(entry, from);
      const after = version(entry, to);
      // Loaded when first asked for: an idle agent stays small.
      const { compareContents } = await import('./files/compare.ts');
      return { from: before, to: after, ...compareContents(bytesOf(before), bytesOf(after)) };
    },
    'files.restore': async ({ path, version: wanted, to, inPlace = false }) => {
      const entry = file(path);
      const snapshot = version(entry, wanted);
      return restoreFile(
        { file: entry, snapshot, bytes: bytesOf(snapshot), to, inPlace },
        { captureNow, dataFolder: store.dataFolder },
      );
    },
  };
}
