import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRepository } from '../../../src/main/backup/open-repository.ts';
import type { RepositoryReader } from '../../../src/main/backup/repository-types.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { createTestVault, TEST_SECRET, type TestVault } from '../../support/backup-vault.ts';

/** Somebody who may write to the repository, knows how it is built, and does not have the key. */
let vault: TestVault;
let first: string;
let second: string;
let secretFile: string;
let copies = 0;

beforeAll(async () => {
  vault = createTestVault();
  vault.save('a/one.md', 'the first note');
  vault.save('a/two.md', 'the second note');
  vault.save('b/one.md', 'a note elsewhere');
  vault.save('large.bin', randomBytes(250_000));
  vault.save('other.bin', randomBytes(250_000));
  const writer = vault.openWriter({ chunkBytes: 100_000 });
  first = (await writer.backup({ reason: 'manual', tag: 'one' })).summary.commit;
  vault.save('a/one.md', 'the first note, changed');
  second = (await writer.backup({ reason: 'manual', tag: 'two' })).summary.commit;
  secretFile = join(vault.folder, 'key');
  writeFileSync(secretFile, TEST_SECRET.kind === 'key' ? TEST_SECRET.key.toString('hex') : '');
});
afterAll(() => vault.close());

type Entry = { mode: string; type: string; oid: string; name: string };
type Copy = {
  folder: string;
  git: (...args: string[]) => string;
  list: (tree: string) => Entry[];
  /** Edits the tree at this path of names, and those above it; returns the new top tree. */
  edit: (tree: string, path: readonly string[], change: (entries: Entry[]) => Entry[]) => string;
  blob: (oid: string) => Buffer;
  writeBlob: (bytes: Buffer) => string;
  commit: (tree: string, parent: string | null) => string;
  moveTo: (commit: string) => void;
};

function copyRepository(): Copy {
  copies += 1;
  const folder = join(vault.folder, `copy-${copies}.git`);
  cpSync(vault.gitFolder, folder, { recursive: true });
  const run = (input: Buffer | string | undefined, args: readonly string[]): Buffer =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', '--git-dir', folder, ...args], {
      ...(input === undefined ? {} : { input }),
      stdio: ['pipe', 'pipe', 'ignore'],
      maxBuffer: 1e8,
    });
  const git = (...args: string[]): string => run(undefined, args).toString().trim();
  const list = (tree: string): Entry[] =>
    git('ls-tree', tree)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [head = '', name = ''] = line.split('\t');
        const [mode = '', type = '', oid = ''] = head.split(' ');
        return { mode, type, oid, name };
      });
  const makeTree = (entries: readonly Entry[]): string =>
    run(entries.map(({ mode, type, oid, name }) => `${mode} ${type} ${oid}\t${name}\n`).join(''), ['mktree'])
      .toString()
      .trim();
  const edit: Copy['edit'] = (tree, [name, ...rest], change) =>
    name === undefined
      ? makeTree(change(list(tree)))
      : makeTree(
          list(tree).map((entry) => (entry.name === name ? { ...entry, oid: edit(entry.oid, rest, change) } : entry)),
        );
  return {
    folder,
    git,
    list,
    edit,
    blob: (oid) => run(undefined, ['cat-file', 'blob', oid]),
    writeBlob: (bytes) => run(bytes, ['hash-object', '-w', '--stdin']).toString().trim(),
    commit: (tree, parent) => git('commit-tree', '-m', 'x', tree, ...(parent === null ? [] : ['-p', parent])),
    moveTo: (commit) => void git('update-ref', `refs/heads/device/${vault.store.deviceId}`, commit),
  };
}

/** Names in git of the parts of the backup. */
function places(copy: Copy) {
  const top = copy.list(`${second}^{tree}`);
  const root = top.find(({ name, type }) => type === 'tree' && name !== 'angles')?.name ?? '';
  const inRoot = copy.list(`${second}:${root}`).filter(({ type }) => type === 'tree');
  const large = inRoot.filter(({ oid }) => copy.list(oid).some(({ name }) => name === '000000'));
  const folders = inRoot.filter((entry) => !large.includes(entry));
  const [wide] = folders.filter(({ oid }) => copy.list(oid).length === 3);
  const [narrow] = folders.filter(({ oid }) => copy.list(oid).length === 2);
  return { root, wide: wide as Entry, narrow: narrow as Entry, large: large.map(({ name }) => name) };
}

/** What became of reading all of the newest backup. */
async function outcome(copy: Copy, name = 'latest'): Promise<string> {
  let reader: RepositoryReader | null = null;
  try {
    reader = openRepository({ gitFolder: copy.folder, secret: TEST_SECRET });
    await reader.verify(reader.find(name).commit);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code;
  } finally {
    reader?.close();
  }
}

const isEntry = ({ name }: Entry): boolean => name !== 'node';
const swap = (entries: Entry[]): Entry[] => {
  const [a, b] = entries.filter(isEntry) as [Entry, Entry];
  return entries.map((entry) => (entry === a ? { ...a, oid: b.oid } : entry === b ? { ...b, oid: a.oid } : entry));
};

