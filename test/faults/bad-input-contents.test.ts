import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readContent } from '../../src/main/store/contents.ts';
import { createWatchHarness, type WatchHarness } from '../support/watch-harness.ts';
import { createRandom } from '../support/writer-random.ts';

const MIB = 1_048_576;
const random = createRandom('contents');
/** Bytes that cannot be compressed. */
const noise = (size: number): Buffer => {
  const parts: Buffer[] = [];
  for (let made = 0; made < size; made += 32) parts.push(hash('sha256', `${random.below(2 ** 40)}`, 'buffer'));
  return Buffer.concat(parts).subarray(0, size);
};
const CONTENTS: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  'one byte': Buffer.from([0]),
  'one newline': Buffer.from('\n'),
  'a line of 100,000 characters': Buffer.from('x'.repeat(100_000)),
  'lines of 100,000 characters': Buffer.from(`${'word '.repeat(20_000)}\n`.repeat(5)),
  'no final newline': Buffer.from('a\r\nb\rc'),
  'invalid UTF-8': Buffer.from([0xc3, 0x28, 0xa0, 0xff, 0xfe, 0xed, 0xa0, 0x80]),
  'UTF-16 with a mark': Buffer.from('\ufefftext', 'utf16le'),
  'every byte': Buffer.from(Array.from({ length: 256 }, (_, index) => index)),
  'looks like zstd': Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), noise(200)]),
  'just too short to compress': Buffer.alloc(95, 'a'),
  'just long enough to compress': Buffer.alloc(96, 'a'),
  zeros: Buffer.alloc(500_000),
  noise: noise(500_000),
  'one byte below 1 MiB': noise(MIB - 1),
  '1 MiB': noise(MIB),
  'one byte above 1 MiB': noise(MIB + 1),
  'zeros, one byte above 1 MiB': Buffer.alloc(MIB + 1),
  'several MiB': noise(3 * MIB + 17),
};

let harness: WatchHarness | null = null;
afterEach(async () => {
  await harness?.stop();
  harness = null;
});

function problemsOf(h: WatchHarness): string[] {
  return Object.entries(CONTENTS).flatMap(([name, bytes]) => {
    const snapshots = h.files.history(h.rootId, name, 10, null);
    const sha256 = snapshots[0]?.sha256 ?? null;
    if (snapshots.length !== 1 || sha256 === null) return [`${name}: ${snapshots.length} versions`];
    const kept = readContent(h.store.db, h.dataFolder, Buffer.from(sha256, 'hex'));
    const isSame = kept.equals(bytes) && sha256 === hash('sha256', bytes, 'hex');
    return isSame && snapshots[0]?.sizeBytes === bytes.length ? [] : [`${name}: other bytes`];
  });
}

describe('contents of any kind', () => {
  it.each([true, false])(
    'are captured once and read back byte for byte (as they are saved: %s)',
    async (isWatching) => {
      harness = createWatchHarness({ isWatching });
      const h = harness;
      if (isWatching) await h.start();
      for (const [name, bytes] of Object.entries(CONTENTS)) writeFileSync(join(h.root, name), bytes);
      if (!isWatching) {
        await h.start();
        await h.scan();
      }
      await h.until(
        () => problemsOf(h).length === 0,
        () => problemsOf(h),
      );
      await h.scan();
      expect(problemsOf(h)).toEqual([]);
    },
  );
});
