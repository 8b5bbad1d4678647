import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FAN_FROM } from '../../../src/main/backup/folder-writer.ts';
import { openRepository } from '../../../src/main/backup/open-repository.ts';
import type { RepositoryReader } from '../../../src/main/backup/repository-types.ts';
import { createTestVault, TEST_SECRET, type TestVault } from '../../support/backup-vault.ts';

let vault: TestVault;
beforeEach(() => {
  vault = createTestVault();
});
afterEach(() => vault.close());

const git = (...args: string[]): string =>
  execFileSync('git', ['--git-dir', vault.gitFolder, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** What the backup gives back, in the form in which the test vault remembers what it saved. */
async function readAll(reader: RepositoryReader, commit: string) {
  const found = new Map<string, unknown>();
  for (const { entry, content } of reader.contents(commit)) {
    let bytes = content;
    if (bytes === null) {
      const pieces: Buffer[] = [];
      for await (const piece of reader.readFileChunks(commit, entry.rootId, entry.path)) pieces.push(piece);
      bytes = Buffer.concat(pieces);
    }
    found.set(entry.path, { content: bytes, mode: entry.mode, mtimeUs: entry.mtimeUs });
  }
  return found;
}

describe('a backup', () => {
  it('gives back every file with mode and time, and stock git finds nothing to say about it', async () => {
    vault.save('readme.md', 'hello');
    vault.save('empty', '');
    vault.save('a/b/c/deep.txt', 'x'.repeat(10_000), { mode: 0o600 });
    vault.save('a-b/between.txt', 'sorts between a and a/');
    vault.save('a/.git', 'not a repository');
    vault.save('.hidden/-dash/!first', 'sorts before every slash');
    vault.save(`long/${'n'.repeat(255)}`, 'a name as long as names can be');
    vault.save('names/\uf7ff\uf780', 'bytes that are no UTF-8');
    vault.save('names/ä ö.txt', 'twins');
    vault.save('names/twin.txt', 'twins');
    const writer = vault.openWriter();
    const { summary, isNew } = await writer.backup({ reason: 'manual' });
    expect(isNew).toBe(true);
    expect(summary).toMatchObject({ files: vault.files.size, sequence: 1, parent: null, incomplete: 0 });
    expect(await readAll(writer.reader, summary.commit)).toEqual(new Map(vault.files));
    await writer.reader.verify(summary.commit);
    git('fsck', '--strict', '--full');
    expect(git('log', '--all', '--format=%s')).toBe('Backup 1 (manual)\n');
    const names = git('ls-tree', '-r', '-t', '--name-only', summary.commit);
    expect(names).not.toMatch(/readme|deep|twin|nnn/);
  });

  it('costs what changed: one file among many rewrites its folders and nothing else', async () => {
    for (let index = 0; index < 60; index += 1)
      vault.save(`area-${index % 6}/topic-${index % 3}/${index}.md`, `note ${index}`);
    const writer = vault.openWriter();
    const first = await writer.backup({ reason: 'manual' });
    vault.save('area-1/topic-1/1.md', 'changed');
    const second = await writer.backup({ reason: 'change' });
    expect(second.summary).toMatchObject({ sequence: 2, parent: first.summary.commit });
    // Content, three folders with node and tree, tables, manifest, commit.
    expect(second.objectsWritten).toBeLessThan(20);
    expect(await readAll(writer.reader, second.summary.commit)).toEqual(new Map(vault.files));
    expect(writer.reader.readFile(first.summary.commit, vault.rootId, 'area-1/topic-1/1.md').toString()).toBe('note 1');
  });

  it('is not made when nothing changed, unless a tag is asked for', async () => {
    vault.save('a.md', 'one');
    const writer = vault.openWriter();
    const first = await writer.backup({ reason: 'manual' });
    const again = await writer.backup({ reason: 'manual' });
    expect(again).toMatchObject({ isNew: false, objectsWritten: 0, summary: { commit: first.summary.commit } });
    const tagged = await writer.backup({ reason: 'manual', tag: 'v1' });
    expect(tagged).toMatchObject({ isNew: true, summary: { tag: 'v1', sequence: 2 } });
    expect(writer.reader.find('v1').commit).toBe(tagged.summary.commit);
    expect(git('tag')).toBe('v1\n');
    await expect(writer.backup({ reason: 'manual', tag: 'v1' })).rejects.toMatchObject({ code: 'usage.bad_argument' });
    await expect(writer.backup({ reason: 'manual', tag: '--force' })).rejects.toMatchObject({
      code: 'usage.bad_argument',
    });
  });

  it('of an emergency is a commit that says so, also when nothing is new', async () => {
    vault.save('a.md', 'one');
    const writer = vault.openWriter();
    await writer.backup({ reason: 'manual' });
    const { isNew } = await writer.backup({ reason: 'emergency' });
    expect(isNew).toBe(true);
    expect(git('log', '--all', '-1', '--format=%s')).toMatch(/^Emergency backup \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/);
  });

  it('sees a file that was only touched, and folders that went with their files', async () => {
    vault.save('x/y/a.md', 'one', { mtimeUs: 5_000_000 });
    vault.save('x/keep.md', 'kept');
    const writer = vault.openWriter();
    await writer.backup({ reason: 'manual' });
    vault.save('x/y/a.md', 'one', { mtimeUs: 6_000_000, mode: 0o755 });
    const touched = await writer.backup({ reason: 'daily' });
    expect(writer.reader.stat(touched.summary.commit, vault.rootId, 'x/y/a.md')).toMatchObject({
      mode: 0o755,
      mtimeUs: 6_000_000,
    });
    vault.remove('x/y/a.md');
    const gone = await writer.backup({ reason: 'change' });
    expect([...writer.reader.entries(gone.summary.commit)].map((entry) => entry.path).sort()).toEqual([
      'x',
      'x/keep.md',
    ]);
  });

  it('makes the same tree after the index was lost, and writes nothing twice', async () => {
    for (let index = 0; index < 30; index += 1) vault.save(`d${index % 4}/${index}.md`, `note ${index}`);
    const first = vault.openWriter();
    await first.backup({ reason: 'manual' });
    first.close();
    vault.loseIndex();
    vault.save('d1/new.md', 'new');
    const writer = vault.openWriter();
    const second = await writer.backup({ reason: 'change' });
    expect(second.objectsWritten).toBeLessThan(20);
    expect(await readAll(writer.reader, second.summary.commit)).toEqual(new Map(vault.files));
  });

  it('spreads a large folder, so that a change rewrites a part of it', async () => {
    for (let index = 0; index < FAN_FROM + 200; index += 1) vault.save(`big/${index}.md`, `note ${index}`);
    const writer = vault.openWriter();
    const first = await writer.backup({ reason: 'manual' });
    expect(await readAll(writer.reader, first.summary.commit)).toEqual(new Map(vault.files));
    vault.save('big/7.md', 'changed');
    const second = await writer.backup({ reason: 'change' });
    expect(second.bytesWritten).toBeLessThan(first.bytesWritten / 4);
    expect(await readAll(writer.reader, second.summary.commit)).toEqual(new Map(vault.files));
  });

  it('cuts a large file into chunks, whether it can be compressed or not', async () => {
    vault.save('noise.bin', randomBytes(1_300_000));
    vault.save('text.txt', 'angles '.repeat(400_000));
    vault.save('small.bin', randomBytes(5_000));
    const writer = vault.openWriter({ chunkBytes: 100_000 });
    const { summary } = await writer.backup({ reason: 'manual' });
    expect(await readAll(writer.reader, summary.commit)).toEqual(new Map(vault.files));
    await writer.reader.verify(summary.commit);
    expect(() => writer.reader.readFile(summary.commit, vault.rootId, 'noise.bin')).toThrow(/in pieces/);
  });

  it('leaves out a content that rotted in the vault, says so, and goes on', async () => {
    vault.save('good.md', 'good');
    vault.save('rotten.md', 'r'.repeat(500));
    vault.store.db.prepare("UPDATE contents SET data = x'00112233' WHERE size_bytes = 500").run();
    const writer = vault.openWriter();
    const { summary, warnings } = await writer.backup({ reason: 'manual' });
    expect(warnings).toEqual([expect.stringContaining('rotten.md')]);
    expect(summary).toMatchObject({ files: 1, incomplete: 1 });
  });

  it('holds the tables, row by row, and rewrites only the chunks that changed', async () => {
    const decide = (title: string) =>
      vault.records.create({ table: 'decision_vault', fields: { title, decision: 'Because.' }, origin: 'cli' });
    for (let index = 0; index < 20; index += 1) decide(`Decision ${index}`);
    const writer = vault.openWriter();
    const { summary } = await writer.backup({ reason: 'manual' });
    const rows = [...writer.reader.readTable(summary.commit, 'decision_vault')];
    const own = vault.store.db.prepare('SELECT * FROM decision_vault ORDER BY id').all();
    expect(rows.toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1))).toEqual(own);
    decide('One more');
    const next = await writer.backup({ reason: 'change' });
    expect(next.isNew).toBe(true);
    expect([...writer.reader.readTable(next.summary.commit, 'decision_vault')]).toHaveLength(21);
    expect(writer.reader.readSettings(next.summary.commit)).toEqual({ roots: [join(vault.folder, 'notes')] });
  });

  it('keeps links and empty folders that the disk is asked for', async () => {
    vault.save('a.md', 'one');
    const look = { mode: 0o750, mtimeUs: 1_700_000_000_000_001, links: [] };
    const looks = new Map([
      ['', { ...look, links: [{ name: 'link', target: '../elsewhere', mtimeUs: 9 }] }],
      ['empty', look],
      ['empty/below', look],
    ]);
    const writer = vault.openWriter({ lookAtFolders: () => looks });
    const { summary } = await writer.backup({ reason: 'manual' });
    const entries = [...writer.reader.entries(summary.commit)].map(({ path, kind, mode, target }) => [
      path,
      kind,
      mode,
      target,
    ]);
    expect(entries).toEqual([
      ['a.md', 'file', 0o644, null],
      ['empty', 'folder', 0o750, null],
      ['empty/below', 'folder', 0o750, null],
      ['link', 'symlink', null, '../elsewhere'],
    ]);
    looks.delete('empty/below');
    const next = await writer.backup({ reason: 'manual' });
    expect([...writer.reader.entries(next.summary.commit)].map(({ path }) => path)).toEqual(['a.md', 'empty', 'link']);
  });

  it('refuses a second one at the same time, and a cancelled one leaves nothing', async () => {
    for (let index = 0; index < 500; index += 1) vault.save(`${index}.md`, `note ${index}`);
    const writer = vault.openWriter();
    const cancel = new AbortController();
    const running = writer.backup({ reason: 'manual', signal: cancel.signal });
    await expect(writer.backup({ reason: 'manual' })).rejects.toMatchObject({ code: 'backup.busy' });
    const other = vault.openWriter();
    await expect(other.backup({ reason: 'manual' })).rejects.toMatchObject({ code: 'backup.busy' });
    cancel.abort(new Error('stop'));
    await expect(running).rejects.toThrow('stop');
    expect(readdirSync(join(vault.gitFolder, 'objects', 'pack'))).toEqual([]);
    expect((await writer.backup({ reason: 'manual' })).isNew).toBe(true);
  });
});