type Attack = { name: string; tree: (copy: Copy, at: ReturnType<typeof places>) => string };
const ATTACKS: readonly Attack[] = [
  { name: 'two files swapped', tree: (copy, at) => copy.edit(`${second}^{tree}`, [at.root, at.wide.name], swap) },
  {
    name: 'a file dropped',
    tree: (copy, at) =>
      copy.edit(`${second}^{tree}`, [at.root, at.wide.name], (all) => all.filter((each) => each !== all.find(isEntry))),
  },
  {
    name: 'a file duplicated',
    tree: (copy, at) =>
      copy.edit(`${second}^{tree}`, [at.root, at.wide.name], (all) => [
        ...all,
        { ...(all.find(isEntry) as Entry), name: 'a'.repeat(26) },
      ]),
  },
  {
    name: 'a file renamed',
    tree: (copy, at) =>
      copy.edit(`${second}^{tree}`, [at.root, at.wide.name], (all) =>
        all.map((each) => (each === all.find(isEntry) ? { ...each, name: 'a'.repeat(26) } : each)),
      ),
  },
  {
    name: 'a folder in the place of another',
    tree: (copy, at) =>
      copy.edit(`${second}^{tree}`, [at.root], (all) =>
        all.map((each) => (each.name === at.wide.name ? { ...each, oid: at.narrow.oid } : each)),
      ),
  },
  {
    name: 'a folder as it was in the backup before',
    tree: (copy, at) =>
      copy.edit(`${second}^{tree}`, [at.root], (all) =>
        all.map((each) =>
          each.name === at.wide.name
            ? { ...each, oid: copy.git('rev-parse', `${first}:${at.root}/${at.wide.name}`) }
            : each,
        ),
      ),
  },
  { name: 'two chunks swapped', tree: (copy, at) => copy.edit(`${second}^{tree}`, [at.root, at.large[0] ?? ''], swap) },
  {
    name: 'a chunk dropped',
    tree: (copy, at) => copy.edit(`${second}^{tree}`, [at.root, at.large[0] ?? ''], (all) => all.slice(0, -1)),
  },
  {
    name: 'a chunk of another file',
    tree: (copy, at) => {
      const [other] = copy.list(`${second}:${at.root}/${at.large[1]}`) as [Entry];
      return copy.edit(`${second}^{tree}`, [at.root, at.large[0] ?? ''], ([, ...rest]) => [other, ...rest]);
    },
  },
  {
    name: 'the tables of the backup before',
    tree: (copy) =>
      copy.edit(`${second}^{tree}`, ['angles'], (all) =>
        all.map((each) =>
          each.name === 'tables' ? { ...each, oid: copy.git('rev-parse', `${first}:angles/tables`) } : each,
        ),
      ),
  },
  {
    name: 'another restore.mjs',
    tree: (copy) =>
      copy.edit(`${second}^{tree}`, [], (all) =>
        all.map((each) =>
          each.name === 'restore.mjs' ? { ...each, oid: copy.writeBlob(Buffer.from('steal()')) } : each,
        ),
      ),
  },
];

describe('whoever may write to the repository without the key', { timeout: 120_000 }, () => {
  it.each(ATTACKS)('$name: refused', async ({ tree }) => {
    const copy = copyRepository();
    copy.moveTo(copy.commit(tree(copy, places(copy)), first));
    expect(await outcome(copy)).toBe('backup.damaged');
  });

  it('is the only one who is refused: the same tree written once more is accepted', async () => {
    const copy = copyRepository();
    copy.moveTo(
      copy.commit(
        copy.edit(`${second}^{tree}`, [places(copy).root], (all) => all),
        first,
      ),
    );
    expect(await outcome(copy)).toBe('accepted');
  });

  it('cannot bring back an old backup as a new one, nor cut one out of the row', async () => {
    const replayed = copyRepository();
    replayed.moveTo(replayed.commit(`${first}^{tree}`, second));
    expect(await outcome(replayed)).toBe('backup.damaged');
    const cut = copyRepository();
    cut.moveTo(cut.commit(`${second}^{tree}`, null));
    expect(await outcome(cut)).toBe('backup.damaged');
  });

  it('cannot make a tag mean another backup, nor put something plain in the place of what is sealed', async () => {
    const moved = copyRepository();
    moved.git('update-ref', 'refs/tags/two', first);
    expect(await outcome(moved, 'two')).toBe('backup.damaged');
    const plain = copyRepository();
    const format = Buffer.from('{"format":1,"repository":"something-else","slots":[],"canary":null}');
    const tree = plain.edit(`${second}^{tree}`, ['angles'], (all) =>
      all.map((each) => (each.name === 'format.json' ? { ...each, oid: plain.writeBlob(format) } : each)),
    );
    plain.moveTo(plain.commit(tree, first));
    expect(await outcome(plain)).toBe('backup.damaged');
  });

  it('cannot change a byte of an object, wherever it is: head, seed, content or tag', async () => {
    const source = copyRepository();
    const at = places(source);
    const victim = source.list(`${second}:${at.root}/${at.wide.name}`).find(isEntry) as Entry;
    const bytes = source.blob(victim.oid);
    for (const position of [0, 3, 4, 5, 6, 7, 8, 11, 12, 30, 43, 44, 50, bytes.length - 16, bytes.length - 1]) {
      const copy = copyRepository();
      const flipped = Buffer.from(bytes);
      flipped[position] = (flipped[position] ?? 0) ^ 0x01;
      const oid = copy.writeBlob(flipped);
      const tree = copy.edit(`${second}^{tree}`, [at.root, at.wide.name], (all) =>
        all.map((each) => (each.name === victim.name ? { ...each, oid } : each)),
      );
      copy.moveTo(copy.commit(tree, first));
      expect([position, await outcome(copy)]).toEqual([
        position,
        expect.stringMatching(/^backup\.(damaged|from_future)$/),
      ]);
    }
  });
});

