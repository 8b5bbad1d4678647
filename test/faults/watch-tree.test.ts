/** What changes its kind, its place or its name while it is watched. */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readContent } from '../../src/main/store/contents.ts';
import { NODE, run } from '../support/strace.ts';
import { createWatchHarness, type WatchHarness } from '../support/watch-harness.ts';

let harness: WatchHarness | null = null;
afterEach(async () => {
  await harness?.stop();
  harness = null;
});

function create(options: Parameters<typeof createWatchHarness>[0] = {}): WatchHarness {
  harness = createWatchHarness(options);
  return harness;
}

const at = (h: WatchHarness, path: string) => join(h.root, path);
const write = (h: WatchHarness, path: string, text: string) => writeFileSync(at(h, path), text);
const becomes = (h: WatchHarness, wanted: Record<string, string>) =>
  h.until(
    () => JSON.stringify(newest(h)) === JSON.stringify(wanted),
    () => newest(h),
  );
/** What the vault says is there, with its newest content. */
const newest = (h: WatchHarness): Record<string, string | null> =>
  Object.fromEntries(
    h
      .present()
      .sort()
      .map((path) => [path, h.versions(path).at(-1) ?? null]),
  );

describe('folders', () => {
  it('that are removed and made again at once are watched as the new ones they are', async () => {
    const h = create();
    mkdirSync(at(h, 'a/b'), { recursive: true });
    write(h, 'a/b/in.md', 'one');
    await h.start();
    await becomes(h, { 'a/b/in.md': 'one' });
    const before = statSync(at(h, 'a')).ino;
    // Until the new folder has the inode of the removed one, as it mostly has at once.
    for (let round = 0; round < 50; round += 1) {
      rmSync(at(h, 'a'), { recursive: true });
      mkdirSync(at(h, 'a/b'), { recursive: true });
      if (statSync(at(h, 'a')).ino === before) break;
    }
    await becomes(h, {});
    write(h, 'a/b/in.md', 'two');
    await becomes(h, { 'a/b/in.md': 'two' });
    write(h, 'a/b/in.md', 'three');
    await becomes(h, { 'a/b/in.md': 'three' });
    expect(h.versions('a/b/in.md')).toEqual(['one', null, 'two', 'three']);
  });

  it('that become a file, and a file that becomes a folder, and back', async () => {
    const h = create();
    mkdirSync(at(h, 'x/deep'), { recursive: true });
    write(h, 'x/deep/in.md', 'in');
    write(h, 'y', 'file');
    await h.start();
    await becomes(h, { 'x/deep/in.md': 'in', y: 'file' });
    renameSync(at(h, 'x'), join(h.root, '../x-away'));
    write(h, 'x', 'now a file');
    unlinkSync(at(h, 'y'));
    mkdirSync(at(h, 'y'));
    write(h, 'y/in.md', 'now a folder');
    await becomes(h, { x: 'now a file', 'y/in.md': 'now a folder' });
    unlinkSync(at(h, 'x'));
    renameSync(join(h.root, '../x-away'), at(h, 'x'));
    rmSync(at(h, 'y'), { recursive: true });
    write(h, 'y', 'file again');
    await becomes(h, { 'x/deep/in.md': 'in', y: 'file again' });
    write(h, 'x/deep/in.md', 'watched as before');
    await becomes(h, { 'x/deep/in.md': 'watched as before', y: 'file again' });
  });

  it.each([true, false])('that become a link are not followed (seen live: %s)', async (isWatching) => {
    const h = create({ isWatching });
    mkdirSync(at(h, 'x'));
    write(h, 'x/in.md', 'mine');
    mkdirSync(join(h.root, '../outside'));
    writeFileSync(join(h.root, '../outside/in.md'), 'canary');
    writeFileSync(join(h.root, '../outside/more.md'), 'canary');
    await h.start();
    if (!isWatching) await h.scan();
    await becomes(h, { 'x/in.md': 'mine' });
    rmSync(at(h, 'x'), { recursive: true });
    symlinkSync('../outside', at(h, 'x'));
    if (!isWatching) await h.scan();
    await becomes(h, {});
    writeFileSync(join(h.root, '../outside/in.md'), 'canary edited');
    await h.scan();
    expect([newest(h), h.versions('x/in.md'), h.files.find(h.rootId, 'x')?.reason]).toEqual([
      {},
      ['mine', null],
      'file.symlink',
    ]);
  });

  it('that swap places with a link all the time give nothing of what lies outside', async () => {
    const h = create();
    mkdirSync(join(h.root, '../outside'));
    for (let index = 0; index < 40; index += 1) writeFileSync(join(h.root, `../outside/${index}.md`), 'canary');
    mkdirSync(at(h, 'real'));
    for (let index = 0; index < 40; index += 1) write(h, `real/${index}.md`, `mine ${index}`);
    symlinkSync('../outside', at(h, 'link'));
    await h.start();
    const flip = `const { renameSync: mv } = require('node:fs');
      const end = Date.now() + 1500;
      for (let flips = 0; Date.now() < end || flips % 2 === 1; flips += 1) { mv('real', 'x'); mv('link', 'real'); mv('x', 'link'); }`;
    const flipper = run(NODE, ['-e', `process.chdir(process.argv[1]);${flip}`, h.root]);
    let isFlipping = true;
    void flipper.then(() => {
      isFlipping = false;
    });
    let scans = 0;
    for (; isFlipping; scans += 1) await h.scan();
    expect([(await flipper).stderr, scans > 0]).toEqual(['', true]);
    await h.scan();
    await h.until(
      () => h.watch.waiting() === 0,
      () => h.watch.waiting(),
    );
    // Those of a bulk lie in packs: each is read as a version is.
    const texts = h.store.db
      .prepare<[], { sha256: Buffer }>('SELECT sha256 FROM contents')
      .all()
      .map(({ sha256 }) => readContent(h.store.db, h.store.dataFolder, sha256).toString());
    expect([texts.includes('canary'), texts.filter((text) => text.startsWith('mine')).length]).toEqual([false, 40]);
  });
});