describe('a repository', () => {
  it('is read as a clone, after git packed it with deltas, and by the tool of one file', async () => {
    for (let index = 0; index < 40; index += 1) vault.save(`d/${index}.md`, `note ${index}`);
    const writer = vault.openWriter();
    await writer.backup({ reason: 'manual' });
    vault.save('d/1.md', 'changed');
    vault.save('ü/new file.md', 'new');
    const { summary } = await writer.backup({ reason: 'manual', tag: 'second' });
    const clone = join(vault.folder, 'clone');
    execFileSync('git', ['clone', '-q', vault.gitFolder, clone], { stdio: 'ignore' });
    execFileSync('git', ['-C', clone, 'gc', '-q', '--aggressive', '--prune=now']);
    const reader = openRepository({ gitFolder: clone, secret: TEST_SECRET });
    expect(reader.listBackups().map(({ sequence }) => sequence)).toEqual([2, 1]);
    expect(await readAll(reader, summary.commit)).toEqual(new Map(vault.files));
    await reader.verify(summary.commit);
    reader.close();
  });

  it('joins its small packs without losing or changing anything', async () => {
    const writer = vault.openWriter();
    for (let index = 0; index < 5; index += 1) {
      vault.save(`${index}.md`, `note ${index}`);
      await writer.backup({ reason: 'change' });
    }
    expect(writer.repack()).toBe(true);
    expect(readdirSync(join(vault.gitFolder, 'objects', 'pack'))).toHaveLength(2);
    git('fsck', '--strict', '--full');
    const [latest] = writer.reader.listBackups();
    expect(await readAll(writer.reader, latest?.commit ?? '')).toEqual(new Map(vault.files));
    expect(writer.repack()).toBe(false);
    vault.save('after.md', 'after');
    expect((await writer.backup({ reason: 'change' })).isNew).toBe(true);
  });

  it('finds backups by tag, short id and time, and names near ones when there is none', async () => {
    vault.save('notes/plan.md', 'one');
    const writer = vault.openWriter();
    const first = await writer.backup({ reason: 'manual', tag: 'before-move' });
    vault.save('notes/plan.md', 'two');
    const second = await writer.backup({ reason: 'manual' });
    const { reader } = writer;
    expect(reader.find('latest').commit).toBe(second.summary.commit);
    expect(reader.find(first.summary.commit.slice(0, 10)).sequence).toBe(1);
    expect(reader.findAt(second.summary.createdAtMs - 1).sequence).toBe(1);
    expect(() => reader.findAt(0)).toThrow(/no backup of/);
    const hintOf = (work: () => unknown): string => {
      try {
        work();
      } catch (error) {
        return (error as { hint: string }).hint;
      }
      return '';
    };
    expect(hintOf(() => reader.find('before-mvoe'))).toContain('before-move');
    expect(hintOf(() => reader.readFile(second.summary.commit, vault.rootId, 'notes/plam.md'))).toContain(
      'notes/plan.md',
    );
  });

  it('without encryption has plain files with what was redacted marked, and needs somebody who redacts', async () => {
    const word = ['pass', 'word'].join('');
    vault.save('readme.md', 'hello');
    vault.save('secret.env', `${word}=hunter2`);
    vault.save('.git/config', 'hostile');
    const refused = vault.openWriter({}, null, 'plain');
    await expect(refused.backup({ reason: 'manual' })).rejects.toMatchObject({ code: 'backup.refused' });
    refused.close();
    const redact = (_: string, bytes: Buffer) => {
      const text = bytes.toString('latin1');
      const clean = text.replaceAll('hunter2', '[redacted]');
      return { bytes: Buffer.from(clean, 'latin1'), redactions: clean === text ? 0 : 1 };
    };
    const writer = vault.openWriter({ redact }, null, 'plain');
    const { summary, warnings } = await writer.backup({ reason: 'manual' });
    expect(warnings).toEqual([]);
    expect(summary).toMatchObject({ isEncrypted: false, redacted: 1, files: 3 });
    const folder = join(vault.dataFolder, 'backups', 'plain.git');
    execFileSync('git', ['--git-dir', folder, 'fsck', '--strict'], { stdio: 'pipe' });
    const names = execFileSync('git', ['--git-dir', folder, 'ls-tree', '-r', '--name-only', summary.commit], {
      encoding: 'utf8',
    });
    expect(names).toMatch(/^notes-1-\w+\/readme\.md$/m);
    expect(writer.reader.stat(summary.commit, vault.rootId, 'secret.env')).toMatchObject({ redactions: 1 });
    expect(writer.reader.readFile(summary.commit, vault.rootId, 'secret.env').toString()).toBe(`${word}=[redacted]`);
    await writer.reader.verify(summary.commit);
    expect(() => openRepository({ gitFolder: folder, secret: TEST_SECRET })).toThrow(/not encrypted/);
  });

  it('tells a wrong key, a missing key and a folder that is no backup apart', async () => {
    vault.save('a.md', 'one');
    await vault.openWriter().backup({ reason: 'manual' });
    const wrong = { kind: 'key', key: Buffer.alloc(32, 1) } as const;
    const codeOf = (work: () => unknown): unknown => {
      try {
        work();
      } catch (error) {
        return (error as { code: string }).code;
      }
      return 'no error';
    };
    expect(codeOf(() => openRepository({ gitFolder: vault.gitFolder, secret: wrong }))).toBe('backup.key_wrong');
    expect(codeOf(() => openRepository({ gitFolder: vault.gitFolder, secret: null }))).toBe('backup.key_missing');
    expect(codeOf(() => openRepository({ gitFolder: vault.folder, secret: null }))).toBe('backup.foreign');
    expect(readFileSync(join(vault.gitFolder, 'HEAD'), 'utf8')).toContain('refs/heads/device/');
  });
});
