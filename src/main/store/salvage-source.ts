import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isPageSize, type LogContent, type ReadBytes, readLog } from './salvage-log.ts';
import type { ReadPage } from './salvage-page.ts';

/** One version of one page, with the way to the pages that hold the ends of its rows. */
export type PageVersion = {
  readonly pageNumber: number;
  readonly bytes: Buffer;
  /** Tried in this order: a log may have newer ends than the file. */
  readonly readers: readonly ReadPage[];
  /** What a reader of an undamaged vault would see: no later version exists. */
  readonly isNewest: boolean;
};

/** A vault file and its write-ahead log as bytes; neither is ever written or opened by SQLite. */
export type SalvageSource = {
  readonly pageSize: number;
  readonly pageCount: number;
  /** Pages that the file should have by its own header, and neither it nor the log has: it was cut off. */
  readonly missingPages: number;
  /** False when the file does not say how long it should be, or the log lost commits. */
  readonly isWhole: boolean;
  readonly log: LogContent | null;
  /** First the pages of the file, then those of the log in the order of their commits: later ones are newer. */
  readonly versions: (which: 'newest' | 'all') => Iterable<PageVersion>;
  /** Of each page in the log the version that was committed last. */
  readonly newestInLog: () => Iterable<PageVersion>;
  /** The page of the file itself. */
  readonly readFilePage: ReadPage;
  /** The page as the last commit of the log left it, else that of the file. */
  readonly readNewestPage: ReadPage;
  /** Pages that are empty space: what lies in them was deleted. */
  readonly freePages: () => ReadonlySet<number>;
  readonly close: () => void;
};

/** Vaults are made with this page size (`database.ts`). */
const OUR_PAGE_SIZE = 8_192;
const TEXT = Buffer.from('SQLite format 3\0');

/** @param useLog false for a log that belongs to another vault */
export function openSource(file: string, logFile: string, useLog: boolean): SalvageSource {
  const main = openBytes(file);
  const log = openBytes(logFile);
  const header = main.read(0, 100);
  const ownSize = pageSizeOf(header);
  const content = useLog && log.sizeBytes > 0 ? readLog(log.read, log.sizeBytes, ownSize ?? OUR_PAGE_SIZE) : null;
  const pageSize = ownSize ?? (content === null || content.frames.length === 0 ? OUR_PAGE_SIZE : content.pageSize);
  const readFilePage: ReadPage = (pageNumber) => whole(main.read((pageNumber - 1) * pageSize, pageSize), pageSize);
  const frames = content !== null && content.pageSize === pageSize ? content.frames : [];
  const newest = new Map(frames.map((frame) => [frame.pageNumber, frame.offset]));
  const readNewest: ReadPage = (pageNumber) => {
    const offset = newest.get(pageNumber);
    return offset === undefined ? readFilePage(pageNumber) : whole(log.read(offset, pageSize), pageSize);
  };
  function* inLog(which: 'newest' | 'all'): Generator<PageVersion> {
    for (const { pageNumber, offset } of frames) {
      const isNewest = newest.get(pageNumber) === offset;
      const bytes = isNewest || which === 'all' ? whole(log.read(offset, pageSize), pageSize) : null;
      if (bytes !== null) yield { pageNumber, bytes, readers: [readNewest, readFilePage], isNewest };
    }
  }
  const pageCount = Math.floor(main.sizeBytes / pageSize);
  const expectedPages = ownSize === null ? 0 : countedPages(header);
  const inLogOnly = [...newest.keys()].filter((page) => page > pageCount && page <= expectedPages).length;
  return {
    pageSize,
    pageCount,
    missingPages: Math.max(0, expectedPages - pageCount - inLogOnly),
    isWhole: ownSize !== null && (content?.problem ?? null) === null && main.sizeBytes % pageSize === 0,
    log: content,
    readFilePage,
    readNewestPage: readNewest,
    versions: function* (which) {
      for (let pageNumber = 1; pageNumber <= pageCount; pageNumber += 1) {
        const isNewest = !newest.has(pageNumber);
        const bytes = isNewest || which === 'all' ? readFilePage(pageNumber) : null;
        if (bytes !== null) yield { pageNumber, bytes, readers: [readFilePage, readNewest], isNewest };
      }
      yield* inLog(which);
    },
    newestInLog: () => inLog('newest'),
    freePages: () => listFreePages(readNewest, pageSize),
    close: () => {
      main.close();
      log.close();
    },
  };
}

/** The number of pages holds only where the counter beside it is the one of the last change (section 1.3.8). */
function countedPages(header: Buffer): number {
  return header.readUInt32BE(24) === header.readUInt32BE(92) ? header.readUInt32BE(28) : 0;
}

function pageSizeOf(header: Buffer): number | null {
  if (header.length < 100 || !header.subarray(0, 16).equals(TEXT)) return null;
  const size = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  return isPageSize(size) ? size : null;
}

/** Follows the chain of trunks from the header (section 1.5); a broken chain ends where it is broken. */
function listFreePages(readPage: ReadPage, pageSize: number): ReadonlySet<number> {
  const free = new Set<number>();
  let trunk = readPage(1)?.readUInt32BE(32) ?? 0;
  while (trunk !== 0 && !free.has(trunk)) {
    const page = readPage(trunk);
    const count = page?.readUInt32BE(4) ?? 0;
    if (page === null || count > pageSize / 4 - 2) break;
    free.add(trunk);
    for (let index = 0; index < count; index += 1) free.add(page.readUInt32BE(8 + 4 * index));
    trunk = page.readUInt32BE(0);
  }
  return free;
}

function whole(bytes: Buffer, pageSize: number): Buffer | null {
  return bytes.length === pageSize ? bytes : null;
}

type Bytes = { readonly sizeBytes: number; readonly read: ReadBytes; readonly close: () => void };

/** A file that is not there is an empty one. */
export function openBytes(file: string): Bytes {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    return { sizeBytes: 0, read: () => Buffer.alloc(0), close: () => undefined };
  }
  return {
    sizeBytes: fstatSync(descriptor).size,
    read: (offset, length) => {
      const bytes = Buffer.allocUnsafe(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
    },
    close: () => closeSync(descriptor),
  };
}
