import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createWatchHarness, type WatchHarness } from '../../support/watch-harness.ts';

let harness: WatchHarness | null = null;
afterEach(async () => {
  await harness?.stop();
  harness = null;
});

function create(options: Parameters<typeof createWatchHarness>[0] = {}): WatchHarness {
  harness = createWatchHarness(options);
  return harness;
}

const seed = (h: WatchHarness, count: number) => {
  for (let index = 0; index < count; index += 1) writeFileSync(join(h.root, `f${index}.md`), `content ${index}`);
};
const settle = (h: WatchHarness) =>
  h.until(
    () => h.watch.waiting() === 0,
    () => h.watch.waiting(),
  );

describe('a watched root', () => {
  it('captures what is there, then every save, in order and without repeats', async () => {
    const h = create();
    mkdirSync(join(h.root, 'a/b'), { recursive: true });
    writeFileSync(join(h.root, 'a/b/note.md'), 'one');
    await h.start();
    await settle(h);
    for (const text of ['two', 'three']) {
      writeFileSync(join(h.root, 'a/b/note.md'), text);
      await h.until(
        () => h.versions('a/b/note.md').at(-1) === text,
        () => h.versions('a/b/note.md'),
      );
    }
    expect([h.versions('a/b/note.md'), h.present()]).toEqual([['one', 'two', 'three'], ['a/b/note.md']]);
  });

  it('sees new folders, what was in them before they were watched, and folders that move', async () => {
    const h = create();
    await h.start();
    mkdirSync(join(h.root, 'x/y/z'), { recursive: true });
    writeFileSync(join(h.root, 'x/y/z/deep.md'), 'deep');
    await h.until(() => h.present().includes('x/y/z/deep.md'), h.present);
    renameSync(join(h.root, 'x/y'), join(h.root, 'moved'));
    await h.until(() => h.present().includes('moved/z/deep.md'), h.present);
    writeFileSync(join(h.root, 'moved/z/after.md'), 'after');
    await h.until(() => h.present().includes('moved/z/after.md'), h.present);
    expect(h.present()).toEqual(['moved/z/after.md', 'moved/z/deep.md']);
  });

  it('records a rename as one, with its history before it', async () => {
    const h = create();
    writeFileSync(join(h.root, 'old.md'), 'text');
    await h.start();
    await settle(h);
    renameSync(join(h.root, 'old.md'), join(h.root, 'new.md'));
    await h.until(() => h.present().includes('new.md'), h.present);
    const history = h.files
      .history(h.rootId, 'new.md', 10, null)
      .map(({ change, path, previousPath }) => ({ change, path, previousPath }));
    expect([history, h.present()]).toEqual([
      [
        { change: 'renamed', path: 'new.md', previousPath: 'old.md' },
        { change: 'created', path: 'old.md', previousPath: null },
      ],
      ['new.md'],
    ]);
  });

  it('finds renames that happened while no agent ran', async () => {
    const h = create({ isWatching: false });
    seed(h, 3);
    await h.start();
    await h.scan();
    await settle(h);
    mkdirSync(join(h.root, 'sub'));
    renameSync(join(h.root, 'f1.md'), join(h.root, 'sub/g1.md'));
    const result = await h.scan();
    expect([result.renamed, result.created, result.deleted, result.unchanged]).toEqual([1, 0, 0, 2]);
  });

  it('saves by rename (as editors do) are versions of the same file', async () => {
    const h = create();
    writeFileSync(join(h.root, 'doc.md'), 'v1');
    await h.start();
    await settle(h);
    writeFileSync(join(h.root, '.doc.md.swp'), 'v2');
    renameSync(join(h.root, '.doc.md.swp'), join(h.root, 'doc.md'));
    await h.until(
      () => h.versions('doc.md').length === 2,
      () => h.versions('doc.md'),
    );
    expect(h.versions('doc.md')).toEqual(['v1', 'v2']);
  });

  it('records a deletion, keeps every version, and continues when the file returns', async () => {
    const h = create();
    writeFileSync(join(h.root, 'a.md'), 'one');
    await h.start();
    await settle(h);
    unlinkSync(join(h.root, 'a.md'));
    await h.until(
      () => h.versions('a.md').length === 2,
      () => h.versions('a.md'),
    );
    writeFileSync(join(h.root, 'a.md'), 'two');
    await h.until(
      () => h.versions('a.md').length === 3,
      () => h.versions('a.md'),
    );
    expect(h.versions('a.md')).toEqual(['one', null, 'two']);
  });

  it('does nothing for a touch and one stat for an unchanged file', async () => {
    const h = create();
    seed(h, 5);
    await h.start();
    await settle(h);
    utimesSync(join(h.root, 'f0.md'), new Date(), new Date());
    const first = await h.scan();
    await settle(h);
    const second = await h.scan();
    expect([first.created + first.modified, second.unchanged, h.versions('f0.md')]).toEqual([0, 5, ['content 0']]);
  });

  it('sees a content that changed under the same size and modification time', async () => {
    const h = create({ isWatching: false });
    const path = join(h.root, 'a.md');
    writeFileSync(path, 'aaaa');
    await h.start();
    await h.scan();
    await settle(h);
    const { atime, mtime } = statSync(path);
    writeFileSync(path, 'bbbb');
    utimesSync(path, atime, mtime);
    await h.scan();
    await settle(h);
    expect(h.versions('a.md')).toEqual(['aaaa', 'bbbb']);
  });

  it('reads rule files that change: what becomes excluded keeps its history, what comes back is captured', async () => {
    const h = create();
    writeFileSync(join(h.root, 'a.log'), 'log');
    await h.start();
    await settle(h);
    writeFileSync(join(h.root, '.gitignore'), '*.log\n');
    await h.until(() => !h.present().includes('a.log'), h.present);
    const excluded = h.files.find(h.rootId, 'a.log');
    unlinkSync(join(h.root, '.gitignore'));
    await h.until(() => h.present().includes('a.log'), h.present);
    expect([excluded?.state, excluded?.reason, h.versions('a.log')]).toEqual(['skipped', 'file.excluded', ['log']]);
  });

  it('captures every file of a first scan that takes many commits', async () => {
    const h = create({ isWatching: false });
    seed(h, 9_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await h.start();
    const result = await h.scan();
    expect([result.created, h.files.list({ rootId: h.rootId }, 'path', 1, null).total, h.watch.waiting()]).toEqual([
      9_000, 9_000, 0,
    ]);
  });

  it('stores large files as objects and reads them back', async () => {
    const h = create({ isWatching: false });
    const text = Array.from({ length: 300_000 }, (_, index) => `${(index * 7_919) % 104_729}`).join(' ');
    writeFileSync(join(h.root, 'large.txt'), text);
    await h.start();
    await h.scan();
    await settle(h);
    expect(h.versions('large.txt')).toEqual([text]);
  });
});

describe('what must not be captured', () => {
  it('lists links, pipes, sockets and too large files with the reason and opens none', async () => {
    const h = create({ isWatching: false, limits: { maxFileBytes: 1_000 } });
    const secret = join(h.root, '../secret.txt');
    writeFileSync(secret, 'canary outside');
    mkdirSync(join(h.root, '../outside'));
    writeFileSync(join(h.root, '../outside/inner.md'), 'canary inside a linked folder');
    symlinkSync(secret, join(h.root, 'link.md'));
    symlinkSync(join(h.root, '../outside'), join(h.root, 'linked-folder'));
    symlinkSync('.', join(h.root, 'loop'));
    execFileSync('mkfifo', [join(h.root, 'pipe')]);
    const server = createServer().listen(join(h.root, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    writeFileSync(join(h.root, 'large.bin'), 'x'.repeat(1_001));
    writeFileSync(join(h.root, 'plain.md'), 'plain');
    linkSync(join(h.root, 'plain.md'), join(h.root, 'hardlink.md'));
    await h.start();
    await h.scan();
    await settle(h);
    const skipped = h.files
      .list({ rootId: h.rootId, state: ['skipped'] }, 'path', 100, null)
      .files.map(({ path, reason }) => [path, reason]);
    server.close();
    const { text } = h.store.db
      .prepare<[], { text: string }>("SELECT group_concat(CAST(data AS TEXT), '') AS text FROM contents")
      .get() ?? { text: '' };
    expect([h.present(), Object.fromEntries(skipped), text.includes('canary')]).toEqual([
      ['hardlink.md', 'plain.md'],
      {
        'large.bin': 'file.too_large',
        'link.md': 'file.symlink',
        'linked-folder': 'file.symlink',
        loop: 'file.symlink',
        pipe: 'file.special',
        socket: 'file.special',
      },
      false,
    ]);
  });

  it('waits for a writer that pauses longer than the quiet time', async () => {
    const h = create();
    await h.start();
    const descriptor = openSync(join(h.root, 'slow.md'), 'w');
    for (const part of ['one ', 'two ', 'three']) {
      writeSync(descriptor, part);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const before = h.versions('slow.md');
    closeSync(descriptor);
    await h.until(
      () => h.versions('slow.md').length > 0,
      () => h.versions('slow.md'),
    );
    expect([before, h.versions('slow.md')]).toEqual([[], ['one two three']]);
  });

  it('captures a file that a program never closes after a while, and says so', async () => {
    const h = create({ limits: { openFileWaitMs: 300 } });
    await h.start();
    const descriptor = openSync(join(h.root, 'app.txt'), 'a');
    writeSync(descriptor, 'first line\n');
    await h.until(
      () => h.versions('app.txt').length > 0,
      () => h.versions('app.txt'),
    );
    const [snapshot] = h.files.history(h.rootId, 'app.txt', 1, null);
    closeSync(descriptor);
    expect([snapshot?.stillOpen, h.versions('app.txt')]).toEqual([true, ['first line\n']]);
  });

  it('never records the empty moment of a save that truncates first', async () => {
    const h = create();
    const path = join(h.root, 'a.md');
    writeFileSync(path, 'whole one');
    await h.start();
    await settle(h);
    for (let round = 0; round < 10; round += 1) {
      truncateSync(path, 0);
      appendFileSync(path, `whole ${round}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await h.until(
      () => h.versions('a.md').at(-1) === 'whole 9',
      () => h.versions('a.md'),
    );
    expect(h.versions('a.md').filter((text) => !/^whole \w+$/.test(text ?? ''))).toEqual([]);
  });
});

describe('deletions en masse', () => {
  it('are held until they are accepted', async () => {
    const h = create();
    seed(h, 60);
    await h.start();
    await settle(h);
    for (let index = 0; index < 60; index += 1) unlinkSync(join(h.root, `f${index}.md`));
    await h.until(() => h.condition().state === 'held', h.condition);
    const held = h.condition().hold;
    await h.watch.scan(h.rootId, { acceptDeletes: true });
    expect([held?.deletes, held?.sample.length, h.condition().state, h.present()]).toEqual([60, 10, 'watching', []]);
  });

  it('end by themselves when the files return', async () => {
    const h = create();
    seed(h, 60);
    await h.start();
    await settle(h);
    renameSync(h.root, `${h.root}-away`);
    mkdirSync(h.root);
    await h.until(() => h.condition().state === 'held', h.condition);
    const during = h.present().length;
    rmSync(h.root, { recursive: true });
    renameSync(`${h.root}-away`, h.root);
    await h.until(() => h.condition().state === 'watching', h.condition);
    writeFileSync(join(h.root, 'f0.md'), 'edited after the return');
    await h.until(
      () => h.versions('f0.md').length === 2,
      () => h.versions('f0.md'),
    );
    expect([during, h.versions('f0.md')]).toEqual([60, ['content 0', 'edited after the return']]);
  }, 30_000);

  it('are no deletions when the root itself is gone', async () => {
    const h = create();
    seed(h, 3);
    await h.start();
    await settle(h);
    renameSync(h.root, `${h.root}-away`);
    await expect(h.scan()).rejects.toMatchObject({ code: 'root.missing' });
    expect(h.present()).toEqual(['f0.md', 'f1.md', 'f2.md']);
    renameSync(`${h.root}-away`, h.root);
  });
});

describe('files that cannot be read', () => {
  it('are listed, and the others go on (as a user without privileges)', () => {
    const base = create({ isWatching: false });
    writeFileSync(join(base.root, 'open.md'), 'open');
    writeFileSync(join(base.root, 'closed.md'), 'closed');
    mkdirSync(join(base.root, 'closed-folder'));
    writeFileSync(join(base.root, 'closed-folder/in.md'), 'in');
    chmodSync(join(base.root, 'closed.md'), 0o000);
    chmodSync(join(base.root, 'closed-folder'), 0o000);
    const script = join(import.meta.dirname, '../../support/scan-as-user.ts');
    const output = runUnprivileged([script, base.root, `${base.root}-data`], base.root);
    expect(JSON.parse(output)).toEqual({
      present: ['open.md'],
      skipped: [['closed.md', 'file.unreadable']],
      unreadableFolders: true,
    });
  });
});

/** Root ignores permission bits: as root the program runs as nobody, else as who we are. */
function runUnprivileged(args: string[], home: string): string {
  const options = { encoding: 'utf8', env: { ...process.env, HOME: home } } as const;
  if (process.getuid?.() !== 0) return execFileSync(process.execPath, args, options);
  execFileSync('chown', ['-R', '65534:65534', join(home, '..')]);
  return execFileSync(
    'setpriv',
    ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, ...args],
    options,
  );
}
