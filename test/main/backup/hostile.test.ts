import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openArchive } from '../../../src/main/backup/archive-read.ts';
import { filePathTrouble } from '../../../src/main/backup/entry-names.ts';
import { ZIP_LIMITS } from '../../../src/main/backup/zip-structure.ts';
import { nameFromBytes } from '../../../src/main/path-names.ts';
import { HOSTILE_NAMES } from '../../support/hostile-names.ts';
import { type CraftedEnd, type CraftedEntry, craftZip } from '../../support/zip-craft.ts';

/** Makes an old archive of whatever is beside it, so that only the crafted part can be why it is refused. */
const STATE: CraftedEntry = { name: 'state.json', content: '{}' };
const LINK = (0o120777 << 16) >>> 0;
const bomb = deflateRawSync(Buffer.alloc(20_000_000));

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'angles-hostile-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function open(bytes: Buffer, limits = ZIP_LIMITS) {
  const base = folder();
  const data = join(base, 'data');
  mkdirSync(data);
  writeFileSync(join(base, 'a.zip'), bytes);
  try {
    const source = await openArchive(join(base, 'a.zip'), {
      key: null,
      fernetKey: null,
      dataFolder: data,
      verify: 'all',
      limits,
    });
    await source.close();
    return 'opened';
  } catch (cause) {
    return (cause as { code?: string }).code ?? String(cause);
  } finally {
    expect(readdirSync(base).sort()).toEqual(['a.zip', 'data']);
  }
}

const BAD_NAMES: readonly (string | Buffer)[] = [
  '../evil',
  'a/../../evil',
  '..',
  '.',
  './a',
  'a/./b',
  '/etc/passwd',
  '//server/share',
  'a//b',
  'C:\\evil',
  'C:evil',
  'c:/evil',
  '\\\\server\\share\\evil',
  'a\\b',
  '..\\evil',
  'a\\..\\..\\evil',
  'nul\0byte',
  'a\nb',
  'a\u001b[0m',
  'a\u007f',
  'CON',
  'con.txt',
  'dir/NUL',
  'aux.md',
  'LPT1',
  'com1.log',
  'trailing.',
  'trailing ',
  'dir./a',
  'dir /a',
  'a:stream',
  'file:',
  '',
  '/',
  '../',
  `${'x/'.repeat(2_500)}y`,
  Buffer.from([0x61, 0xff, 0xfe]),
  Buffer.from([0xc0, 0xae, 0xc0, 0xae, 0x2f, 0x61]),
  Buffer.from([0xed, 0xa0, 0x80]),
];

