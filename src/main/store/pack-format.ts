/**
 * How pack files look: blocks one after the other, each with some contents compressed together (twice as quick as one
 * by one, and a quarter smaller). A block tells by itself what it holds, so that a lost vault finds its contents again.
 *
 * Block: magic (4), encoding (4), size (4), stored size (4), count (4); for each content SHA-256 (32), offset (4),
 * size (4) in the block as it was before compression; then the stored bytes. Numbers are little-endian.
 */
import { type Encoding, expand } from './compress.ts';

export type PackItem = { readonly sha256: Buffer; readonly offset: number; readonly sizeBytes: number };
export type BlockHead = {
  readonly encoding: Encoding;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly count: number;
  /** Of head and items: there the stored bytes begin. */
  readonly headBytes: number;
};

const MAGIC = Buffer.from('APK1', 'latin1');
const FIXED_BYTES = 20;
const ITEM_BYTES = 40;
const ENCODINGS: readonly Encoding[] = ['raw', 'zstd'];
/** A content of 1 MiB alone is the largest block; what claims to be larger is damage. */
export const LARGEST_BLOCK_BYTES = 1_048_576;
export const MOST_ITEMS = 4_096;

export function encodeHead(items: readonly PackItem[], encoding: Encoding, size: number, stored: number): Buffer {
  const head = Buffer.alloc(FIXED_BYTES + ITEM_BYTES * items.length);
  MAGIC.copy(head);
  for (const [index, value] of [ENCODINGS.indexOf(encoding), size, stored, items.length].entries())
    head.writeUInt32LE(value, 4 + 4 * index);
  for (const [index, item] of items.entries()) {
    const at = FIXED_BYTES + ITEM_BYTES * index;
    item.sha256.copy(head, at);
    head.writeUInt32LE(item.offset, at + 32);
    head.writeUInt32LE(item.sizeBytes, at + 36);
  }
  return head;
}

/** The head of the block that begins at `at`; null when none does. Its items may lie behind the end of `bytes`. */
export function decodeHead(bytes: Buffer, at: number): BlockHead | null {
  if (at + FIXED_BYTES > bytes.length || !bytes.subarray(at, at + MAGIC.length).equals(MAGIC)) return null;
  const encoding = ENCODINGS[bytes.readUInt32LE(at + 4)];
  const [sizeBytes, storedBytes, count] = [8, 12, 16].map((field) => bytes.readUInt32LE(at + field));
  if (encoding === undefined || sizeBytes === undefined || storedBytes === undefined || count === undefined)
    return null;
  if (sizeBytes > LARGEST_BLOCK_BYTES || storedBytes > sizeBytes || count > MOST_ITEMS) return null;
  return { encoding, sizeBytes, storedBytes, count, headBytes: FIXED_BYTES + ITEM_BYTES * count };
}

/** The items of a block that begins at `at`. */
export function decodeItems(bytes: Buffer, at: number, { count }: BlockHead): PackItem[] {
  return Array.from({ length: count }, (_, index) => {
    const begin = at + FIXED_BYTES + ITEM_BYTES * index;
    return {
      sha256: bytes.subarray(begin, begin + 32),
      offset: bytes.readUInt32LE(begin + 32),
      sizeBytes: bytes.readUInt32LE(begin + 36),
    };
  });
}

export type Block = { readonly encoding: Encoding; readonly items: readonly PackItem[]; readonly bytes: Buffer };
export type FoundBlock = Block & { readonly offset: number; readonly storedBytes: number };

/** A whole block at the start of `bytes`; null when there is none, or when it cannot be unpacked. */
export function decodeBlock(bytes: Buffer, at: number): Block | null {
  const head = decodeHead(bytes, at);
  const end = at + (head?.headBytes ?? 0) + (head?.storedBytes ?? 0);
  if (head === null || end > bytes.length) return null;
  try {
    const unpacked = expand(bytes.subarray(at + head.headBytes, end), head.encoding, head.sizeBytes);
    return { encoding: head.encoding, items: decodeItems(bytes, at, head), bytes: unpacked };
  } catch {
    // Changed bytes: none of its contents can be proven any more.
    return null;
  }
}

/** Everything in a pack that can be unpacked, also behind damage. Whoever uses an item proves its bytes. */
export function* findBlocks(bytes: Buffer): Generator<FoundBlock> {
  for (let at = bytes.indexOf(MAGIC); at >= 0; ) {
    const block = decodeBlock(bytes, at);
    const head = decodeHead(bytes, at);
    if (block === null || head === null) {
      // What follows is searched for: a length that was changed leads nowhere.
      at = bytes.indexOf(MAGIC, at + 1);
      continue;
    }
    yield { ...block, offset: at, storedBytes: head.storedBytes };
    at = bytes.indexOf(MAGIC, at + head.headBytes + head.storedBytes);
  }
}

/** The bytes of one item; null when they lie outside of the block. */
export function itemBytes(block: Block, { offset, sizeBytes }: PackItem): Buffer | null {
  return offset + sizeBytes > block.bytes.length ? null : block.bytes.subarray(offset, offset + sizeBytes);
}
