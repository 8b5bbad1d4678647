import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isDoubtful, nameFromBytes } from '../path-names.ts';

/**
 * Which files some process has open for writing right now.
 *
 * A writer that pauses longer than the quiet time would else be captured in the middle. Node offers neither leases
 * nor IN_CLOSE_WRITE, but Linux lists every open file in /proc (proc(5): fd, fdinfo). Processes of other users
 * are not visible without privileges, and other systems have no such list: there only quiet time and the stable
 * read protect.
 */
export type WriterProbe = {
  /** The paths, of those asked about, that are open for writing. Never throws. */
  readonly openForWriting: (absolutePaths: ReadonlySet<string>) => ReadonlySet<string>;
  /** All open files at or below a folder. */
  readonly openBelow: (folder: string) => ReadonlySet<string>;
};

const NONE: ReadonlySet<string> = new Set();

export function createWriterProbe(platform: NodeJS.Platform): WriterProbe {
  if (platform !== 'linux') return { openForWriting: () => NONE, openBelow: () => NONE };
  return {
    openForWriting: (paths) => (paths.size === 0 ? NONE : probe((target) => paths.has(target))),
    openBelow: (folder) => probe((target) => target.startsWith(`${folder}/`)),
  };
}

function probe(wanted: (target: string) => boolean): ReadonlySet<string> {
  const found = new Set<string>();
  for (const pid of list('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const descriptor of list(`/proc/${pid}/fd`)) {
      const target = link(`/proc/${pid}/fd/${descriptor}`);
      if (target?.startsWith('/') && wanted(target) && isWritable(pid, descriptor)) found.add(target);
    }
  }
  return found;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // The process ended, or is not ours to look into.
    return [];
  }
}

/** The path behind a link, in our names. */
function link(path: string): string | null {
  try {
    const target = readlinkSync(path);
    return isDoubtful(target) ? nameFromBytes(readlinkSync(path, { encoding: 'buffer' })) : target;
  } catch {
    // Closed in the meantime.
    return null;
  }
}

/** `flags:` in fdinfo is octal; the lowest two bits are the access mode, 0 = read only (open(2)). */
function isWritable(pid: string, descriptor: string): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0;
  } catch {
    // Closed in the meantime.
    return false;
  }
}
