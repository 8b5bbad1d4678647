/** Many small packs become one: every look-up asks each pack, and every pack is two open files. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { damaged } from './crypto.ts';
import type { GitObjects } from './git-objects.ts';
import { createPackWriter } from './pack-writer.ts';

/** Packs above this stay as they are: copying them costs more than it saves. */
const SMALL_PACK_BYTES = 64 * 1_048_576;

/**
 * Joins the small packs when there are at least `many`. Entries are copied as they are, proven by their CRC; the old
 * packs go after the new one is durable. A kill leaves the old ones, or both.
 */
export function repackIfMany(objects: GitObjects, many: number): boolean {
  const small = objects.packs().filter((pack) => pack.sizeBytes < SMALL_PACK_BYTES);
  if (small.length < many) return false;
  const writer = createPackWriter(objects.packFolder);
  const joined: string[] = [];
  try {
    for (const pack of small) {
      const offsets = Array.from({ length: pack.index.count }, (_, position) => position).sort(
        (a, b) => pack.index.offsetAt(a) - pack.index.offsetAt(b),
      );
      const entries = offsets.map((position) => ({
        oid: Buffer.from(pack.index.oidAt(position)),
        crc: pack.index.crcAt(position),
        offset: pack.index.offsetAt(position),
      }));
      if (entries.some(({ offset }) => pack.rawAt(offset) === null)) continue;
      for (const { oid, crc, offset } of entries) {
        const raw = pack.rawAt(offset);
        if (raw === null) throw damaged(`${pack.name} changed while it was read`);
        if (!writer.has(oid)) writer.addRaw(oid, raw, crc);
      }
      joined.push(pack.name);
    }
    if (joined.length < 2) {
      writer.abandon();
      return false;
    }
    const name = writer.finish().publish();
    for (const old of joined) {
      if (old === name) continue;
      // The index first: a pack without one is a leftover, an index without its pack would be a damage.
      rmSync(join(objects.packFolder, `${old}.idx`), { force: true });
      for (const suffix of ['.pack', '.rev', '.bitmap', '.keep'])
        rmSync(join(objects.packFolder, old + suffix), { force: true });
    }
    objects.refresh();
    return true;
  } catch (cause) {
    writer.abandon();
    throw cause;
  }
}
