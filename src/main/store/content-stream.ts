import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import type Database from 'better-sqlite3';
import { AppError } from '../../shared/errors.ts';
import { OBJECT_THRESHOLD_BYTES, objectPath, readContent } from './contents.ts';

/**
 * The bytes of a version as a stream of bounded memory, however large it is. It fails with `content.missing` or
 * `content.damaged` before its end when the bytes are not those of the SHA-256.
 */
export function streamContent(
  db: Database.Database,
  dataFolder: string,
  content: { readonly sha256: Buffer; readonly sizeBytes: number },
): Readable {
  if (content.sizeBytes <= OBJECT_THRESHOLD_BYTES) return Readable.from([readContent(db, dataFolder, content.sha256)]);
  const hex = content.sha256.toString('hex');
  return Readable.from(unpackObject(objectPath(dataFolder, hex), content.sizeBytes, hex));
}

async function* unpackObject(path: string, sizeBytes: number, hex: string): AsyncGenerator<Buffer> {
  const digest = createHash('sha256');
  let length = 0;
  const file = createReadStream(path);
  const unpacked = createZstdDecompress();
  file.on('error', (cause) => unpacked.destroy(cause));
  file.pipe(unpacked);
  try {
    for await (const piece of unpacked as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > sizeBytes) break;
      digest.update(piece);
      yield piece;
    }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code === 'ENOENT' || code === 'EACCES')
      throw new AppError('content.missing', `The object file of content ${hex} cannot be read.`, { cause });
    throw new AppError('content.damaged', `Content ${hex} cannot be unpacked.`, { cause });
  } finally {
    file.destroy();
  }
  if (length !== sizeBytes || digest.digest('hex') !== hex)
    throw new AppError('content.damaged', `Content ${hex} does not match its checksum.`);
}
