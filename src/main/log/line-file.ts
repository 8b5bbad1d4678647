import {
  chmodSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  CURRENT_FILE,
  dayOf,
  type LogFile,
  type LogLimits,
  overCap,
  parseLogName,
  rotatedCap,
  rotatedName,
} from './rotation.ts';

/** A file of lines that rotates by day and size. Every call may throw what the file system throws. */
export type LineFile = {
  /** Appends one line (with its line break) wholly or not at all. */
  readonly append: (line: string, timeMs: number) => void;
  readonly setLimits: (limits: LogLimits) => void;
  readonly close: () => void;
};

type Open = { readonly descriptor: number; readonly inode: number; sizeBytes: number; day: string };

/** How often it is checked that the file is still the one in the folder (somebody may have removed it). */
const CHECK_EVERY_MS = 10_000;

export function createLineFile(folder: string, firstLimits: LogLimits): LineFile {
  const path = join(folder, CURRENT_FILE);
  let limits = firstLimits;
  let open: Open | null = null;
  let checkedAtMs = Number.NEGATIVE_INFINITY;

  const close = (): void => {
    const was = open;
    open = null;
    if (was !== null) closeSync(was.descriptor);
  };

  const rotate = (day: string): void => {
    close();
    const names = readdirSync(folder);
    renameSync(path, join(folder, rotatedName(names, day)));
    for (const file of overCap(listLogFiles(folder), rotatedCap(limits))) {
      rmSync(join(folder, file.name), { force: true });
    }
  };

  const current = (lineBytes: number, timeMs: number): Open => {
    if (open !== null && Math.abs(timeMs - checkedAtMs) >= CHECK_EVERY_MS) {
      checkedAtMs = timeMs;
      if (statSync(path, { throwIfNoEntry: false })?.ino !== open.inode) close();
    }
    open ??= openLines(folder, path);
    const newDay = dayOf(timeMs) > open.day;
    const tooLarge = open.sizeBytes + lineBytes > limits.maxFileBytes;
    if (open.sizeBytes > 0 && (newDay || tooLarge)) {
      rotate(open.day);
      open = openLines(folder, path);
    }
    if (open.sizeBytes === 0) open.day = dayOf(timeMs);
    return open;
  };

  const append = (line: string, timeMs: number): void => {
    const bytes = Buffer.from(line, 'utf8');
    const file = current(bytes.length, timeMs);
    try {
      appendWhole(file, bytes);
    } catch (error) {
      close();
      throw error;
    }
  };

  return {
    append,
    close,
    setLimits: (next) => {
      limits = next;
    },
  };
}

function openLines(folder: string, path: string): Open {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const descriptor = openSync(path, 'a+', 0o600);
  try {
    const stat = fstatSync(descriptor);
    if ((stat.mode & 0o077) !== 0) chmodSync(path, 0o600);
    const file = { descriptor, inode: stat.ino, sizeBytes: stat.size, day: dayOf(stat.mtimeMs) };
    if (!endsWithLineBreak(file)) appendWhole(file, Buffer.from('\n'));
    return file;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** False when the last writer died in the middle of a line. */
function endsWithLineBreak({ descriptor, sizeBytes }: Open): boolean {
  if (sizeBytes === 0) return true;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, sizeBytes - 1);
  return last[0] === 0x0a;
}

/** A full disk takes part of a line: that part is cut off again, so that every line is whole. */
function appendWhole(file: Open, bytes: Buffer): void {
  try {
    let written = 0;
    while (written < bytes.length) written += writeSync(file.descriptor, bytes, written);
    file.sizeBytes += bytes.length;
  } catch (error) {
    ftruncateSync(file.descriptor, file.sizeBytes);
    throw error;
  }
}

/** The log files of a folder; anything else in it is not ours and not listed. */
export function listLogFiles(folder: string): LogFile[] {
  return readdirSync(folder).flatMap((name) => {
    const parsed = parseLogName(name);
    const stat = parsed === null ? undefined : statSync(join(folder, name), { throwIfNoEntry: false });
    return parsed === null || stat === undefined || !stat.isFile() ? [] : [{ ...parsed, name, sizeBytes: stat.size }];
  });
}