describe('the root', () => {
  it('that becomes a link is missing, and goes on when the folder is back', async () => {
    const h = create();
    write(h, 'a.md', 'one');
    await h.start();
    await becomes(h, { 'a.md': 'one' });
    renameSync(h.root, `${h.root}-away`);
    mkdirSync(`${h.root}-other`);
    writeFileSync(`${h.root}-other/a.md`, 'canary');
    symlinkSync(`${h.root}-other`, h.root);
    await h.until(() => h.condition().state === 'missing', h.condition);
    await expect(h.scan()).rejects.toMatchObject({ code: 'root.missing' });
    expect([newest(h), h.watch.waiting()]).toEqual([{ 'a.md': 'one' }, 0]);
    unlinkSync(h.root);
    renameSync(`${h.root}-away`, h.root);
    await h.scan();
    expect([newest(h), h.condition().state]).toEqual([{ 'a.md': 'one' }, 'watching']);
  });
});

describe('files', () => {
  it('that swap their names keep both contents', async () => {
    const h = create();
    write(h, 'a.md', 'A');
    write(h, 'b.md', 'B');
    await h.start();
    await becomes(h, { 'a.md': 'A', 'b.md': 'B' });
    renameSync(at(h, 'a.md'), at(h, 'c'));
    renameSync(at(h, 'b.md'), at(h, 'a.md'));
    renameSync(at(h, 'c'), at(h, 'b.md'));
    await becomes(h, { 'a.md': 'B', 'b.md': 'A' });
  });

  it('that move up in a chain in one burst end where they are', async () => {
    const h = create();
    for (const name of ['a', 'b', 'c', 'd']) write(h, name, name.toUpperCase());
    await h.start();
    await becomes(h, { a: 'A', b: 'B', c: 'C', d: 'D' });
    for (const [from, to] of ['de', 'cd', 'bc', 'ab']) renameSync(at(h, from ?? ''), at(h, to ?? ''));
    await becomes(h, { b: 'A', c: 'B', d: 'C', e: 'D' });
    expect(h.versions('e').at(-1)).toBe('D');
  });

  it('that are copied before the original goes keep every version, as a rename or as two files', async () => {
    const h = create();
    write(h, 'old.md', 'text');
    await h.start();
    await becomes(h, { 'old.md': 'text' });
    copyFileSync(at(h, 'old.md'), at(h, 'new.md'));
    unlinkSync(at(h, 'old.md'));
    await becomes(h, { 'new.md': 'text' });
    // One rename when both are ripe at once; the copy may be ripe a moment before.
    const changes = h.store.db
      .prepare<[], { change: string; path: string }>('SELECT change, path FROM file_snapshots ORDER BY change_seq')
      .all()
      .map(({ change, path }) => `${change} ${path}`);
    expect([
      ['created old.md', 'renamed new.md'],
      ['created old.md', 'created new.md', 'deleted old.md'],
    ]).toContainEqual(changes);
  });

  it('that change only the case of their name are renamed', async () => {
    const h = create();
    write(h, 'Readme.md', 'text');
    await h.start();
    await becomes(h, { 'Readme.md': 'text' });
    renameSync(at(h, 'Readme.md'), at(h, 'README.md'));
    await becomes(h, { 'README.md': 'text' });
    expect(h.files.history(h.rootId, 'README.md', 1, null)[0]).toMatchObject({
      change: 'renamed',
      previousPath: 'Readme.md',
    });
  });

  it('that return while another one takes their content stay where they are', async () => {
    const h = create();
    write(h, 'a.md', 'same');
    await h.start();
    await becomes(h, { 'a.md': 'same' });
    for (let round = 0; round < 15; round += 1) {
      unlinkSync(at(h, 'a.md'));
      // Between a third and the whole of the time in which a deletion waits for its rename.
      await new Promise((resolve) => setTimeout(resolve, 40 + round * 6));
      write(h, 'a.md', 'same');
      write(h, `b${round}.md`, 'same');
      await h.until(
        () => h.present().includes(`b${round}.md`) && h.watch.waiting() === 0,
        () => newest(h),
      );
      expect(h.present()).toContain('a.md');
    }
  });

  it('that grow while they are read are captured whole', async () => {
    const h = create();
    await h.start();
    const descriptor = openSync(at(h, 'grows.log'), 'w');
    for (let line = 0; line < 200; line += 1) {
      writeSync(descriptor, `${line}\n`.padEnd(20_000, 'x'));
      if (line % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    closeSync(descriptor);
    appendFileSync(at(h, 'grows.log'), 'end');
    await h.until(
      () => h.versions('grows.log').at(-1)?.endsWith('end') === true,
      () => h.versions('grows.log').map((text) => text?.length),
    );
    const lengths = h.versions('grows.log').map((text) => text?.length);
    expect(lengths.at(-1)).toBe(4_000_003);
    expect(lengths.filter((length) => length !== 4_000_000 && length !== 4_000_003)).toEqual([]);
  });
});