const CRAFTED: readonly [string, readonly CraftedEntry[], CraftedEnd?][] = [
  ['a symbolic link', [STATE, { name: 'a', content: '/etc', attributes: LINK }]],
  [
    'a link that says it comes from another system',
    [STATE, { name: 'a', content: '/etc', attributes: LINK, versionMadeBy: 20 }],
  ],
  [
    'a link and then a file through it',
    [STATE, { name: 'a', content: '/tmp', attributes: LINK }, { name: 'a/b', content: 'x' }],
  ],
  ['a device', [STATE, { name: 'a', attributes: (0o060644 << 16) >>> 0 }]],
  ['a pipe', [STATE, { name: 'a', attributes: (0o010644 << 16) >>> 0 }]],
  ['a hard link in the field of PKWARE', [STATE, { name: 'a', extra: Buffer.from([0x0d, 0, 4, 0, 1, 2, 3, 4]) }]],
  ['a link in the field of ASi', [STATE, { name: 'a', extra: Buffer.from([0x6e, 0x75, 4, 0, 1, 2, 3, 4]) }]],
  ['a folder with the name of a file', [STATE, { name: 'a', attributes: (0o040755 << 16) >>> 0 }]],
  ['a folder with content', [STATE, { name: 'a/', content: 'xyz', attributes: (0o040755 << 16) >>> 0 }]],
  ['one name twice', [STATE, { name: 'a', content: '1' }, { name: 'a', content: '2' }]],
  ['names that differ by case', [STATE, { name: 'A', content: '1' }, { name: 'a', content: '2' }]],
  [
    'names that differ by normalisation',
    [STATE, { name: 'caf\u00e9', content: '1' }, { name: 'cafe\u0301', content: '2' }],
  ],
  ['a file that is the folder of another', [STATE, { name: 'a', content: '1' }, { name: 'a/b', content: '2' }]],
  ['a file that is a folder', [STATE, { name: 'a/b', content: '2' }, { name: 'A', content: '1' }]],
  ['another name in front of the data', [STATE, { name: 'a', localName: '../b', content: '1' }]],
  ['a longer name in front of the data', [STATE, { name: 'a', localName: 'aaaaaaaa', content: '1' }]],
  ['other flags in front of the data', [STATE, { name: 'a', content: '1', localFlags: 0 }]],
  ['another method in front of the data', [STATE, { name: 'a', content: '1', localMethod: 8 }]],
  ['another size in front of the data', [STATE, { name: 'a', content: '12', localSize: 1 }]],
  ['another stored size in front of the data', [STATE, { name: 'a', content: '12', localStoredSize: 1 }]],
  [
    'a second name in a field',
    [
      STATE,
      {
        name: 'a',
        content: '1',
        extra: Buffer.concat([Buffer.from([0x75, 0x70, 11, 0, 1, 0, 0, 0, 0]), Buffer.from('../../')]),
      },
    ],
  ],
  ['a size that is too large', [STATE, { name: 'a', content: 'abc', deflate: true, size: 4 }]],
  ['a size that is too small', [STATE, { name: 'a', content: 'abc', deflate: true, size: 2 }]],
  ['a stored size that is too large', [STATE, { name: 'a', content: 'abc', storedSize: 40, size: 40 }]],
  ['a checksum of something else', [STATE, { name: 'a', content: 'abc', crc: 1 }]],
  ['a stored file of two sizes', [STATE, { name: 'a', content: 'abc', size: 4 }]],
  [
    'more bytes behind the end of the compressed data',
    [STATE, { name: 'a', content: 'abc', stored: Buffer.concat([deflateRawSync('abc'), Buffer.from('junk')]) }],
  ],
  ['data that cannot be unpacked', [STATE, { name: 'a', content: 'abc', stored: Buffer.from([0xff, 0xff, 0xff]) }]],
  ['data that unpacks to more than it says', [STATE, { name: 'a', content: 'x', stored: bomb, size: 1_000 }]],
  [
    'a size that no data can have',
    [STATE, { name: 'a', content: 'x', stored: Buffer.from([3, 0]), size: 4_000_000_000 }],
  ],
  ['entries that overlap', [STATE, { name: 'a', content: 'shared' }, { name: 'b', content: 'shared', isGhost: true }]],
  [
    'an entry in the data of another',
    [
      STATE,
      { name: 'a', content: craftZip([{ name: 'b', content: 'in' }]) },
      { name: 'b', content: 'in', offset: 80, isGhost: true },
    ],
  ],
  [
    'bytes between entries',
    [STATE, { name: 'a', content: '1', behind: Buffer.from('gap') }, { name: 'b', content: '2' }],
  ],
  ['bytes behind the last entry', [STATE, { name: 'a', content: '1', behind: Buffer.from('gap') }]],
  ['an entry beyond the end', [STATE, { name: 'a', content: '1', offset: 1_000_000 }]],
  ['an entry with a password', [STATE, { name: 'a', content: '1', flags: 0x801 }]],
  ['an entry with strong encryption', [STATE, { name: 'a', content: '1', flags: 0x841 }]],
  ['masked headers', [STATE, { name: 'a', content: '1', flags: 0x2800 }]],
  ['a patch', [STATE, { name: 'a', content: '1', flags: 0x820 }]],
  ['an unusual method', [STATE, { name: 'a', content: '1', method: 14 }]],
  ['a name that is not marked as UTF-8', [STATE, { name: 'caf\u00e9', content: '1', flags: 0 }]],
  ['a descriptor that is missing', [STATE, { name: 'a', content: '1', flags: 0x808 }]],
  [
    'a descriptor that says something else',
    [STATE, { name: 'a', content: '1', flags: 0x808, behind: Buffer.from('504b0708000000000100000002000000', 'hex') }],
  ],
  ['bytes in front of the archive', [STATE], { before: Buffer.from('#!/bin/sh\n') }],
  ['bytes behind the archive', [STATE], { after: Buffer.from('garbage') }],
  ['another archive behind it', [STATE], { after: craftZip([{ name: 'evil', content: 'x' }]) }],
  ['bytes between directory and end', [STATE], { between: Buffer.from('gap') }],
  ['fewer entries than there are', [STATE, { name: 'a', content: '1' }], { count: 1 }],
  ['more entries than there are', [STATE], { count: 2 }],
  ['two counts', [STATE], { countHere: 2 }],
  ['a directory of another size', [STATE], { size: 10 }],
  ['a directory that is elsewhere', [STATE], { offset: 0 }],
  ['a directory beyond the end', [STATE], { offset: 4_000_000_000 }],
  ['several disks', [STATE], { disk: 1 }],
  ['sixty thousand entries that are not there', [STATE], { count: 60_000 }],
  ['an end record in its comment', [STATE], { comment: craftZip([]) }],
];