describe('a disk that forgets', () => {
  const packs = (copy: Copy): string[] =>
    readdirSync(join(copy.folder, 'objects', 'pack'))
      .filter((name) => name.endsWith('.pack'))
      .map((name) => join(copy.folder, 'objects', 'pack', name));
  const spoil = (file: string, change: (bytes: Buffer) => Buffer): void => {
    chmodSync(file, 0o600);
    writeFileSync(file, change(readFileSync(file)));
  };
  const everything = async (copy: Copy): Promise<string> => {
    const reader = openRepository({ gitFolder: copy.folder, secret: TEST_SECRET });
    try {
      const digest = createHash('sha256');
      for (const { commit } of reader.listBackups()) {
        await reader.verify(commit);
        for (const entry of reader.entries(commit)) digest.update(JSON.stringify(entry));
        for (const { entry, content } of reader.contents(commit)) digest.update(entry.path).update(content ?? '');
      }
      return digest.digest('hex');
    } finally {
      reader.close();
    }
  };

  it('a flipped bit anywhere is refused, or changes nothing that is read', async () => {
    const right = await everything(copyRepository());
    const flips = Number(process.env.ANGLES_TEST_FLIPS ?? 40);
    const copy = copyRepository();
    let refused = 0;
    for (let round = 0; round < flips; round += 1) {
      const file = packs(copy)[round % 2] as string;
      const before = readFileSync(file);
      const position = Math.floor(Math.random() * before.length);
      spoil(file, (bytes) => {
        bytes[position] = (bytes[position] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
        return bytes;
      });
      try {
        expect([file, position, await everything(copy)]).toEqual([file, position, right]);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        expect([position, error.code]).toEqual([position, 'backup.damaged']);
        refused += 1;
      }
      writeFileSync(file, before);
    }
    expect(refused).toBeGreaterThan(flips / 2);
  });

  it('a pack that was cut off, or is gone, is refused', async () => {
    for (const share of [0, 0.1, 0.5, 0.99]) {
      const copy = copyRepository();
      for (const file of packs(copy)) spoil(file, (bytes) => bytes.subarray(0, Math.floor(bytes.length * share)));
      await expect(everything(copy)).rejects.toMatchObject({ code: 'backup.damaged' });
    }
    const copy = copyRepository();
    for (const file of packs(copy)) rmSync(file);
    await expect(everything(copy)).rejects.toMatchObject({ code: 'backup.damaged' });
  });
});

describe('restore.mjs', { timeout: 120_000 }, () => {
  const tool = (folder: string, to: string, key = secretFile) =>
    spawnSync(process.execPath, [join(vault.folder, 'restore.mjs'), folder, '--to', to, '--key-file', key], {
      encoding: 'utf8',
      cwd: vault.folder,
      env: {},
    });

  it('gives back files, modes, times and tables in an empty folder, with nothing but itself', () => {
    const copy = copyRepository();
    writeFileSync(join(vault.folder, 'restore.mjs'), copy.blob(copy.git('rev-parse', `${second}:restore.mjs`)));
    const target = join(vault.folder, 'restored');
    const { status, stderr, stdout } = tool(copy.folder, target);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Restored ${vault.files.size} files`);
    for (const [path, { content }] of vault.files) {
      expect(readFileSync(join(target, 'files', 'notes-1', path)).equals(content)).toBe(true);
    }
    expect(JSON.parse(readFileSync(join(target, 'tables', 'activities.json'), 'utf8')).rows).toBeGreaterThan(4);
    expect(tool(copy.folder, target).status).toBe(64);
  });

  it('writes nothing of a backup that was tampered with, or with a wrong key', () => {
    for (const { name, tree } of ATTACKS.filter((each) => !each.name.includes('restore.mjs'))) {
      const copy = copyRepository();
      copy.moveTo(copy.commit(tree(copy, places(copy)), first));
      const target = join(vault.folder, 'hostile');
      expect([name, tool(copy.folder, target).status, existsSync(target)]).toEqual([name, 7, false]);
    }
    const wrong = join(vault.folder, 'wrong');
    writeFileSync(wrong, 'f'.repeat(64));
    const { status, stderr } = tool(vault.gitFolder, join(vault.folder, 'nothing'), wrong);
    expect([status, stderr]).toEqual([7, expect.stringMatching(/written with the key .* the key given is/)]);
  });
});
