/** Reads the backups of one repository. Nothing leaves here that the manifest does not vouch for. */
import { createHash, hash } from 'node:crypto';
import { createZstdDecompress } from 'node:zlib';
import { AppError } from '../../shared/errors.ts';
import { createContentReader } from './content-reader.ts';
import { damaged, type ObjectKind, type RepositoryKeys, unseal } from './crypto.ts';
import { entryName } from './folder-writer.ts';
import {
  ANGLES_FOLDER,
  chunkFile,
  FORMAT_FILE,
  type FolderNode,
  MANIFEST_FILE,
  type Manifest,
  type NodeEntry,
  nodeFile,
  parse,
  parseManifest,
  parseNode,
  parseTableIndex,
  SETTINGS_FILE,
  TABLE_INDEX_FILE,
  TABLES_FOLDER,
  type TableIndex,
} from './format.ts';
import type { GitObjects } from './git-objects.ts';
import { parseCommit, parseTree, type ReadTreeEntry } from './git-repository.ts';
import { FORMAT_VERSION, type FormatFile, formatFile } from './keys.ts';

/** A commit that was proven to be the backup that its manifest describes. */
export type OpenedBackup = {
  readonly commit: string;
  readonly manifest: Manifest;
  readonly manifestSha256: Buffer;
  readonly tree: ReadonlyMap<string, ReadTreeEntry>;
  readonly angles: ReadonlyMap<string, ReadTreeEntry>;
};

/** An entry of a folder with the object it stands for; null for links. */
export type OpenedEntry = { readonly entry: NodeEntry; readonly oid: string | null };

export type BackupObjects = {
  readonly open: (commit: string) => OpenedBackup;
  /** The entries of a folder, those of its parts together. `seen` hears of every object on the way. */
  readonly folder: (tree: string, node: string, seen?: (oid: string) => void) => readonly OpenedEntry[];
  /** Whole, proven content of a file that is not in chunks. */
  readonly content: (oid: string, sha256: string, sizeBytes: number) => Buffer;
  readonly chunkedContent: (oid: string, entry: FileNode) => AsyncGenerator<Buffer>;
  readonly chunks: (oid: string, count: number) => readonly string[];
  readonly tableIndex: (
    backup: OpenedBackup,
    table: string,
  ) => { readonly index: TableIndex; readonly tree: ReadonlyMap<string, ReadTreeEntry> };
  readonly data: (kind: ObjectKind, oid: string, sha256: string) => Buffer;
};

export type FileNode = Extract<NodeEntry, { k: 'f' }>;

/** The key file of a commit: which keys open it. Throws `backup.foreign` for a commit of something else. */
export function readFormat(objects: GitObjects, commit: string): FormatFile {
  const tree = parseTree(objects.read(parseCommit(objects.read(commit, 'commit')).tree, 'tree'));
  const angles = tree.get(ANGLES_FOLDER);
  const entry = angles?.isFolder ? parseTree(objects.read(angles.oid, 'tree')).get(FORMAT_FILE) : undefined;
  if (entry === undefined) throw new AppError('backup.foreign', `Commit ${commit.slice(0, 8)} is no backup of Angles.`);
  return parse(formatFile, objects.read(entry.oid, 'blob'), FORMAT_FILE);
}

const LARGEST_DATA_BYTES = 256 * 1_048_576;
const PIECE_BYTES = 8 * 1_048_576;

