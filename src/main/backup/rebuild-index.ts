/** Learns from the newest commit what the repository holds, when the index was lost or is not of that commit. */
import type { BackupIndex, IndexedFolder } from '../store/backup-index.ts';
import { TABLES_FOLDER } from './format.ts';
import type { GitObjects } from './git-objects.ts';
import { parseTree } from './git-repository.ts';
import { type BackupObjects, need, type OpenedBackup } from './repository-reader.ts';

/** Fills an empty index. What only older backups hold is not in it: it would be written again, and found to be there. */
export function rebuildIndex(
  objects: GitObjects,
  reader: BackupObjects,
  backup: OpenedBackup,
  index: BackupIndex,
): void {
  const { manifest } = backup;
  for (const root of manifest.roots) {
    const tree = need(backup.tree, root.entry, true);
    walk(
      { reader, index, rootId: root.rootId },
      { dir: '', tree, node: root.node, mode: root.mode, mtimeUs: root.mtimeUs },
    );
  }
  const tables = parseTree(objects.read(need(backup.angles, TABLES_FOLDER, true), 'tree'));
  for (const { name } of manifest.tables) {
    const { index: list, tree } = reader.tableIndex(backup, name);
    need(tables, name, true);
    for (const { chunk, rows, sha256 } of list.chunks) {
      const oid = Buffer.from(need(tree, chunk, false), 'hex');
      index.saveChunk(name, { chunk, rows, oid, sha256: Buffer.from(sha256, 'hex') });
    }
  }
  index.set('commit', backup.commit);
}

type Walk = { readonly reader: BackupObjects; readonly index: BackupIndex; readonly rootId: number };
type At = {
  readonly dir: string;
  readonly tree: string;
  readonly node: string;
  readonly mode: number | null;
  readonly mtimeUs: number | null;
};

function walk(context: Walk, at: At): IndexedFolder {
  const { reader, index, rootId } = context;
  const links: { name: string; target: string; mtimeUs: number }[] = [];
  const sums = { files: 0, folders: 0, sizeBytes: 0, incomplete: 0, redacted: 0 };
  for (const { entry, oid } of reader.folder(at.tree, at.node)) {
    if (entry.k === 'l') links.push({ name: entry.n, target: entry.g, mtimeUs: entry.t ?? 0 });
    else if (oid === null) continue;
    else if (entry.k === 'd') {
      const dir = at.dir === '' ? entry.n : `${at.dir}/${entry.n}`;
      const below = walk(context, { dir, tree: oid, node: entry.h, mode: entry.m ?? null, mtimeUs: entry.t ?? null });
      sums.folders += 1;
      for (const key of ['files', 'folders', 'sizeBytes', 'incomplete', 'redacted'] as const) sums[key] += below[key];
    } else {
      // The checksum of a redacted copy is not that of the content in the vault: it is made again.
      if (entry.r === undefined) {
        index.addBlob(Buffer.from(entry.h, 'hex'), {
          oid: Buffer.from(oid, 'hex'),
          chunks: entry.c ?? 0,
          redactions: 0,
        });
      } else sums.redacted += 1;
      sums.files += 1;
      sums.sizeBytes += entry.s;
      if (entry.x !== undefined) sums.incomplete += 1;
    }
  }
  const folder: IndexedFolder = {
    rootId,
    dir: at.dir,
    tree: Buffer.from(at.tree, 'hex'),
    node: Buffer.from(at.node, 'hex'),
    ...sums,
    mode: at.mode,
    mtimeUs: at.mtimeUs,
    links: links.length === 0 ? null : JSON.stringify(links),
    stamp: null,
  };
  index.saveFolder(folder);
  return folder;
}
