import { hash } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openContentLookup, readContent } from '../../../src/main/store/contents.ts';
import { findBroken } from '../../../src/main/store/contents-check.ts';
import { findBlocks, itemBytes } from '../../../src/main/store/pack-format.ts';
import { createPackWriter, type PackedContent } from '../../../src/main/store/pack-writer.ts';
import { listPacks, packPath, packsFolder, syncPacks } from '../../../src/main/store/packs.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { newVault, type TestVault } from './test-vault.ts';

const sha256 = (bytes: Buffer): Buffer => hash('sha256', bytes, 'buffer');
const text = (name: string): Buffer => Buffer.from(`# ${name}\n${'A line of the notes.\n'.repeat(30)}`);

/** Writes contents as a bulk does, and rows that refer to them. */
function store(vault: TestVault, contents: readonly Buffer[], lane = 0): PackedContent[] {
  const writer = createPackWriter({ dataFolder: vault.folder, lane, lanes: 2 });
  const packed = contents.map((bytes) => writer.add(sha256(bytes), bytes));
  writer.flush();
  writer.abandon();
  const insert = vault.store.db.prepare(
    'INSERT OR IGNORE INTO contents (sha256, size_bytes, stored_bytes, encoding, pack, pack_offset) VALUES (?, ?, ?, ?, ?, ?)',
  );
  for (const each of packed)
    insert.run(each.sha256, each.sizeBytes, each.storedBytes, each.encoding, each.place.pack, each.place.offset);
  return packed;
}

const read = ({ store: { db }, folder }: TestVault, bytes: Buffer): Buffer => readContent(db, folder, sha256(bytes));

const onlyPack = ({ folder }: TestVault): string => {
  const [pack] = listPacks(folder);
  if (pack === undefined) throw new Error('there is no pack');
  return packPath(folder, pack);
};

