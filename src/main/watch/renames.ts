/** Finds renames: something is gone and something of the same content appeared. Pure. */

export type GoneFile = { readonly path: string; readonly sha256: string; readonly inode: number };
export type NewFile = GoneFile;
export type Rename = { readonly from: string; readonly to: string };

/**
 * Pairs each new file with at most one gone file of the same content: first by inode (the file itself moved),
 * then by name (moved to another folder), then by folder, then in order. Empty files are only paired by inode,
 * as one empty file is like another.
 */
export function matchRenames(gone: readonly GoneFile[], appeared: readonly NewFile[]): Rename[] {
  const byContent = new Map<string, GoneFile[]>();
  for (const file of gone) {
    const same = byContent.get(file.sha256);
    if (same === undefined) byContent.set(file.sha256, [file]);
    else same.push(file);
  }
  const renames: Rename[] = [];
  const rounds: readonly ((from: GoneFile, to: NewFile) => boolean)[] = [
    (from, to) => from.inode === to.inode,
    (from, to) => from.sha256 !== EMPTY_SHA256 && nameOf(from.path) === nameOf(to.path),
    (from, to) => from.sha256 !== EMPTY_SHA256 && folderOf(from.path) === folderOf(to.path),
    (from) => from.sha256 !== EMPTY_SHA256,
  ];
  let open = appeared;
  for (const matches of rounds) {
    open = open.filter((to) => {
      const candidates = byContent.get(to.sha256);
      const index = candidates?.findIndex((from) => matches(from, to)) ?? -1;
      const from = candidates?.[index];
      if (candidates === undefined || from === undefined) return true;
      candidates.splice(index, 1);
      renames.push({ from: from.path, to: to.path });
      return false;
    });
  }
  return renames;
}

/** SHA-256 of no bytes (FIPS 180-4). */
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