describe('A hostile archive', () => {
  test('the archives below are refused for what is crafted into them: without that they open', async () => {
    expect(
      await open(craftZip([STATE, { name: 'a', content: 'abc', deflate: true }, { name: 'dir/b', content: '' }])),
    ).toBe('opened');
  });

  test.each(BAD_NAMES.map((name, index) => [JSON.stringify(String(name).slice(0, 40)), name, index] as const))(
    'with the name %s is refused',
    async (_shown, name) => {
      expect(await open(craftZip([STATE, { name, content: 'evil' }]))).toMatch(/^backup\.(hostile|damaged)$/);
    },
  );

  test.each(CRAFTED.map(([what, entries, end = {}]) => [what, entries, end] as const))(
    'with %s is refused',
    async (_what, entries, end) => {
      expect(await open(craftZip(entries, end))).toMatch(/^backup\.(hostile|damaged|foreign)$/);
    },
  );

  test('of more entries or bytes than allowed is refused before they are looked at', async () => {
    const many = Array.from({ length: 1_001 }, (_, index): CraftedEntry => ({ name: `f${index}` }));
    expect(await open(craftZip([STATE, ...many]), { ...ZIP_LIMITS, mostEntries: 1_000 })).toBe('backup.hostile');
    expect(
      await open(craftZip([STATE, { name: 'a', content: 'x'.repeat(2_000) }]), { ...ZIP_LIMITS, mostBytes: 1_000 }),
    ).toBe('backup.hostile');
    // 2 GB of zeros in 2 MB: what deflate can do, and what no backup is.
    const stored = Buffer.alloc(2_100_000);
    expect(await open(craftZip([STATE, { name: 'a', stored, size: 2_100_000_000 }]))).toBe('backup.hostile');
  });

  test('of a million entries is read in bounded time, and refused as it is no backup', async () => {
    const count = Number(process.env.ENTRIES ?? 60_000);
    const entries = Array.from({ length: count }, (_, index): CraftedEntry => ({ name: `${index}` }));
    expect(await open(craftZip(entries))).toBe('backup.foreign');
  });

  test('cut at any place is refused', async () => {
    const whole = craftZip([STATE, { name: 'a', content: 'abcabcabcabc'.repeat(20), deflate: true }]);
    for (let length = 0; length < whole.length; length += 7)
      expect(await open(whole.subarray(0, length)), `${length}`).toMatch(/^backup\.(hostile|damaged|foreign)$/);
  });

  test.each(['', '/a', '../a', 'a/../b', 'a/..', '.', 'a//b', 'a/', 'a\0b', './a', '..'])(
    'a path %j in the metadata is refused',
    (path) => {
      expect(filePathTrouble(path)).not.toBeNull();
    },
  );

  test('a path in the metadata may be whatever a file may be called', () => {
    for (const { bytes } of HOSTILE_NAMES) expect(filePathTrouble(`dir/${nameFromBytes(bytes)}`)).toBeNull();
  });
});
