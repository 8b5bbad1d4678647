/** Where the roots of a backup go. Pure. */
import { AppError } from '../../shared/errors.ts';
import type { Place, RestoreTarget } from './plan.ts';
import type { SourceEntry, SourceInfo, SourceRoot } from './source.ts';

/** Where each root goes. Throws `restore.target` when an old backup does not know where its files were. */
export function choosePlaces(
  roots: readonly SourceRoot[],
  entries: readonly SourceEntry[],
  target: RestoreTarget,
): Place[] {
  const used = roots.filter((root) => entries.some((entry) => entry.rootId === root.rootId));
  const taken = new Set<string>();
  return used.map((root) => {
    if (target.kind === 'in-place') {
      if (root.path !== null) return { rootId: root.rootId, folder: root.path };
      throw new AppError('restore.target', 'This backup does not tell where its files were.', {
        hint: 'Choose a folder with --to.',
      });
    }
    if (used.length === 1) return { rootId: root.rootId, folder: target.folder };
    const name =
      (root.path ?? `${root.rootId}`)
        .split(/[/\\]/)
        .filter((part) => part !== '')
        .at(-1) ?? `${root.rootId}`;
    const unique = taken.has(name.toLowerCase()) ? `${name}-${root.rootId}` : name;
    taken.add(unique.toLowerCase());
    return { rootId: root.rootId, folder: `${target.folder}/${unique}` };
  });
}

/**
 * The default target: a new folder beside the root, or below `home` for a backup that does not tell where its files were.
 * @param exists whether a path is taken
 */
export function sideFolder(
  roots: readonly SourceRoot[],
  info: SourceInfo,
  home: string,
  exists: (path: string) => boolean,
): string {
  const [root] = roots;
  const base = roots.length === 1 && root?.path != null ? root.path.replace(/\/+$/, '') : `${home}/angles restore`;
  const time =
    info.createdAtMs === null
      ? 'old'
      : new Date(info.createdAtMs).toISOString().slice(0, 16).replace('T', ' ').replace(':', '.');
  for (let number = 1; ; number += 1) {
    const folder = `${base} (backup ${time}${number === 1 ? '' : `, ${number}`})`;
    if (!exists(folder)) return folder;
  }
}
