import { appendFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mendContents } from '../../src/main/mend-contents.ts';
import { readContent } from '../../src/main/store/contents.ts';
import { listPacks, packPath } from '../../src/main/store/packs.ts';
import { createWatchHarness, type WatchHarness } from '../support/watch-harness.ts';

const LARGE = Buffer.alloc(2_000_000, 'large ');
/** Enough for packs, and one that has an object file. */
async function captured(): Promise<WatchHarness> {
  const h = createWatchHarness({ isWatching: false });
  mkdirSync(join(h.root, 'sub'));
  for (let file = 0; file < 20; file += 1)
    writeFileSync(join(h.root, 'sub', `${file}.md`), `Note ${file}. `.repeat(40));
  writeFileSync(join(h.root, 'large.bin'), LARGE);
  await h.start();
  await h.scan();
  return h;
}
const hashes = (h: WatchHarness): Buffer[] =>
  h.store.db
    .prepare<[], { sha256: Buffer }>('SELECT sha256 FROM contents')
    .all()
    .map(({ sha256 }) => sha256);

test('a sound vault is left as it is', async () => {
  const h = await captured();
  expect(await mendContents(h.store, 200)).toMatchObject({ missing: [], damaged: [], mended: [] });
  await h.stop();
});

test('contents of a lost pack and a lost object are stored again from the files that hold them; no version is made', async () => {
  const h = await captured();
  for (const pack of listPacks(h.dataFolder)) rmSync(packPath(h.dataFolder, pack));
  rmSync(join(h.dataFolder, 'objects'), { recursive: true });
  // One moved on since: what it was is nowhere any more.
  appendFileSync(join(h.root, 'sub', '7.md'), 'more');
  const { missing, damaged, mended } = await mendContents(h.store, 50);
  expect({ missing: missing.length, damaged, mended: mended.length }).toEqual({ missing: 1, damaged: [], mended: 20 });
  const broken = hashes(h).filter((sha256) => {
    try {
      readContent(h.store.db, h.dataFolder, sha256);
      return false;
    } catch {
      return true;
    }
  });
  expect(broken.map((sha256) => sha256.toString('hex'))).toEqual(missing);
  expect(h.versions('sub/3.md')).toEqual(['Note 3. '.repeat(40)]);
  expect((await mendContents(h.store, 50)).mended).toEqual([]);
  await h.stop();
});

test('what reads differently than it was written is stored again, too', async () => {
  const h = await captured();
  const [pack = 0] = listPacks(h.dataFolder);
  truncateSync(packPath(h.dataFolder, pack), 40);
  let mended = 0;
  // Contents are proven in random order.
  for (let round = 0; round < 50 && mended < 20; round += 1) mended += (await mendContents(h.store, 20)).mended.length;
  expect(mended).toBe(20);
  for (const sha256 of hashes(h)) expect(() => readContent(h.store.db, h.dataFolder, sha256)).not.toThrow();
  await h.stop();
});
