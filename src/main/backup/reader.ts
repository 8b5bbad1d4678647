/** The face of a repository for whoever reads backups: lists, finds, walks and reads them. */
import { AppError } from '../../shared/errors.ts';
import { nearestSome } from '../../shared/near.ts';
import { afterFolder } from './collect.ts';
import { damaged } from './crypto.ts';
import { SETTINGS_FILE } from './format.ts';
import type { GitObjects } from './git-objects.ts';
import { readBranches, readTags } from './git-repository.ts';
import type { OpenedKeys } from './open-repository.ts';
import { ReadEntry } from './read-entry.ts';
import {
  type BackupObjects,
  type FileNode,
  need,
  type OpenedBackup,
  type OpenedEntry,
  readFormat,
} from './repository-reader.ts';
import type {
  BackupEntry,
  BackupRow,
  BackupSecret,
  BackupSummary,
  BelowPath,
  RepositoryReader,
} from './repository-types.ts';
import { toSummary } from './summaries.ts';
import { verifyBackup } from './verify.ts';

export type ReaderParts = {
  readonly gitFolder: string;
  readonly objects: GitObjects;
  readonly secret: BackupSecret | null;
  readonly opened: readonly OpenedKeys[];
};

const KEPT_SUMMARIES = 5_000;

type Known = { readonly backup: OpenedBackup; readonly backups: BackupObjects };

