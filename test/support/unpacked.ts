/** What is packed within bytes, by their first bytes: gzip, zlib (objects of git), zstd, zip, packs of git. */
import { gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

type Unpacked = { readonly name: string; readonly bytes: Buffer };

const DEEPEST = 4;

/** Everything that is packed in `bytes`, and in that again; nothing for what is not packed or damaged. */
export function unpacked(bytes: Buffer, name: string, depth = 0): readonly Unpacked[] {
  if (depth >= DEEPEST) return [];
  const inside = contentsOf(bytes).map((content, number) => ({ name: `${name}!${number}`, bytes: content }));
  return inside.flatMap((one) => [one, ...unpacked(one.bytes, one.name, depth + 1)]);
}

function contentsOf(bytes: Buffer): readonly Buffer[] {
  if (bytes.length < 4) return [];
  const head = bytes.readUInt32BE(0);
  if (head === 0x504b0304) return zipEntries(bytes);
  if (head === 0x5041434b) return packObjects(bytes);
  if (head === 0x28b52ffd) return attempt(() => zstdDecompressSync(bytes));
  if (head >>> 16 === 0x1f8b) return attempt(() => gunzipSync(bytes));
  if (head >>> 24 === 0x78 && (head >>> 16) % 31 === 0) return attempt(() => inflateSync(bytes));
  return [];
}

function attempt(unpack: () => Buffer): readonly Buffer[] {
  try {
    return [unpack()];
  } catch {
    return [];
  }
}

/** By the central directory, as the local headers may not know the sizes. */
function zipEntries(bytes: Buffer): readonly Buffer[] {
  const entries: Buffer[] = [];
  const mark = Buffer.from([0x50, 0x4b, 0x01, 0x02]);
  for (let at = bytes.indexOf(mark); at >= 0 && at + 46 <= bytes.length; at = bytes.indexOf(mark, at + 46)) {
    const size = bytes.readUInt32LE(at + 20);
    const local = bytes.readUInt32LE(at + 42);
    if (local + 30 > bytes.length) continue;
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(start, start + size);
    // Stored as it is: the bytes of the zip show it.
    if (bytes.readUInt16LE(at + 10) === 8) entries.push(...attempt(() => inflateRawSync(data)));
  }
  return entries;
}

/** Each object of a pack, deltas as they are: new bytes stand in them plainly. */
function packObjects(bytes: Buffer): readonly Buffer[] {
  const objects: Buffer[] = [];
  let at = 12;
  for (let left = bytes.length < 12 ? 0 : bytes.readUInt32BE(8); left > 0 && at < bytes.length - 20; left -= 1) {
    const type = ((bytes[at] ?? 0) >> 4) & 7;
    at = behindVariable(bytes, at);
    if (type === 6) at = behindVariable(bytes, at);
    if (type === 7) at += 20;
    try {
      const { buffer, engine } = inflateSync(bytes.subarray(at), { info: true }) as unknown as {
        readonly buffer: Buffer;
        readonly engine: { readonly bytesWritten: number };
      };
      objects.push(buffer);
      at += engine.bytesWritten;
    } catch {
      return objects;
    }
  }
  return objects;
}

function behindVariable(bytes: Buffer, start: number): number {
  let at = start;
  while (((bytes[at] ?? 0) & 0x80) !== 0) at += 1;
  return at + 1;
}
