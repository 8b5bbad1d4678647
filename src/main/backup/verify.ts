/** Proves a backup: every object it needs is there, is what its name says, passes its check, and is the right one. */
import { hash } from 'node:crypto';
import { damaged } from './crypto.ts';
import { RESTORE_FILE, SETTINGS_FILE, TABLES_FOLDER } from './format.ts';
import type { GitObjects } from './git-objects.ts';
import { parseTree } from './git-repository.ts';
import { type BackupObjects, type FileNode, need, type OpenedBackup } from './repository-reader.ts';
import type { VerifyReport } from './repository-types.ts';

type Options = { readonly signal?: AbortSignal; readonly onProgress?: (done: number, all: number) => void };

const TURN_EVERY = 100;

export async function verifyBackup(
  objects: GitObjects,
  backups: BackupObjects,
  backup: OpenedBackup,
  options: Options,
): Promise<VerifyReport> {
  const startedMs = performance.now();
  const { manifest } = backup;
  const seen = new Set<string>();
  /** Contents once each, whatever the number of files that have them. */
  const contents = new Map<string, FileNode>();
  let files = 0;
  let sizeBytes = 0;
  const walk = (tree: string, node: string): { files: number; folders: number; sizeBytes: number } => {
    const sums = { files: 0, folders: 0, sizeBytes: 0 };
    for (const { entry, oid } of backups.folder(tree, node, (each) => seen.add(each))) {
      if (entry.k === 'd' && oid !== null) {
        const below = walk(oid, entry.h);
        sums.files += below.files;
        sums.folders += below.folders + 1;
        sums.sizeBytes += below.sizeBytes;
      } else if (entry.k === 'f' && oid !== null) {
        sums.files += 1;
        sums.sizeBytes += entry.s;
        const other = contents.get(oid);
        if (other !== undefined && other.h !== entry.h) throw damaged('two contents lie in one object');
        contents.set(oid, entry);
      }
    }
    return sums;
  };
  for (const root of manifest.roots) {
    const sums = walk(need(backup.tree, root.entry, true), root.node);
    const isRight = sums.files === root.files && sums.folders === root.folders && sums.sizeBytes === root.sizeBytes;
    if (!isRight) throw damaged(`the folder ${root.path} has other counts than the manifest says`);
    files += sums.files;
    sizeBytes += sums.sizeBytes;
  }
  if (files !== manifest.files || sizeBytes !== manifest.sizeBytes) throw damaged('the manifest does not add up');
  const tables = parseTree(objects.read(need(backup.angles, TABLES_FOLDER, true), 'tree'));
  if (tables.size !== manifest.tables.length) throw damaged('there are other tables than the manifest says');
  for (const { name, rows } of manifest.tables) {
    const { index, tree } = backups.tableIndex(backup, name);
    let sum = 0;
    for (const chunk of index.chunks) {
      const text = backups.data('rows', need(tree, chunk.chunk, false), chunk.sha256);
      seen.add(need(tree, chunk.chunk, false));
      if (text.toString('utf8').split('\n').length !== chunk.rows + 1) throw damaged(`the table ${name} lost rows`);
      sum += chunk.rows;
    }
    if (sum !== rows) throw damaged(`the table ${name} has another number of rows`);
  }
  if (backup.tree.size !== manifest.roots.length + 3) throw damaged('there are other folders than the manifest says');
  const tool = objects.read(need(backup.tree, RESTORE_FILE, false), 'blob');
  if (hash('sha256', tool, 'hex') !== manifest.tool)
    throw damaged('restore.mjs was changed by somebody: do not run it');
  backups.data('settings', need(backup.angles, SETTINGS_FILE, false), manifest.settings);
  const order = [...contents]
    .map(([oid, entry]) => ({ oid, entry, ...objects.place(oid) }))
    .sort((a, b) => a.pack - b.pack || a.offset - b.offset);
  for (const [index, { oid, entry }] of order.entries()) {
    if (entry.c === undefined) backups.content(oid, entry.h, entry.s);
    else for await (const _ of backups.chunkedContent(oid, entry)) options.signal?.throwIfAborted();
    if (index % TURN_EVERY === 0) {
      options.signal?.throwIfAborted();
      options.onProgress?.(index, order.length);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
  options.onProgress?.(order.length, order.length);
  return {
    commit: backup.commit,
    objects: seen.size + order.length,
    files,
    sizeBytes,
    durationMs: performance.now() - startedMs,
  };
}
