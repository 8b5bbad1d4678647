/** Contents of one repository; also for threads that need nothing else of it. */
import { hash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { frameSize, unzstd } from '../unzstd.ts';
import { damaged, type ObjectKind, type RepositoryKeys, unseal } from './crypto.ts';
import type { GitObjects } from './git-objects.ts';

export type ContentReader = {
  /** Opened and unpacked, not yet held against anything. */
  readonly unpack: (kind: ObjectKind, oid: string, mostBytes: number) => Buffer;
  /** Whole, proven content of a file that is not in chunks. */
  readonly content: (oid: string, sha256: string, sizeBytes: number) => Buffer;
};

export function createContentReader(objects: GitObjects, keys: RepositoryKeys | null): ContentReader {
  const unpack: ContentReader['unpack'] = (kind, oid, mostBytes) => {
    const data = objects.read(oid, 'blob');
    if (keys === null) return data;
    const { encoding, body } = unseal(keys, data, kind, 0);
    if (encoding === 'raw') return body;
    const size = kind === 'content' ? mostBytes : frameSize(body);
    try {
      if (size !== null && size <= mostBytes) return unzstd(body, size);
      return zstdDecompressSync(body, { maxOutputLength: mostBytes });
    } catch (cause) {
      throw damaged(`object ${oid} cannot be unpacked`, cause);
    }
  };
  return {
    unpack,
    content: (oid, sha256, sizeBytes) => {
      const bytes = unpack('content', oid, sizeBytes);
      if (bytes.length !== sizeBytes || hash('sha256', bytes, 'hex') !== sha256)
        throw damaged(`the content ${sha256.slice(0, 12)} is another one`);
      return bytes;
    },
  };
}
