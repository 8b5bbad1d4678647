/** Brings contents of the vault into the repository, as they are stored: nothing is compressed twice. */
import { createHash, hash } from 'node:crypto';
import { createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { AppError } from '../../shared/errors.ts';
import type { BackupIndex, IndexedBlob } from '../store/backup-index.ts';
import type { BackupSource } from '../store/backup-source.ts';
import type { StoredBytes } from '../store/contents.ts';
import { chunkFile } from './format.ts';
import type { ObjectWriter } from './object-writer.ts';
import { unpackOptions } from './pack-format.ts';

/** Makes a copy that may leave this machine; `redactions` 0 means that nothing had to be taken out. */
export type Redact = (path: string, bytes: Buffer) => { readonly bytes: Buffer; readonly redactions: number };

/** Where a content lies, and what it is there: a redacted copy has another size and checksum. */
export type WrittenContent = IndexedBlob & { readonly sha256: Buffer; readonly sizeBytes: number };

export type ContentWriter = {
  /** Null when the vault does not have the content (any more): it is counted, and the other files go on. */
  readonly put: (path: string, sha256: Buffer, sizeBytes: number) => Promise<WrittenContent | null>;
  /** Bytes that are not in the vault; they are closed whatever happens. */
  readonly putStored: (path: string, sha256: Buffer, stored: StoredBytes) => Promise<WrittenContent>;
  readonly lost: () => readonly string[];
};

/** Git hosts refuse files above 100 MB and warn above 50. */
export const CHUNK_BYTES = 32 * 1_048_576;
/** A content above this is not held whole in memory where that can be avoided. */
const LARGEST_PLAIN_BYTES = 256 * 1_048_576;

export function createContentWriter(
  parts: { readonly source: BackupSource; readonly index: BackupIndex; readonly out: ObjectWriter },
  redact: Redact | null,
  chunkBytes = CHUNK_BYTES,
): ContentWriter {
  const { source, index, out } = parts;
  const lost: string[] = [];

  const putBytes = (bytes: Buffer): Omit<IndexedBlob, 'redactions'> => {
    if (bytes.length <= chunkBytes) return { oid: out.putBlob(bytes), chunks: 0 };
    const pieces: Buffer[] = [];
    for (let from = 0; from < bytes.length; from += chunkBytes)
      pieces.push(out.putBlob(bytes.subarray(from, from + chunkBytes)));
    return { oid: putChunkTree(out, pieces), chunks: pieces.length };
  };
  const putPlain = (path: string, stored: StoredBytes, sha256: Buffer, clean: Redact): WrittenContent => {
    if (stored.sizeBytes > LARGEST_PLAIN_BYTES) {
      throw new AppError('content.missing', `${path} is too large to be looked through for secrets.`);
    }
    const bytes = unpack(stored, sha256);
    const copy = clean(path, bytes);
    return {
      ...putBytes(copy.bytes),
      redactions: copy.redactions,
      sha256: hash('sha256', copy.bytes, 'buffer'),
      sizeBytes: copy.bytes.length,
    };
  };
  const putSealed = async (stored: StoredBytes, sha256: Buffer): Promise<IndexedBlob> => {
    if (stored.storedBytes <= chunkBytes && stored.sizeBytes <= LARGEST_PLAIN_BYTES) {
      const bytes = stored.read(0, stored.storedBytes);
      check(bytes, stored, sha256);
      return { oid: out.putSealed('content', stored.encoding, bytes), chunks: 0, redactions: 0 };
    }
    await checkLarge(stored, sha256, chunkBytes);
    const chunks: Buffer[] = [];
    for (let at = 0; at < stored.storedBytes; at += chunkBytes) {
      chunks.push(out.putSealed('chunk', stored.encoding, stored.read(at, chunkBytes), chunks.length));
    }
    return { oid: putChunkTree(out, chunks), chunks: chunks.length, redactions: 0 };
  };
  const known = (sha256: Buffer, sizeBytes: number): WrittenContent | null => {
    const blob = index.blob(sha256);
    return blob === undefined || blob.redactions > 0 ? null : { ...blob, sha256, sizeBytes };
  };
  const putStored: ContentWriter['putStored'] = async (path, sha256, stored) => {
    try {
      const { sizeBytes } = stored;
      const before = known(sha256, sizeBytes);
      if (before !== null) return before;
      const written =
        redact === null
          ? { ...(await putSealed(stored, sha256)), sha256, sizeBytes }
          : putPlain(path, stored, sha256, redact);
      index.addBlob(sha256, written);
      return written;
    } finally {
      stored.close();
    }
  };
  return {
    lost: () => lost,
    putStored,
    put: async (path, sha256, sizeBytes) => {
      const before = known(sha256, sizeBytes);
      if (before !== null) return before;
      try {
        return await putStored(path, sha256, source.openContent(sha256));
      } catch (cause) {
        if (!(cause instanceof AppError) || !cause.code.startsWith('content.')) throw cause;
        lost.push(path);
        return null;
      }
    },
  };
}

function putChunkTree(out: ObjectWriter, chunks: readonly Buffer[]): Buffer {
  return out.putTree(chunks.map((oid, number) => ({ mode: '100644', name: chunkFile(number), oid })));
}

/** A content that rotted in the vault must not become a backup that looks whole. */
function check(bytes: Buffer, stored: StoredBytes, sha256: Buffer): Buffer {
  let plain = stored.plain ?? bytes;
  if (stored.plain === undefined && stored.encoding === 'zstd') {
    try {
      plain = zstdDecompressSync(bytes, unpackOptions(stored.sizeBytes));
    } catch (cause) {
      throw rotten(sha256, cause);
    }
  }
  if (plain.length !== stored.sizeBytes || !hash('sha256', plain, 'buffer').equals(sha256)) throw rotten(sha256);
  return plain;
}

function unpack(stored: StoredBytes, sha256: Buffer): Buffer {
  return check(stored.read(0, stored.storedBytes), stored, sha256);
}

async function checkLarge(stored: StoredBytes, sha256: Buffer, pieceBytes: number): Promise<void> {
  const digest = createHash('sha256');
  let sizeBytes = 0;
  const take = (piece: Buffer): void => {
    digest.update(piece);
    sizeBytes += piece.length;
  };
  function* pieces(): Generator<Buffer> {
    const step = Math.min(pieceBytes, 1_048_576);
    for (let at = 0; at < stored.storedBytes; at += step) yield stored.read(at, step);
  }
  if (stored.encoding === 'raw') for (const piece of pieces()) take(piece);
  else {
    const stream = createZstdDecompress();
    const fed = (async () => {
      for (const piece of pieces()) {
        if (!stream.write(piece)) await new Promise<void>((resolve) => stream.once('drain', resolve));
      }
      stream.end();
    })();
    fed.catch(() => stream.destroy());
    try {
      for await (const piece of stream) take(piece as Buffer);
    } catch (cause) {
      throw rotten(sha256, cause);
    }
    await fed;
  }
  if (sizeBytes !== stored.sizeBytes || !digest.digest().equals(sha256)) throw rotten(sha256);
}

function rotten(sha256: Buffer, cause?: unknown): AppError {
  const message = `Content ${sha256.toString('hex')} does not match its checksum.`;
  return new AppError('content.damaged', message, cause === undefined ? {} : { cause });
}
