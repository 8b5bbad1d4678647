/** Paths as the contract carries them: `/` between the parts, whatever the system. */

export const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The folder of a path, without the name; empty at the top. */
export const folderOf = (path: string): string => {
  const at = path.lastIndexOf('/');
  return at === -1 ? '' : path.slice(0, at);
};

export const absolutePath = (file: { readonly root: string; readonly path: string }): string =>
  `${file.root.replace(/\/$/, '')}/${file.path}`;

/** The steps down to a folder, for a trail: `a/b` gives `a` and `a/b`. */
export function trailOf(folder: string): { readonly name: string; readonly path: string }[] {
  if (folder === '') return [];
  const parts = folder.split('/');
  return parts.map((name, index) => ({ name, path: parts.slice(0, index + 1).join('/') }));
}

/** Where a copy of an old version goes by default: beside the original, named after the version's time (UTC). */
export function suggestedCopyPath(original: string, capturedAtMs: number): string {
  const stamp = new Date(capturedAtMs).toISOString().slice(0, 19).replaceAll(':', '-');
  const name = fileName(original);
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  return `${original.slice(0, original.length - name.length)}${stem}.restored-${stamp}${ending}`;
}
