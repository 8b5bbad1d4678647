/** Which folders the next backup has to look at: decided from change numbers and stamps, without reading any file. */
import type { BackupIndex } from '../store/backup-index.ts';
import type { BackupSource } from '../store/backup-source.ts';
import type { FolderLook } from './tree-writer.ts';

/**
 * Folders to write, by root. `since` is what the repository holds already. With `isThorough`, folders are compared by
 * their stamps, too: these also tell of files that were only touched.
 */
export function foldersToWrite(
  source: BackupSource,
  index: BackupIndex,
  options: {
    readonly since: number;
    readonly isThorough: boolean;
    readonly rootIds: readonly number[];
    readonly looks: ReadonlyMap<number, ReadonlyMap<string, FolderLook>>;
  },
): ReadonlyMap<number, ReadonlySet<string>> {
  const wanted = new Map<number, Set<string>>(options.rootIds.map((rootId) => [rootId, new Set<string>()]));
  for (const { rootId, dir } of source.changedFolders(options.since)) wanted.get(rootId)?.add(dir);
  if (options.isThorough) {
    for (const { rootId, dir, stamp } of source.stamps()) {
      const dirs = wanted.get(rootId);
      if (dirs !== undefined && !dirs.has(dir) && index.folder(rootId, dir)?.stamp !== stamp) dirs.add(dir);
    }
  }
  for (const [rootId, looks] of options.looks) compareLooks(index, rootId, looks, wanted.get(rootId) ?? new Set());
  for (const [rootId, dirs] of wanted) if (index.folder(rootId, '') === undefined) dirs.add('');
  return wanted;
}

function compareLooks(
  index: BackupIndex,
  rootId: number,
  looks: ReadonlyMap<string, FolderLook>,
  dirs: Set<string>,
): void {
  for (const [dir, look] of looks) {
    const known = index.folder(rootId, dir);
    const links = look.links.length === 0 ? null : JSON.stringify(look.links);
    if (known?.mode !== look.mode || known.mtimeUs !== look.mtimeUs || known.links !== links) dirs.add(dir);
  }
  for (const { rootId: id, dir } of index.allFolders()) if (id === rootId && !looks.has(dir)) dirs.add(dir);
}