export function createBackupObjects(
  objects: GitObjects,
  repository: { readonly id: string; readonly keys: RepositoryKeys | null },
): BackupObjects {
  const { keys } = repository;
  const isEncrypted = keys !== null;

  const { unpack, content } = createContentReader(objects, keys);
  const data: BackupObjects['data'] = (kind, oid, sha256) => {
    const bytes = unpack(kind, oid, LARGEST_DATA_BYTES);
    if (hash('sha256', bytes, 'hex') !== sha256) throw damaged(`object ${oid} does not belong where it lies`);
    return bytes;
  };
  const treeOf = (oid: string): ReadonlyMap<string, ReadTreeEntry> => parseTree(objects.read(oid, 'tree'));

  const open = (commit: string): OpenedBackup => {
    const { tree: root, parents } = parseCommit(objects.read(commit, 'commit'));
    const tree = treeOf(root);
    const angles = treeOf(need(tree, ANGLES_FOLDER, true));
    const bytes = unpack('manifest', need(angles, MANIFEST_FILE, false), LARGEST_DATA_BYTES);
    const manifest = parseManifest(bytes);
    if (manifest.format > FORMAT_VERSION) {
      throw new AppError('backup.from_future', `The backup ${commit.slice(0, 8)} has format ${manifest.format}.`);
    }
    const isIts = manifest.repository === repository.id && manifest.isEncrypted === isEncrypted;
    if (!isIts) throw damaged('a manifest is of another repository');
    // An old manifest under a new commit, and a commit that was cut out of its row, are found here.
    if (parents.length > 1 || (parents[0] ?? null) !== manifest.parent) {
      throw damaged(`the manifest of ${commit.slice(0, 8)} belongs to another place in the row of backups`);
    }
    if ((manifest.parent === null) !== (manifest.sequence === 1)) throw damaged('a manifest has a wrong number');
    return { commit, manifest, manifestSha256: hash('sha256', bytes, 'buffer'), tree, angles };
  };

  const folder: BackupObjects['folder'] = (treeOid, nodeSha256, seen) => {
    const tree = treeOf(treeOid);
    seen?.(treeOid);
    const file = nodeFile(isEncrypted);
    const nodeOid = need(tree, file, false);
    seen?.(nodeOid);
    const node: FolderNode = parseNode(data('node', nodeOid, nodeSha256));
    if ('fan' in node) {
      if (tree.size !== node.fan.length + 1) throw damaged('a folder has more parts than its node says');
      return node.fan.flatMap(({ p, h }) => folder(need(tree, p, true), h, seen));
    }
    let objectsInside = 1;
    const entries = node.entries.map((entry): OpenedEntry => {
      if (entry.k === 'l') return { entry, oid: null };
      objectsInside += 1;
      const name = entryName(keys, entry.n);
      return { entry, oid: need(tree, name, entry.k === 'd' || entry.c !== undefined) };
    });
    if (tree.size !== objectsInside) throw damaged('a folder has other entries than its node says');
    return entries;
  };

  const chunks: BackupObjects['chunks'] = (oid, count) => {
    const tree = treeOf(oid);
    if (tree.size !== count) throw damaged('a large file has another number of chunks');
    return Array.from({ length: count }, (_, index) => need(tree, chunkFile(index), false));
  };

  async function* chunkedContent(oid: string, entry: FileNode): AsyncGenerator<Buffer> {
    const digest = createHash('sha256');
    let sizeBytes = 0;
    for await (const piece of unpackChunks(chunks(oid, entry.c ?? 1))) {
      sizeBytes += piece.length;
      if (sizeBytes > entry.s) break;
      digest.update(piece);
      for (let from = 0; from < piece.length; from += PIECE_BYTES) yield piece.subarray(from, from + PIECE_BYTES);
    }
    if (sizeBytes !== entry.s || digest.digest('hex') !== entry.h) {
      throw damaged(`the content ${entry.h.slice(0, 12)} is another one`);
    }
  }

  async function* unpackChunks(oids: readonly string[]): AsyncGenerator<Buffer> {
    const readChunk = (index: number) => {
      const bytes = objects.read(oids[index] as string, 'blob');
      return keys === null ? { encoding: 'raw' as const, body: bytes } : unseal(keys, bytes, 'chunk', index);
    };
    const first = readChunk(0);
    if (first.encoding === 'raw') {
      yield first.body;
      for (let index = 1; index < oids.length; index += 1) yield readChunk(index).body;
      return;
    }
    const stream = createZstdDecompress();
    const fed = (async () => {
      for (let index = 0; index < oids.length; index += 1) {
        const { body } = index === 0 ? first : readChunk(index);
        if (!stream.write(body)) await new Promise<void>((resolve) => stream.once('drain', resolve));
      }
      stream.end();
    })();
    fed.catch((cause: unknown) => stream.destroy(cause instanceof Error ? cause : new Error(String(cause))));
    try {
      for await (const piece of stream) yield piece as Buffer;
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw damaged('a large file cannot be unpacked', cause);
    } finally {
      stream.destroy();
    }
    await fed;
  }

  return {
    open,
    folder,
    content,
    chunkedContent,
    chunks,
    data,
    tableIndex: (backup, table) => {
      const stated = backup.manifest.tables.find((each) => each.name === table);
      if (stated === undefined) throw new AppError('not_found.backup', `The backup has no table ${table}.`);
      const tree = treeOf(need(treeOf(need(backup.angles, TABLES_FOLDER, true)), table, true));
      const index = parseTableIndex(data('tableIndex', need(tree, TABLE_INDEX_FILE, false), stated.index));
      if (index.table !== table || tree.size !== index.chunks.length + 1)
        throw damaged(`the table ${table} has other parts`);
      return { index, tree };
    },
  };
}

/** The object with this name. Throws `backup.damaged` when it is missing or of the other kind. */
export function need(tree: ReadonlyMap<string, ReadTreeEntry>, name: string, isFolder: boolean): string {
  const entry = tree.get(name);
  if (entry === undefined || entry.isFolder !== isFolder) throw damaged(`an entry is missing`);
  return entry.oid;
}

export { SETTINGS_FILE };
