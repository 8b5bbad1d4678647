import { randomBytes } from 'node:crypto';

/**
 * A UUID version 7 (RFC 9562): 48 bits of milliseconds first, so ids made later sort later.
 * @param timeMs from the hybrid clock, so that order survives a wall clock that jumps back
 */
export function uuidv7(timeMs: number): string {
  const bytes = nextRandom();
  bytes.writeUIntBE(Math.max(0, Math.trunc(timeMs)) % 2 ** 48, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
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
