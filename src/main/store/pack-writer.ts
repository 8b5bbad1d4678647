import { randomInt } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../durable.ts';
import { compress, type Encoding } from './compress.ts';
import { inObjectStore } from './object-errors.ts';
import { encodeHead, MOST_ITEMS } from './pack-format.ts';
import { listPacks, packPath, packsFolder } from './packs.ts';

/** A content on its way into a pack: whole after the next {@link PackWriter.flush}. */
export type PackedContent = {
  readonly sha256: Buffer;
  readonly sizeBytes: number;
  readonly data: null;
  encoding: Encoding;
  /** Its share of the block. */
  storedBytes: number;
  readonly place: { pack: number; offset: number };
};

/** Appends contents to pack files. What was added is durable after {@link PackWriter.flush} and `syncPacks`, in this order. */
export type PackWriter = {
  /** Copies the bytes. Throws `data.full` and the like; then nothing that was added since the last flush is there. */
  readonly add: (sha256: Buffer, bytes: Buffer) => PackedContent;
  /** Hands everything to the system. Throws as {@link PackWriter.add}. */
  readonly flush: () => void;
  /** After a failure of these two: gives back the space of what was added since the last flush. Never throws. */
  readonly rollBack: () => void;
  /** After a failed sync: what comes next goes to another file. */
  readonly abandon: () => void;
};

export type PackWriterOptions = {
  readonly dataFolder: string;
  /** Each writer that works at the same time has a lane of its own, so that no two append to one file. */
  readonly lane: number;
  readonly lanes: number;
};

/** A full pack gets no more; each file costs an entry of a folder and a sync when it is made. */
const FULL_BYTES = 67_108_864;
/** Larger blocks compress better and make reading one content, or losing a bit, dearer. */
const BLOCK_BYTES = 131_072;
const NUMBERS = 2 ** 47;

type OpenPack = { readonly pack: number; readonly descriptor: number; end: number };

/** Opens no file before the first block is full. */
export function createPackWriter({ dataFolder, lane, lanes }: PackWriterOptions): PackWriter {
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** Packs that a write failed on, or that are full. */
  const closed = new Set<number>();
  let current: OpenPack | null = null;
  let items: PackedContent[] = [];
  let used = 0;
  /** Up to here somebody may refer to the current pack. */
  let flushedEnd = 0;

  const write = (pack: OpenPack, bytes: Buffer): void => {
    for (let done = 0; done < bytes.length; ) {
      const count = writeSync(pack.descriptor, bytes, done, bytes.length - done, pack.end);
      done += count;
      pack.end += count;
    }
  };
  const close = (): void => {
    if (current === null) return;
    closed.add(current.pack);
    closeSync(current.descriptor);
    current = null;
  };
  const seal = (contents: readonly PackedContent[], bytes: Buffer): void => {
    const { encoding, stored } = compress(bytes);
    let offset = 0;
    const head = encodeHead(
      contents.map(({ sha256, sizeBytes }) => {
        offset += sizeBytes;
        return { sha256, sizeBytes, offset: offset - sizeBytes };
      }),
      encoding,
      bytes.length,
      stored.length,
    );
    inObjectStore(() => {
      if (current === null) {
        current = openPack(dataFolder, lane, lanes, closed);
        flushedEnd = current.end;
      }
      for (const content of contents) {
        content.encoding = encoding;
        content.storedBytes = Math.round((stored.length * content.sizeBytes) / Math.max(1, bytes.length));
        content.place.pack = current.pack;
        content.place.offset = current.end;
      }
      write(current, head);
      write(current, stored);
    });
    if (current !== null && current.end >= FULL_BYTES) close();
  };
  const sealAll = (): void => {
    if (items.length === 0) return;
    const sealed = items;
    items = [];
    const length = used;
    used = 0;
    seal(sealed, block.subarray(0, length));
  };

  return {
    add: (sha256, bytes) => {
      const place = { pack: 0, offset: 0 };
      const content: PackedContent = {
        sha256,
        sizeBytes: bytes.length,
        data: null,
        encoding: 'raw',
        storedBytes: 0,
        place,
      };
      if (bytes.length > block.length) {
        seal([content], bytes);
        return content;
      }
      if (used + bytes.length > block.length || items.length === MOST_ITEMS) sealAll();
      bytes.copy(block, used);
      used += bytes.length;
      items.push(content);
      return content;
    },
    flush: () => {
      sealAll();
      flushedEnd = current?.end ?? 0;
    },
    rollBack: () => {
      items = [];
      used = 0;
      if (current === null) return;
      try {
        ftruncateSync(current.descriptor, flushedEnd);
        current.end = flushedEnd;
      } catch {
        // What is left at its end is passed over; the next goes elsewhere.
        close();
      }
    },
    abandon: () => {
      items = [];
      used = 0;
      close();
    },
  };
}

/** A pack of this lane that is not full, else a new one whose name is durable. */
function openPack(dataFolder: string, lane: number, lanes: number, closed: ReadonlySet<number>): OpenPack {
  for (const pack of listPacks(dataFolder)) {
    if (pack % lanes !== lane || closed.has(pack)) continue;
    const path = packPath(dataFolder, pack);
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? FULL_BYTES) >= FULL_BYTES) continue;
    const descriptor = openSync(path, 'r+');
    return { pack, descriptor, end: fstatSync(descriptor).size };
  }
  const folder = packsFolder(dataFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // By chance: a number that was lost with its file must not be given to other contents.
  const pack = Math.floor(randomInt(NUMBERS) / lanes) * lanes + lane;
  const descriptor = openSync(packPath(dataFolder, pack), 'wx', 0o600);
  for (const each of [folder, dirname(folder), dataFolder]) syncFolder(each);
  return { pack, descriptor, end: 0 };
}
