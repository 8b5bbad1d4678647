/** The roots of a backup: which folders are written again, and what the manifest says of each root. */

import { foldersToWrite } from './backup-plan.ts';
import type { Clock, Run } from './backup-run.ts';
import type { ContentWriter } from './content-writer.ts';
import { nameToken } from './crypto.ts';
import type { Manifest } from './format.ts';
import type { LiveWriter } from './live-writer.ts';
import { deepestFirst, type FolderLook, plainRootEntry, rootKey, writeFolders } from './tree-writer.ts';

export type WrittenRoot = Manifest['roots'][number] & {
  readonly tree: Buffer;
  readonly incomplete: number;
  readonly redacted: number;
};

export async function writeRoots(
  run: Run,
  writers: { readonly contents: ContentWriter; readonly live: LiveWriter },
  clock: Clock,
): Promise<readonly WrittenRoot[]> {
  const { source, index, out, base, request, repository, deps } = run;
  const roots = source.roots();
  const rootIds = roots.map((root) => root.rootId);
  for (const rootId of index.rootIds()) if (!rootIds.includes(rootId)) index.removeRoot(rootId);
  const known = base?.manifest.vaultChange ?? 0;
  const looks = new Map<number, ReadonlyMap<string, FolderLook>>();
  const isThorough = request.reason !== 'change' || source.change < known;
  if (isThorough) {
    for (const root of roots) {
      const look = deps.lookAtFolders?.(root) ?? null;
      if (look !== null) looks.set(root.rootId, look);
    }
  }
  // A root that the repository does not know is new to it as a whole, however old its files are.
  const fresh = roots.some(({ rootId }) => index.folder(rootId, '') === undefined);
  const dirs = foldersToWrite(source, index, { since: known, isThorough: isThorough || fresh, rootIds, looks });
  const keys = repository.unlocked.keys;
  const written: WrittenRoot[] = [];
  for (const { rootId, path } of roots) {
    const parts = { source, index, out, keys, ...writers, rootPath: path, onFile: clock.onFile };
    await writeFolders(parts, rootId, deepestFirst(dirs.get(rootId) ?? []), looks.get(rootId) ?? null);
    const top = index.folder(rootId, '');
    if (top === undefined) throw new Error('a root that was just written is not in the index');
    written.push({
      rootId,
      path,
      entry: keys === null ? plainRootEntry(rootId, path) : nameToken(keys, rootKey(path)),
      node: top.node.toString('hex'),
      tree: top.tree,
      mode: top.mode,
      mtimeUs: top.mtimeUs,
      files: top.files,
      folders: top.folders,
      sizeBytes: top.sizeBytes,
      incomplete: top.incomplete + source.countUncaptured(rootId),
      redacted: top.redacted,
    });
  }
  return written;
}
