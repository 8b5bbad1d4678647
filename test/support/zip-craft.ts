/** Zips that lie: every field of every header can be set to what it should not be. */
import { crc32, deflateRawSync } from 'node:zlib';

export type CraftedEntry = {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  readonly deflate?: boolean;
  /** What the headers say instead of the truth. */
  readonly localName?: string | Buffer;
  readonly flags?: number;
  readonly localFlags?: number;
  readonly method?: number;
  readonly localMethod?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly storedSize?: number;
  readonly localSize?: number;
  readonly localStoredSize?: number;
  readonly attributes?: number;
  readonly versionMadeBy?: number;
  readonly extra?: Buffer;
  readonly localExtra?: Buffer;
  readonly offset?: number;
  /** Instead of compressing the content. */
  readonly stored?: Buffer;
  /** Bytes behind the data. */
  readonly behind?: Buffer;
  /** In the directory only, pointing at the entry before. */
  readonly isGhost?: boolean;
};

export type CraftedEnd = {
  readonly count?: number;
  readonly countHere?: number;
  readonly size?: number;
  readonly offset?: number;
  readonly disk?: number;
  readonly comment?: Buffer;
  readonly before?: Buffer;
  readonly between?: Buffer;
  readonly after?: Buffer;
};

export function craftZip(entries: readonly CraftedEntry[], end: CraftedEnd = {}): Buffer {
  const parts: Buffer[] = [end.before ?? Buffer.alloc(0)];
  let at = parts[0]?.length ?? 0;
  let lastAt = at;
  const directory: Buffer[] = [];
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '');
    const stored = entry.stored ?? (entry.deflate === true ? deflateRawSync(content) : content);
    const name = Buffer.from(entry.name as string);
    const method = entry.method ?? (entry.deflate === true || entry.stored !== undefined ? 8 : 0);
    const flags = entry.flags ?? 0x800;
    const crc = entry.crc ?? crc32(content);
    const size = entry.size ?? content.length;
    const storedSize = entry.storedSize ?? stored.length;
    const entryAt = entry.isGhost === true ? lastAt : at;
    lastAt = entryAt;
    if (entry.isGhost !== true) {
      const localName = entry.localName === undefined ? name : Buffer.from(entry.localName as string);
      const extra = entry.localExtra ?? Buffer.alloc(0);
      const local = Buffer.alloc(30);
      local.writeUInt32LE(0x04034b50, 0);
      local.writeUInt16LE(20, 4);
      local.writeUInt16LE(entry.localFlags ?? flags, 6);
      local.writeUInt16LE(entry.localMethod ?? method, 8);
      local.writeUInt32LE(crc, 14);
      local.writeUInt32LE(entry.localStoredSize ?? storedSize, 18);
      local.writeUInt32LE(entry.localSize ?? size, 22);
      local.writeUInt16LE(localName.length, 26);
      local.writeUInt16LE(extra.length, 28);
      const all = Buffer.concat([local, localName, extra, stored, entry.behind ?? Buffer.alloc(0)]);
      parts.push(all);
      at += all.length;
    }
    const extra = entry.extra ?? Buffer.alloc(0);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(entry.versionMadeBy ?? (3 << 8) | 63, 4);
    central.writeUInt16LE(20, 6);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(storedSize, 20);
    central.writeUInt32LE(size, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(extra.length, 30);
    central.writeUInt32LE(entry.attributes ?? (0o100644 << 16) >>> 0, 38);
    central.writeUInt32LE(entry.offset ?? entryAt, 42);
    directory.push(central, name, extra);
  }
  const directoryAt = at;
  const all = Buffer.concat(directory);
  const comment = end.comment ?? Buffer.alloc(0);
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(end.disk ?? 0, 4);
  record.writeUInt16LE(end.countHere ?? end.count ?? entries.length, 8);
  record.writeUInt16LE(end.count ?? entries.length, 10);
  record.writeUInt32LE(end.size ?? all.length, 12);
  record.writeUInt32LE(end.offset ?? directoryAt, 16);
  record.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, all, end.between ?? Buffer.alloc(0), record, comment, end.after ?? Buffer.alloc(0)]);
}
