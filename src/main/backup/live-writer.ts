/** Brings copies of live databases into the repository. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, createWriteStream, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import type { BackupIndex } from '../store/backup-index.ts';
import { ZSTD } from '../store/compress.ts';
import type { StoredBytes } from '../store/contents.ts';
import type { ContentWriter, WrittenContent } from './content-writer.ts';
import { copyLive, stampOf } from './live-database.ts';
import { inRepository } from './pack-writer.ts';
import { makeWorkFolder } from './work-folder.ts';

export type LiveContent = { readonly content: WrittenContent | null; readonly isStale: boolean };

export type LiveWriter = {
  /**
   * Null when it is no live database. One that is locked is taken as it was at its last copy (`isStale`); without one
   * `content` is null, and it is to be taken as it was captured. `path` is absolute.
   */
  readonly put: (path: string) => Promise<LiveContent | null>;
  /** What could not be copied, and why. */
  readonly warnings: () => readonly string[];
  /** Removes the copies. */
  readonly close: () => void;
};

/** A database that did not change since its last copy is not copied again: the index tells. */
export function createLiveWriter(parts: {
  readonly dataFolder: string;
  readonly index: BackupIndex;
  readonly contents: Pick<ContentWriter, 'putStored'>;
}): LiveWriter {
  const { dataFolder, index, contents } = parts;
  const warnings: string[] = [];
  let work: string | null = null;

  const putCopy = async (path: string, copy: string): Promise<WrittenContent> => {
    const packed = `${copy}.zst`;
    rmSync(packed, { force: true });
    const { sha256, sizeBytes } = await pack(copy, packed);
    return contents.putStored(path, sha256, openPacked(packed, sizeBytes));
  };
  return {
    warnings: () => warnings,
    put: async (path) => {
      const key = `live ${path}`;
      const stamp = stampOf(path);
      const before = recall(index, key);
      if (before?.stamp === stamp) return { content: before.content, isStale: false };
      work ??= inRepository(() => makeWorkFolder(dataFolder));
      const copy = join(work, 'live.db');
      rmSync(copy, { force: true });
      const how = await copyLive(path, copy, warnings);
      if (how === 'no database') return null;
      if (how === 'locked') return { content: before?.content ?? null, isStale: true };
      const written = await putCopy(path, copy);
      if (written.redactions === 0 && stampOf(path) === stamp)
        index.set(key, JSON.stringify({ stamp, sha256: written.sha256.toString('hex'), sizeBytes: written.sizeBytes }));
      return { content: written, isStale: false };
    },
    close: () => {
      if (work !== null) rmSync(work, { recursive: true, force: true });
    },
  };
}

function recall(index: BackupIndex, key: string): { readonly stamp: string; readonly content: WrittenContent } | null {
  const text = index.get(key);
  if (text === null) return null;
  const { stamp, sizeBytes, ...before } = JSON.parse(text) as { stamp: string; sha256: string; sizeBytes: number };
  const sha256 = Buffer.from(before.sha256, 'hex');
  const blob = index.blob(sha256);
  return blob === undefined || blob.redactions > 0 ? null : { stamp, content: { ...blob, sha256, sizeBytes } };
}

async function pack(copy: string, packed: string): Promise<{ sha256: Buffer; sizeBytes: number }> {
  const digest = createHash('sha256');
  let sizeBytes = 0;
  const watch = new Transform({
    transform: (piece: Buffer, _, next) => {
      digest.update(piece);
      sizeBytes += piece.length;
      next(null, piece);
    },
  });
  try {
    const output = createWriteStream(packed, { flags: 'wx', mode: 0o600 });
    await pipeline(createReadStream(copy, { highWaterMark: 1_048_576 }), watch, createZstdCompress(ZSTD), output);
  } catch (cause) {
    inRepository(() => {
      throw cause;
    });
  }
  return { sha256: digest.digest(), sizeBytes };
}

function openPacked(packed: string, sizeBytes: number): StoredBytes {
  const descriptor = openSync(packed, 'r');
  return {
    encoding: 'zstd',
    sizeBytes,
    storedBytes: fstatSync(descriptor).size,
    read: (offset, length) => {
      const bytes = Buffer.allocUnsafe(length);
      let done = 0;
      for (let count = -1; count !== 0 && done < length; done += count)
        count = readSync(descriptor, bytes, done, length - done, offset + done);
      return bytes.subarray(0, done);
    },
    close: () => closeSync(descriptor),
  };
}
