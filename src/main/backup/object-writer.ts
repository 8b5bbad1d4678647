/** Turns the parts of a backup into objects of new packs: sealed where the repository is encrypted, each written once. */
import { hash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { damaged, type Encoding, OBJECT_KINDS, type ObjectKind, type RepositoryKeys, seal, unseal } from './crypto.ts';
import type { GitObjects } from './git-objects.ts';
import { formatTree, type TreeEntry } from './git-repository.ts';
import type { ObjectType } from './pack-format.ts';
import { createPackWriter, type FinishedPack, type Oid, objectId, type PackWriter } from './pack-writer.ts';

export type ObjectWriter = {
  /** A sealed object of bytes that are compressed or not worth it. Only for encrypted repositories. */
  readonly putSealed: (kind: ObjectKind, encoding: Encoding, body: Buffer, index?: number) => Oid;
  /** JSON and the like: compressed and sealed, or as it is where nothing is encrypted. */
  readonly putData: (kind: ObjectKind, data: Buffer) => { readonly oid: Oid; readonly sha256: Buffer };
  /** Bytes that anybody may read. */
  readonly putBlob: (data: Buffer) => Oid;
  readonly putTree: (entries: readonly TreeEntry[]) => Oid;
  readonly putCommit: (data: Buffer) => Oid;
  readonly count: () => number;
  readonly sizeBytes: () => number;
  /** Makes everything durable and readable. Nothing refers to it yet. */
  readonly publish: () => void;
  /** Reads back from the disk and compares every object with what was to be written. Throws `backup.damaged`. */
  readonly readBack: (onProgress: () => Promise<void>) => Promise<void>;
  /** Takes back what was published or written so far, when nothing refers to it. */
  readonly abandon: () => void;
};

/** Git hosts refuse what is too large, and a small pack needs little memory to be read. */
const LARGEST_PACK_BYTES = 1_073_741_824;
const COMPRESS_FROM_BYTES = 96;
const ROW_BYTES = 25;
const NOT_SEALED = 0;

export function createObjectWriter(objects: GitObjects, keys: RepositoryKeys | null): ObjectWriter {
  let pack: PackWriter | null = null;
  const finished: FinishedPack[] = [];
  const earlier = new Set<string>();
  let published: string[] = [];
  let doneObjects = 0;
  let doneBytes = 0;
  /** What is to be read back: id, kind, index, in the order of the packs. */
  let rows = Buffer.allocUnsafe(ROW_BYTES * 256);
  let rowCount = 0;

  const finishPack = (): void => {
    if (pack === null) return;
    const done = pack.finish();
    finished.push(done);
    doneObjects += done.objects;
    doneBytes += done.sizeBytes;
    pack = null;
  };
  const remember = (oid: Oid, kind: number, index: number): void => {
    if ((rowCount + 1) * ROW_BYTES > rows.length) rows = Buffer.concat([rows], rows.length * 2);
    const at = rowCount * ROW_BYTES;
    oid.copy(rows, at);
    rows[at + 20] = kind;
    rows.writeUInt32BE(index, at + 21);
    rowCount += 1;
    earlier.add(oid.toString('latin1'));
  };
  const add = (type: ObjectType, data: Buffer, kind: ObjectKind | null, index = 0): Oid => {
    const oid = objectId(type, data);
    if (earlier.has(oid.toString('latin1')) || objects.has(oid)) return oid;
    if (pack !== null && pack.sizeBytes() + data.length > LARGEST_PACK_BYTES) finishPack();
    pack ??= createPackWriter(objects.packFolder);
    pack.add(type, oid, data, kind === null ? 'compress' : 'store');
    remember(oid, kind === null ? NOT_SEALED : OBJECT_KINDS[kind], index);
    return oid;
  };
  const putSealed: ObjectWriter['putSealed'] = (kind, encoding, body, index = 0) => {
    if (keys === null) throw new Error('nothing is sealed in a repository without a key');
    return add('blob', seal(keys, { kind, encoding, index, body }), kind, index);
  };
  return {
    putSealed,
    putData: (kind, data) => {
      const sha256 = hash('sha256', data, 'buffer');
      if (keys === null) return { oid: add('blob', data, null), sha256 };
      const packed = data.length >= COMPRESS_FROM_BYTES ? zstdCompressSync(data) : data;
      const isSmaller = packed.length < data.length;
      return { oid: putSealed(kind, isSmaller ? 'zstd' : 'raw', isSmaller ? packed : data), sha256 };
    },
    putBlob: (data) => add('blob', data, null),
    putTree: (entries) => add('tree', formatTree(entries), null),
    putCommit: (data) => add('commit', data, null),
    count: () => doneObjects + (pack?.count() ?? 0),
    sizeBytes: () => doneBytes + (pack?.sizeBytes() ?? 0),
    publish: () => {
      finishPack();
      published = finished.splice(0).map((each) => each.publish());
      objects.refresh();
    },
    readBack: async (onProgress) => {
      const kinds = new Map<number, ObjectKind>(
        Object.entries(OBJECT_KINDS).map(([name, number]) => [number, name as ObjectKind]),
      );
      for (let row = 0; row < rowCount; row += 1) {
        const at = row * ROW_BYTES;
        const oid = rows.toString('hex', at, at + 20);
        const object = objects.find(oid);
        if (object === undefined) throw damaged(`object ${oid} was written and is not there`);
        const kind = kinds.get(rows[at + 20] ?? NOT_SEALED);
        if (kind !== undefined && keys !== null) unseal(keys, object.data, kind, rows.readUInt32BE(at + 21));
        if (row % 500 === 499) await onProgress();
      }
    },
    abandon: () => {
      pack?.abandon();
      pack = null;
      for (const each of finished.splice(0)) rmSync(each.temporary, { force: true });
      for (const name of published) {
        for (const suffix of ['.idx', '.pack']) rmSync(join(objects.packFolder, name + suffix), { force: true });
      }
      published = [];
      objects.refresh();
    },
  };
}