export function createReader(parts: ReaderParts): RepositoryReader {
  const { gitFolder, objects, opened } = parts;
  const byRepository = new Map(opened.map((each) => [each.format.repository, each]));
  const known = new Map<string, Known>();

  const open = (commit: string): Known => {
    const kept = known.get(commit);
    if (kept !== undefined) return kept;
    const format = readFormat(objects, commit);
    const own = byRepository.get(format.repository);
    if (own === undefined)
      throw new AppError('backup.key_wrong', `The key does not open the backup ${commit.slice(0, 8)}.`);
    const result = { backup: own.backups.open(commit), backups: own.backups };
    if (known.size >= KEPT_SUMMARIES) known.clear();
    known.set(commit, result);
    return result;
  };
  const branches = (): [string, string][] =>
    [...readBranches(gitFolder)].filter(([, tip]) => {
      try {
        return byRepository.has(readFormat(objects, tip).repository);
      } catch (cause) {
        if (cause instanceof AppError && cause.code === 'backup.foreign') return false;
        throw cause;
      }
    });
  /** Branches that go on beside another one share its repository id, and its backups up to there. */
  const branchOf = ({ manifest }: OpenedBackup): string =>
    branches().find(([, tip]) => readFormat(objects, tip).repository === manifest.repository)?.[0] ??
    `device/${manifest.deviceId}`;

  /** Newest first, by time; each branch in its own order. */
  function* newestFirst(only?: string): Generator<BackupSummary> {
    const heads = branches()
      .filter(([name]) => only === undefined || name === only)
      .map(([name, tip]) => ({ name, next: toSummary(open(tip).backup, name) as BackupSummary | null }));
    const seen = new Set<string>();
    for (;;) {
      let newest: (typeof heads)[number] | null = null;
      for (const head of heads) {
        if (head.next !== null && (newest?.next == null || head.next.createdAtMs > newest.next.createdAtMs))
          newest = head;
      }
      if (newest?.next == null) return;
      const { next } = newest;
      newest.next = next.parent === null ? null : toSummary(open(next.parent).backup, newest.name);
      if (newest.next !== null && newest.next.sequence !== next.sequence - 1)
        throw damaged('a backup is missing in the row');
      if (!seen.has(next.commit)) yield next;
      seen.add(next.commit);
    }
  }

  const find = (name: string): BackupSummary => {
    if (name === 'latest' || name === '') {
      for (const newest of newestFirst()) return newest;
      throw new AppError('not_found.backup', 'There is no backup yet.');
    }
    const tags = readTags(gitFolder);
    const tagged = tags.get(name);
    if (tagged !== undefined) {
      const { backup } = open(tagged);
      if (backup.manifest.tag !== name) throw damaged(`the tag ${name} was moved to another backup`);
      return toSummary(backup, branchOf(backup));
    }
    if (/^[0-9a-f]{4,40}$/.test(name)) {
      const commits = objects.startingWith(name).filter((oid) => objects.find(oid)?.type === 'commit');
      const [only] = commits;
      if (commits.length > 1) throw new AppError('ambiguous.id', `More than one backup begins with ${name}.`);
      if (only !== undefined) {
        const { backup } = open(only);
        return toSummary(backup, branchOf(backup));
      }
    }
    throw notFound(name, [...tags.keys()]);
  };

  const rootOf = ({ backup }: Known, rootId: number) => {
    const root = backup.manifest.roots.find((each) => each.rootId === rootId);
    if (root === undefined)
      throw new AppError('not_found.backup', `The backup has no folder with the number ${rootId}.`);
    return { node: root.node, tree: need(backup.tree, root.entry, true) };
  };
  type At = { readonly tree: string; readonly node: string };
  const descend = (at: Known, rootId: number, path: string): { at: At } | { last: OpenedEntry } | null => {
    let here: At = rootOf(at, rootId);
    const names = path === '' ? [] : path.split('/');
    for (const [index, name] of names.entries()) {
      const found = at.backups.folder(here.tree, here.node).find(({ entry }) => entry.n === name);
      if (found === undefined) return null;
      if (index === names.length - 1 && found.entry.k !== 'd') return { last: found };
      if (found.entry.k !== 'd' || found.oid === null) return null;
      here = { tree: found.oid, node: found.entry.h };
    }
    return { at: here };
  };
  const missingPath = (at: Known, rootId: number, path: string): AppError => {
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    const around = descend(at, rootId, parent);
    const names =
      around !== null && 'at' in around
        ? at.backups.folder(around.at.tree, around.at.node).map(({ entry }) => entry.n)
        : [];
    return notFound(
      path,
      names.map((name) => (parent === '' ? name : `${parent}/${name}`)),
    );
  };
  const readFolder = (commit: string, rootId: number, path: string): readonly BackupEntry[] => {
    const at = open(commit);
    const found = descend(at, rootId, path);
    if (found === null || 'last' in found) throw missingPath(at, rootId, path);
    return at.backups
      .folder(found.at.tree, found.at.node)
      .map((opened) => new ReadEntry(rootId, path === '' ? opened.entry.n : `${path}/${opened.entry.n}`, opened))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  };
  const openFile = (commit: string, rootId: number, path: string): { at: Known; node: FileNode; oid: string } => {
    const at = open(commit);
    const found = descend(at, rootId, path);
    const last = found !== null && 'last' in found ? found.last : null;
    if (last === null || last.oid === null || last.entry.k !== 'f') throw missingPath(at, rootId, path);
    return { at, node: last.entry, oid: last.oid };
  };

  function* walk(at: Known, rootId: number, path: string, here: At): Generator<Walked> {
    const entries = at.backups.folder(here.tree, here.node);
    afterFolder(entries.length);
    for (const opened of entries) {
      const below = path === '' ? opened.entry.n : `${path}/${opened.entry.n}`;
      yield { entry: new ReadEntry(rootId, below, opened), opened };
      if (opened.entry.k === 'd' && opened.oid !== null) {
        yield* walk(at, rootId, below, { tree: opened.oid, node: opened.entry.h });
      }
    }
  }
  function* walkAll(commit: string, below?: readonly BelowPath[]): Generator<Walked> {
    const at = open(commit);
    const wanted = below ?? at.backup.manifest.roots.map(({ rootId }) => ({ rootId, path: '' }));
    for (const { rootId, path } of wanted) {
      const found = descend(at, rootId, path);
      if (found === null) throw missingPath(at, rootId, path);
      if ('last' in found) yield { entry: new ReadEntry(rootId, path, found.last), opened: found.last };
      else yield* walk(at, rootId, path, found.at);
    }
  }

  const inOrder = <T extends object>(entries: readonly T[]): { entry: T; oid: string | null }[] => {
    const files = entries.map((entry) => {
      const object = ReadEntry.objectOf(entry);
      if (object === null) throw new Error('an entry is not one that this reader gave');
      return { entry, oid: object.isWhole ? object.oid : null, ...objects.place(object.oid) };
    });
    return files.sort((a, b) => a.pack - b.pack || a.offset - b.offset);
  };

  return {
    gitFolder,
    repositoryId: opened[0]?.format.repository ?? '',
    isEncrypted: opened.some((each) => each.unlocked.keys !== null),
    fingerprint: opened[0]?.unlocked.fingerprint ?? null,
    listBackups: ({ limit, before, branch } = {}) => {
      const list: BackupSummary[] = [];
      let isAfter = before === undefined;
      for (const summary of newestFirst(branch)) {
        if (isAfter) list.push(summary);
        if (summary.commit === before) isAfter = true;
        if (limit !== undefined && list.length >= limit) break;
      }
      return list;
    },
    find,
    findAt: (timeMs, branch) => {
      for (const summary of newestFirst(branch)) if (summary.createdAtMs <= timeMs) return summary;
      throw new AppError('not_found.backup', `There is no backup of ${new Date(timeMs).toISOString()} or before.`);
    },
    readFolder,
    stat: (commit, rootId, path) => {
      if (path === '') return undefined;
      const slash = path.lastIndexOf('/');
      const at = open(commit);
      const parent = descend(at, rootId, slash < 0 ? '' : path.slice(0, slash));
      if (parent === null || 'last' in parent) return undefined;
      const found = at.backups
        .folder(parent.at.tree, parent.at.node)
        .find(({ entry }) => entry.n === path.slice(slash + 1));
      return found === undefined ? undefined : new ReadEntry(rootId, path, found);
    },
    *entries(commit, below) {
      for (const { entry } of walkAll(commit, below)) yield entry;
    },
    readFile: (commit, rootId, path) => {
      const { at, node, oid } = openFile(commit, rootId, path);
      if (node.c !== undefined) {
        throw new AppError('usage.bad_argument', `${path} has ${node.s} bytes: it is read in pieces.`);
      }
      return at.backups.content(oid, node.h, node.s);
    },
    async *readFileChunks(commit, rootId, path) {
      const { at, node, oid } = openFile(commit, rootId, path);
      if (node.c !== undefined) yield* at.backups.chunkedContent(oid, node);
      else {
        const content = at.backups.content(oid, node.h, node.s);
        for (let from = 0; from < content.length; from += PIECE_BYTES) yield content.subarray(from, from + PIECE_BYTES);
      }
    },
    *contents(commit, wanted) {
      const { backups } = open(commit);
      const files: BackupEntry[] = [];
      for (const { entry } of walkAll(commit)) {
        if (entry.kind === 'file' && wanted?.(entry) !== false) files.push(entry);
      }
      let last: { readonly oid: string; readonly content: Buffer } = { oid: '', content: Buffer.alloc(0) };
      for (const { entry, oid } of inOrder(files)) {
        if (oid === null) yield { entry, content: null };
        else {
          if (last.oid !== oid) last = { oid, content: backups.content(oid, entry.sha256 ?? '', entry.sizeBytes) };
          yield { entry, content: last.content };
        }
      }
    },
    places: (_commit, entries) => inOrder(entries),
    share: (commit) => {
      const { manifest } = open(commit).backup;
      const keys = byRepository.get(manifest.repository)?.unlocked.keys ?? null;
      return { gitFolder, repositoryId: manifest.repository, keys };
    },
    *readTable(commit, table) {
      const { backup, backups } = open(commit);
      const { index, tree } = backups.tableIndex(backup, table);
      for (const { chunk, sha256, rows } of index.chunks) {
        const lines = backups
          .data('rows', need(tree, chunk, false), sha256)
          .toString('utf8')
          .split('\n');
        if (lines.length !== rows + 1) throw damaged(`the table ${table} has another number of rows`);
        for (const line of lines.slice(0, rows)) yield parseRow(line, table);
      }
    },
    readSettings: (commit) => {
      const { backup, backups } = open(commit);
      const bytes = backups.data('settings', need(backup.angles, SETTINGS_FILE, false), backup.manifest.settings);
      return parseRow(bytes.toString('utf8'), 'settings') as Record<string, unknown>;
    },
    verify: (commit, options = {}) => {
      const { backup, backups } = open(commit);
      return verifyBackup(objects, backups, backup, options);
    },
    refresh: () => {
      objects.refresh();
      known.clear();
    },
    close: () => objects.close(),
  };
}

type Walked = { readonly entry: BackupEntry; readonly opened: OpenedEntry };
const PIECE_BYTES = 8 * 1_048_576;

function parseRow(line: string, what: string): BackupRow {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as BackupRow;
  } catch (cause) {
    throw damaged(`${what} is not JSON`, cause);
  }
  throw damaged(`${what} has a line that is no row`);
}

function notFound(name: string, names: readonly string[]): AppError {
  const nearest = nearestSome(name, names);
  const hint = nearest.length === 0 ? {} : { hint: `Near to it: ${nearest.join(', ')}.` };
  return new AppError('not_found.backup', `${name} is not in the backup.`, hint);
}
