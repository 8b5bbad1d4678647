import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, createWriteStream, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readZipEntry, streamZipEntry } from '../../../src/main/backup/zip-contents.ts';
import { readZipStructure, ZIP_LIMITS } from '../../../src/main/backup/zip-structure.ts';
import { writeZip, type ZipInput } from '../../../src/main/backup/zip-write.ts';

/** With `ZIP_BYTES=4500000000` the same with an archive that needs it; that takes minutes. */
const BYTES = Number(process.env.ZIP_BYTES ?? 3_000_000);
const WIDE = process.env.ZIP_BYTES === undefined ? { wideFrom: 100_000 } : {};

function* pieces(bytes: number): Generator<Buffer> {
  const piece = Buffer.alloc(1_048_576, 'a large file is written piece by piece; ');
  for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length));
}

function input(name: string, content: () => Iterable<Buffer>): ZipInput {
  return { name, mtime: new Date(1_700_000_000_000), mode: 0o644, open: async () => content() };
}

test.each([0, 1])(
  'an archive that needs 64 bits opens with stock tools and here (level %i)',
  async (level) => {
    const folder = mkdtempSync(join(tmpdir(), 'angles-zip64-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'wide.zip');
    const entries = [
      input('first.md', () => [Buffer.from('before it')]),
      input('large.bin', () => pieces(BYTES)),
      input('second.md', () => [Buffer.from('behind it')]),
      input('larger.bin', () => pieces(2_500_000)),
    ];
    await pipeline(Readable.from(writeZip(entries, { level, commentBytes: 0, ...WIDE })), createWriteStream(file));
    expect(execFileSync('unzip', ['-t', file], { encoding: 'utf8' })).toContain('No errors detected');
    expect(execFileSync('unzip', ['-p', file, 'second.md'], { encoding: 'utf8' })).toBe('behind it');
    const python =
      'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), [i.file_size for i in z.infolist()])';
    const second = spawnSync('python3', ['-c', python, file], { encoding: 'utf8' });
    if (second.error === undefined) expect(second.stdout).toBe(`None [9, ${BYTES}, 9, 2500000]\n`);
    const descriptor = openSync(file, 'r');
    onTestFinished(() => closeSync(descriptor));
    const { entries: found } = await readZipStructure(descriptor, {
      ...ZIP_LIMITS,
      mostRatio: Number.POSITIVE_INFINITY,
    });
    expect(found.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ['first.md', 9],
      ['large.bin', BYTES],
      ['second.md', 9],
      ['larger.bin', 2_500_000],
    ]);
    const [, large, small] = found;
    if (large === undefined || small === undefined) throw new Error('entries are missing');
    expect(readZipEntry(descriptor, small, null).toString()).toBe('behind it');
    let bytes = 0;
    for await (const piece of streamZipEntry(descriptor, large, null)) bytes += (piece as Buffer).length;
    expect(bytes).toBe(BYTES);
  },
  900_000,
);