describe('what was written', () => {
  test('is given back byte for byte, whatever its sizes and order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(300_000), fc.constant(1_048_576)), {
          maxLength: 40,
        }),
        async (given) => {
          const vault = newVault();
          const contents = given.map((each, index) =>
            typeof each === 'number' ? Buffer.alloc(each, `content ${index} `) : Buffer.from(each),
          );
          const packed = store(vault, contents);
          await syncPacks(vault.folder, new Set(packed.map(({ place }) => place.pack)));
          for (const bytes of contents) expect(read(vault, bytes).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('goes on in a file that is not full, and two lanes never share one', () => {
    const vault = newVault();
    store(vault, [text('a')], 0);
    store(vault, [text('b')], 1);
    store(vault, [text('c')], 0);
    expect(listPacks(vault.folder)).toHaveLength(2);
    for (const name of ['a', 'b', 'c']) expect(read(vault, text(name)).equals(text(name))).toBe(true);
  });

  test('is written behind the end that a crash left, and found there', () => {
    const vault = newVault();
    store(vault, [text('before')]);
    const whole = readFileSync(onlyPack(vault));
    // Half a block, and zeros where the system had made room.
    appendFileSync(onlyPack(vault), Buffer.concat([whole.subarray(0, whole.length - 20), Buffer.alloc(5_000)]));
    store(vault, [text('after')]);
    expect(listPacks(vault.folder)).toHaveLength(1);
    for (const name of ['before', 'after']) expect(read(vault, text(name)).equals(text(name))).toBe(true);
    const found = [...findBlocks(readFileSync(onlyPack(vault)))].flatMap((block) => block.items);
    expect(found.map((item) => item.sha256.equals(sha256(text('after'))))).toContain(true);
  });

  test('is taken back as a whole when some of it cannot be written, and its space is free again', () => {
    const vault = newVault();
    const writer = createPackWriter({ dataFolder: vault.folder, lane: 0, lanes: 2 });
    writer.add(sha256(text('first')), text('first'));
    writer.flush();
    const before = readFileSync(onlyPack(vault));
    // Larger than a block: it is in the file at once.
    writer.add(sha256(Buffer.alloc(400_000)), Buffer.alloc(400_000));
    writer.add(sha256(text('lost')), text('lost'));
    writer.rollBack();
    expect(readFileSync(onlyPack(vault)).equals(before)).toBe(true);
    store(vault, [text('next')]);
    expect(read(vault, text('next')).equals(text('next'))).toBe(true);
  });

  test('goes to another file after a failed sync, and what was not whole is in none', () => {
    const vault = newVault();
    const writer = createPackWriter({ dataFolder: vault.folder, lane: 0, lanes: 2 });
    writer.add(sha256(text('first')), text('first'));
    writer.flush();
    writer.add(sha256(text('lost')), text('lost'));
    writer.abandon();
    writer.add(sha256(text('second')), text('second'));
    writer.flush();
    const hashes = listPacks(vault.folder).map((pack) =>
      [...findBlocks(readFileSync(packPath(vault.folder, pack)))].flatMap(({ items }) =>
        items.map((item) => item.sha256.toString('hex')),
      ),
    );
    const expected = [text('first'), text('second')].map((bytes) => [sha256(bytes).toString('hex')]);
    expect(hashes.sort()).toEqual(expected.sort());
  });
});

describe('what is damaged', () => {
  test('by any one bit is never given out: the right bytes or an error of the catalogue', () => {
    const vault = newVault();
    const contents = ['one', 'two', 'three'].map(text);
    store(vault, contents);
    const path = onlyPack(vault);
    const whole = readFileSync(path);
    const refused = new Set<string>();
    for (let at = 0; at < whole.length; at += 1) {
      const flipped = Buffer.from(whole);
      flipped.writeUInt8((flipped[at] ?? 0) ^ (1 << (at % 8)), at);
      writeFileSync(path, flipped);
      for (const bytes of contents) {
        // Another place first, so that nothing is answered from memory.
        store(vault, [Buffer.from(`other ${at}`)], 1);
        read(vault, Buffer.from(`other ${at}`));
        try {
          expect(read(vault, bytes).equals(bytes)).toBe(true);
        } catch (cause) {
          if (!(cause instanceof AppError)) throw cause;
          refused.add(cause.code);
        }
      }
    }
    expect([...refused]).toEqual(['content.damaged']);
  });

  test('does not hide what follows it', () => {
    const vault = newVault();
    const large = ['a', 'b', 'c'].map((name) => Buffer.alloc(200_000, `${name} large `));
    store(vault, large);
    const path = onlyPack(vault);
    const bytes = readFileSync(path);
    // The stored size of the first block now leads far beyond the second.
    bytes.writeUInt32LE(100_000, 12);
    writeFileSync(path, bytes);
    const found = [...findBlocks(bytes)].map((block) => block.items.map((item) => itemBytes(block, item)));
    expect(found).toEqual([[large[1]], [large[2]]]);
  });

  test.each([
    ['without its pack', 'content.missing', (path: string) => rmSync(path)],
    ['in a pack that was cut off', 'content.damaged', (path: string) => truncateSync(path, 60)],
    ['in a pack of no bytes', 'content.damaged', (path: string) => truncateSync(path, 0)],
  ])('a content %s is refused as %s', (_, code, damage) => {
    const vault = newVault();
    store(vault, [text('gone')]);
    damage(onlyPack(vault));
    expect(() => read(vault, text('gone'))).toThrow(expect.objectContaining({ code }));
    const hex = sha256(text('gone')).toString('hex');
    const { missing, damaged } = findBroken(vault.store, 50);
    expect({ missing, damaged }).toEqual(
      code === 'content.missing' ? { missing: [hex], damaged: [] } : { missing: [], damaged: [hex] },
    );
  });
});

test('only packs count as packs, and none when there is no folder', () => {
  const vault = newVault();
  expect(listPacks(vault.folder)).toEqual([]);
  store(vault, [text('a')]);
  writeFileSync(`${packsFolder(vault.folder)}/notes.txt`, '');
  expect(readdirSync(packsFolder(vault.folder))).toHaveLength(2);
  expect(listPacks(vault.folder)).toHaveLength(1);
});

test('a pack that cannot be synced says so: nothing may refer to it', async () => {
  const vault = newVault();
  await expect(syncPacks(vault.folder, new Set([7]))).rejects.toMatchObject({ code: 'data.unwritable' });
});

test.each(['an empty vault', 'a vault with contents'])(
  '%s: what it refers to is known, anything else is not',
  (which) => {
    const vault = newVault();
    if (which !== 'an empty vault') store(vault, [text('old')]);
    const lookup = openContentLookup(vault.folder);
    expect(lookup.isKnown(sha256(text('new')))).toBe(false);
    store(vault, [text('new')]);
    expect(lookup.isKnown(sha256(text('new')))).toBe(true);
    expect(lookup.isKnown(sha256(text('newer')))).toBe(false);
    if (which !== 'an empty vault') expect(lookup.isKnown(sha256(text('old')))).toBe(true);
  },
);
