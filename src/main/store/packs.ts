/**
 * Pack files: where the contents of a bulk are written, once. A file is only ever appended to, and what no row refers
 * to (the end that a crash left, say) is passed over. How they look is said in `pack-format.ts`.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { toObjectError } from './object-errors.ts';
import { type Block, decodeBlock, decodeHead, itemBytes } from './pack-format.ts';

/** Where the block of a content begins. */
export type PackPlace = { readonly pack: number; readonly offset: number };

export function packsFolder(dataFolder: string): string {
  return join(dataFolder, 'objects', 'packs');
}

/** `objects/packs/<twelve hex digits>.pack` in the data folder. */
export function packPath(dataFolder: string, pack: number): string {
  return join(packsFolder(dataFolder), `${pack.toString(16).padStart(12, '0')}.pack`);
}

/** The numbers of all packs; none when the folder is not there. */
export function listPacks(dataFolder: string): number[] {
  let names: string[];
  try {
    names = readdirSync(packsFolder(dataFolder));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw toObjectError(cause);
  }
  return names.filter((name) => /^[0-9a-f]{12}\.pack$/.test(name)).map((name) => Number.parseInt(name, 16));
}

/**
 * The bytes of a content; the caller proves them. Throws `content.missing` without the pack, `content.damaged` when it
 * does not hold that content at that place.
 */
export function readPacked(dataFolder: string, place: PackPlace, sha256: Buffer): Buffer {
  const hex = sha256.toString('hex');
  let block: Block | null;
  try {
    block = readBlock(packPath(dataFolder, place.pack), place.offset);
  } catch (cause) {
    throw new AppError('content.missing', `The pack file of content ${hex} cannot be read.`, { cause });
  }
  const item = block?.items.find((each) => each.sha256.equals(sha256));
  const bytes = block === null || item === undefined ? null : itemBytes(block, item);
  if (bytes === null)
    throw new AppError('content.damaged', `Content ${hex} is not where its pack file should have it.`);
  return bytes;
}

/** Those read one after the other mostly lie in one block. Blocks never change, and each content is proven anyway. */
let latest: { readonly path: string; readonly offset: number; readonly block: Block } | null = null;
/** Of most blocks this is the whole. */
const FIRST_READ_BYTES = 65_536;

function readBlock(path: string, offset: number): Block | null {
  if (latest?.path === path && latest.offset === offset) return latest.block;
  const descriptor = openSync(path, 'r');
  try {
    let bytes = readAt(descriptor, offset, FIRST_READ_BYTES);
    const head = decodeHead(bytes, 0);
    if (head === null) return null;
    if (head.headBytes + head.storedBytes > bytes.length)
      bytes = readAt(descriptor, offset, head.headBytes + head.storedBytes);
    const block = decodeBlock(bytes, 0);
    if (block !== null) latest = { path, offset, block };
    return block;
  } finally {
    closeSync(descriptor);
  }
}

/** Fewer bytes when the file ends before. */
function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  for (let count = -1; count !== 0 && done < length; done += count)
    count = readSync(descriptor, bytes, done, length - done, position + done);
  return bytes.subarray(0, done);
}

/**
 * Makes everything that was written to these packs durable: a vault may refer to it when this resolves.
 * Rejects with `data.full` and the like; then none of it may be referred to.
 */
export async function syncPacks(dataFolder: string, packs: ReadonlySet<number>): Promise<void> {
  await Promise.all(
    [...packs].map(async (pack) => {
      try {
        const file = await open(packPath(dataFolder, pack), 'r+');
        try {
          await file.datasync();
        } finally {
          await file.close();
        }
      } catch (cause) {
        throw toObjectError(cause);
      }
    }),
  );
}
