import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { frameSize, unzstd } from '../../src/main/unzstd.ts';

it('unpacks frames of any size, one after the other, each into memory of its own', () => {
  const texts = [0, 1, 95, 255, 256, 300, 65_791, 65_792, 1_000_000].map((size) =>
    Buffer.alloc(size, `text of ${size} `),
  );
  const all = [...texts, ...[10, 5_000, 400_000].map((size) => randomBytes(size))];
  const unpacked = all.map((bytes) => unzstd(zstdCompressSync(bytes), bytes.length));
  for (const [index, bytes] of unpacked.entries()) expect(bytes.equals(all[index] as Buffer)).toBe(true);
});

it('says what a frame says of its size', () => {
  for (const size of [1, 255, 256, 65_791, 65_792, 3_000_000]) {
    const packed = zstdCompressSync(Buffer.alloc(size, 'abc'));
    expect([size, null]).toContain(frameSize(packed));
    if (packed.length >= 14) expect(frameSize(packed)).toBe(size);
  }
  expect(frameSize(Buffer.from('no frame of zstd at all'))).toBeNull();
});

it('throws for a damaged frame, for one that is cut off and for another size, and goes on after it', () => {
  const plain = Buffer.from('the same words again and again, '.repeat(200));
  const packed = zstdCompressSync(plain);
  fc.assert(
    fc.property(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(packed);
      changed[at] = (changed[at] ?? 0) ^ change;
      let outcome: Buffer | null = null;
      try {
        outcome = unzstd(changed, plain.length);
      } catch {
        // Refused.
      }
      // What the frame itself does not notice is found by the checksum of the content.
      expect(outcome === null || outcome.length === plain.length).toBe(true);
      expect(unzstd(packed, plain.length).equals(plain)).toBe(true);
    }),
  );
  for (const wrong of [
    () => unzstd(packed.subarray(0, -3), plain.length),
    () => unzstd(packed, plain.length - 1),
    () => unzstd(packed, plain.length + 1),
  ]) {
    expect(wrong).toThrow();
    expect(unzstd(packed, plain.length).equals(plain)).toBe(true);
  }
});
