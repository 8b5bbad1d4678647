import { hash, randomBytes } from 'node:crypto';

/**
 * A UUID version 7 (RFC 9562): 48 bits of milliseconds first, so ids made later sort later.
 * @param timeMs from the hybrid clock, so that order survives a wall clock that jumps back
 */
export function uuidv7(timeMs: number): string {
  const bytes = nextRandom();
  bytes.writeUIntBE(Math.max(0, Math.trunc(timeMs)) % 2 ** 48, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return format(bytes);
}

// One call into the system for 256 ids: a first capture makes hundreds of thousands.
let pool = Buffer.alloc(0);
let used = 0;
function nextRandom(): Buffer {
  if (used + 16 > pool.length) {
    pool = randomBytes(4_096);
    used = 0;
  }
  used += 16;
  return pool.subarray(used - 16, used);
}

/** A UUID version 5 (RFC 9562) of a name in a namespace of ours: two devices make the same one of the same name. */
export function uuidv5(name: string): string {
  const bytes = hash('sha1', Buffer.concat([NAMESPACE, Buffer.from(name)]), 'buffer').subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return format(bytes);
}

const NAMESPACE = Buffer.from('6a1f5f0e0c4b4c58b7a1f2f4d1f0a9c3', 'hex');

function format(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
