import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentMethods } from '../../../../src/shared/contract.ts';
import { NOW_MS, openSearchVault, type SearchVault } from './search-vault.ts';

let vault: SearchVault;
beforeEach(() => {
  vault = openSearchVault();
});
afterEach(() => vault.close());

test('finds files by their words and by their path, records by their text, title and tags', async () => {
  vault.put('docs/plan.md', 'We choose SQLite for the vault.');
  vault.put('todo.txt', 'buy milk');
  vault.decide('d-1', 'Use SQLite', 'One file, no server', { tags: '["database","größe"]' });
  vault.remember('m-1', 'Tea', 'prefers green tea without milk');
  expect({
    sqlite: (await vault.find('sqlite')).sort(),
    milk: (await vault.find('MILK')).sort(),
    path: await vault.find('plan.md'),
    tag: await vault.find('grosse OR Größe'),
    category: await vault.find('storage'),
    both: await vault.find('sqlite server'),
    without: await vault.find('milk -tea'),
    phrase: await vault.find('"green tea"'),
    typed: await vault.find('choo'),
    none: await vault.find('chooo'),
  }).toEqual({
    sqlite: ['Use SQLite', 'docs/plan.md'],
    milk: ['Tea', 'todo.txt'],
    path: ['docs/plan.md'],
    tag: ['Use SQLite'],
    category: ['Use SQLite'],
    both: ['Use SQLite'],
    without: ['todo.txt'],
    phrase: ['Tea'],
    typed: ['docs/plan.md'],
    none: [],
  });
});

test('answers in the form of the contract', async () => {
  vault.put('docs/plan.md', 'First line.\nWe choose SQLite for the vault.', { mtimeMs: NOW_MS - 5 });
  await vault.search.idle();
  const answer = vault.search.query({ query: 'sqlite' });
  expect(agentMethods['search.query'].out.parse(answer)).toEqual(answer);
  expect(answer).toMatchObject({
    capped: false,
    waiting: 0,
    hits: [
      {
        kind: 'file',
        rootId: 1,
        root: '/notes',
        path: 'docs/plan.md',
        recordId: null,
        title: 'plan.md',
        snippet: [
          { text: 'First line. We choose ', hit: false },
          { text: 'SQLite', hit: true },
          { text: ' for the vault.', hit: false },
        ],
        line: 2,
        changedAtMs: NOW_MS - 5,
      },
    ],
  });
});

test('follows every change: edits, deletions, renames, retirements', async () => {
  vault.put('a.md', 'first words');
  vault.decide('d-1', 'Old', 'first thoughts');
  expect((await vault.find('first ')).length).toBe(2);
  vault.put('a.md', 'second words');
  expect(await vault.find('first ')).toEqual(['Old']);
  vault.remove('a.md');
  vault.put('b/renamed.md', 'second words');
  expect(await vault.find('words ')).toEqual(['b/renamed.md']);
  vault.decide('d-1', 'Old', 'first thoughts', { retired: true });
  expect(await vault.find('thoughts ')).toEqual([]);
  vault.decide('d-1', 'Old', 'newest thoughts');
  expect(await vault.find('newest ')).toEqual(['Old']);
  vault.put('a.md', 'back again');
  expect(await vault.find('a.md ')).toEqual(['a.md']);
  // Nothing of what was replaced is left behind.
  const index = new Database(join(vault.folder, 'search.db'), { readonly: true });
  expect(
    index.prepare('SELECT (SELECT count(*) FROM docs) AS docs, count(*) AS words FROM words_docsize').get(),
  ).toEqual({ docs: 3, words: 3 });
  index.close();
});

test('shows nothing that the vault knows is gone, even before the index does', async () => {
  vault.put('a.md', 'secret');
  await vault.search.idle();
  vault.store.write((tx) =>
    vault.store.db.prepare("UPDATE files SET state = 'deleted', change_seq = ?").run(tx.takeChange()),
  );
  expect(vault.search.query({ query: 'secret' })).toMatchObject({ hits: [], waiting: 1 });
});

test('ranks a match in the title above one in the text, and narrows by root, kind, path and date', async () => {
  vault.addRoot(2, '/work');
  vault.put('deep/notes.md', 'about angles and other things, at length', { mtimeMs: NOW_MS - 1_000 });
  vault.put('angles.md', 'about other things, at length', { mtimeMs: NOW_MS - 2_000 });
  vault.put('angles/readme.txt', 'about', { rootId: 2, mtimeMs: NOW_MS - 3_000 });
  vault.decide('d-1', 'Angles', 'about');
  expect({
    ranked: await vault.find('angles', { kinds: ['file'], rootId: 1 }),
    root: await vault.find('angles', { rootId: 2 }),
    kind: await vault.find('angles', { kinds: ['decision'] }),
    noKind: await vault.find('angles', { kinds: [] }),
    top: await vault.find('angles', { glob: '*.md' }),
    any: (await vault.find('angles', { glob: '**/*.md' })).sort(),
    since: (await vault.find('angles', { sinceMs: NOW_MS - 1_000 })).sort(),
    until: await vault.find('angles', { untilMs: NOW_MS - 3_000 }),
    limit: (await vault.find('angles', { limit: 1 })).length,
    newest: await vault.find('', { kinds: ['file'] }),
    newestWithout: await vault.find('-length', { kinds: ['file'] }),
  }).toEqual({
    ranked: ['angles.md', 'deep/notes.md'],
    root: ['angles/readme.txt'],
    kind: ['Angles'],
    noKind: [],
    top: ['angles.md'],
    any: ['angles.md', 'deep/notes.md'],
    since: ['Angles', 'deep/notes.md'],
    until: ['angles/readme.txt'],
    limit: 1,
    newest: ['deep/notes.md', 'angles.md', 'angles/readme.txt'],
    newestWithout: ['angles/readme.txt'],
  });
});

test('a root that is no longer watched disappears from the results, and comes back with it', async () => {
  vault.put('a.md', 'hello');
  expect(await vault.find('hello')).toEqual(['a.md']);
  vault.store.write(() => vault.store.db.prepare('UPDATE roots SET removed_at_ms = 1').run());
  expect(await vault.find('hello')).toEqual([]);
  vault.store.write(() => vault.store.db.prepare('UPDATE roots SET removed_at_ms = NULL').run());
  expect(await vault.find('hello')).toEqual(['a.md']);
});

test('a large backlog goes through the worker, and saves that come meanwhile are not lost', async () => {
  vault.putMany(Array.from({ length: 300 }, (_, index) => [`d/f${index}.md`, `common number${index} text`] as const));
  expect(vault.search.waiting()).toBe(300);
  const first = vault.search.idle();
  vault.put('late.md', 'common late');
  await first;
  expect(await vault.find('late ')).toEqual(['late.md']);
  expect(await vault.find('number217 ')).toEqual(['d/f217.md']);
  expect((await vault.find('common ', { limit: 200 })).length).toBe(200);
  expect(vault.search.waiting()).toBe(0);
  // The worker is still there, resting.
  vault.put('later.md', 'later');
  expect(await vault.find('later ')).toEqual(['later.md']);
  expect(vault.problems).toEqual([]);
});

test('of very many matches the newest are ranked, and the answer says so', async () => {
  vault.putMany(Array.from({ length: 5_100 }, (_, index) => [`f${index}.md`, index === 3 ? 'every every' : 'every']));
  await vault.search.idle();
  const { hits, capped } = vault.search.query({ query: 'every ', limit: 200 });
  expect([hits.length, capped]).toEqual([200, true]);
  expect(hits[0]?.path).toBe('f5099.md');
  expect(vault.search.query({ query: 'every ', glob: 'f3.*' })).toMatchObject({
    capped: false,
    hits: [{ path: 'f3.md' }],
  });
});

test('binary, endless lines and strange names do no harm', async () => {
  vault.put('image.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 1]));
  vault.put('line.txt', `${'x'.repeat(100_000)} needle ${'y'.repeat(100_000)}`);
  vault.put('solid.txt', 'z'.repeat(900_000));
  vault.put('weird\n\u202e"name*.md', 'inside');
  vault.put('知識/メモ.md', '私たちの知識ベースは大きい');
  expect({
    image: await vault.find('image'),
    line: await vault.find('needle'),
    weird: await vault.find('inside'),
    han: await vault.find('知識ベース'),
    hanPath: await vault.find('メモ'),
  }).toEqual({
    image: ['image.png'],
    line: ['line.txt'],
    weird: ['weird\n\u202e"name*.md'],
    han: ['知識/メモ.md'],
    hanPath: ['知識/メモ.md'],
  });
  expect(vault.search.query({ query: 'inside' }).hits[0]?.title).toBe('weird\\n\\u202e"name*.md');
  expect(vault.problems).toEqual([]);
});

test('a large file is searchable in its first four megabytes', async () => {
  vault.put('big.log', `begin ${'filler words '.repeat(400_000)} end`);
  expect(await vault.find('begin')).toEqual(['big.log']);
  expect(await vault.find('end ')).toEqual([]);
});

test('a content that cannot be read is found by its name, is reported, and stops nothing else', async () => {
  vault.put('broken.md', 'lost words');
  vault.put('fine.md', 'kept words');
  vault.store.db.prepare("UPDATE contents SET data = x'00' WHERE id = 1").run();
  expect(await vault.find('words')).toEqual(['fine.md']);
  expect(await vault.find('broken')).toEqual(['broken.md']);
  expect(vault.problems).toEqual([expect.stringContaining('"broken.md" can be searched by its name only')]);
});

test('a restart finds everything again without indexing anew, also what was committed meanwhile', async () => {
  vault.put('a.md', 'alpha');
  await vault.search.idle();
  await vault.search.stop();
  vault.put('b.md', 'beta');
  await vault.restart();
  expect(vault.search.waiting()).toBe(1);
  expect(await vault.find('alpha OR beta ')).toHaveLength(2);
  expect(vault.problems).toEqual([]);
});

test.each<[string, (file: string) => void, RegExp | null]>([
  ['missing', (file) => removeAll(file), null],
  ['empty', (file) => writeFileSync(file, ''), /made again/],
  ['not a database', (file) => writeFileSync(file, 'x'.repeat(20_000)), /made again/],
  ['cut in the middle', (file) => writeFileSync(file, readFileSync(file).subarray(0, 20_000)), /made again/],
])('an index that is %s is made again at the start, and the vault is untouched', async (_, damage, report) => {
  vault.putMany(
    Array.from({ length: 50 }, (_, index) => [`f${index}.md`, `word${index} ${'text '.repeat(50)}`] as const),
  );
  await vault.search.idle();
  await vault.search.stop();
  const before = vault.store.db.prepare('SELECT * FROM files').all();
  const file = join(vault.folder, 'search.db');
  removeSidecars(file);
  damage(file);
  await vault.restart();
  expect(await vault.find('word49 ')).toEqual(['f49.md']);
  expect(vault.problems.length > 0 && vault.problems.every((problem) => report?.test(problem))).toBe(report !== null);
  expect(vault.store.db.prepare('SELECT * FROM files').all()).toEqual(before);
});

test('an index that is damaged while it is used answers with nothing, and is made again', async () => {
  vault.putMany(Array.from({ length: 50 }, (_, index) => [`f${index}.md`, `word${index} text`] as const));
  await vault.search.idle();
  await vault.restart();
  expect(vault.search.waiting()).toBe(0);
  // What a bad disk may do, done by a second connection.
  damageWords(vault);
  expect(vault.search.query({ query: 'text ' })).toMatchObject({ hits: [], waiting: 50 });
  expect((await vault.find('text ', { limit: 50 })).length).toBe(50);
  expect(vault.problems).toEqual([expect.stringContaining('damaged')]);
});

test('an index of another vault, or ahead of a vault that was restored, is made again', async () => {
  vault.put('a.md', 'alpha');
  vault.put('b.md', 'beta');
  await vault.search.idle();
  await vault.search.stop();
  vault.store.db.exec("DELETE FROM files WHERE name = 'b.md'; UPDATE counters SET value = 1 WHERE name = 'change'");
  await vault.restart();
  expect(await vault.find('alpha OR beta ')).toEqual(['a.md']);
  expect(vault.problems).toEqual([expect.stringContaining('ahead of the vault')]);
});

test('stopping tells those who wait, and can be repeated', async () => {
  vault.putMany(Array.from({ length: 500 }, (_, index) => [`f${index}.md`, 'text'] as const));
  const idle = vault.search.idle();
  const outcome = expect(idle).rejects.toThrow('stopped');
  await vault.search.stop();
  await vault.search.stop();
  await outcome;
  await expect(vault.search.idle()).rejects.toThrow('not running');
  await vault.restart();
  expect((await vault.find('text ', { limit: 200 })).length).toBe(200);
});

function removeSidecars(file: string): void {
  for (const suffix of ['-wal', '-shm']) if (existsSync(file + suffix)) rmSync(file + suffix);
}
function removeAll(file: string): void {
  removeSidecars(file);
  rmSync(file);
}
function damageWords({ folder }: SearchVault): void {
  const db = new Database(join(folder, 'search.db'));
  db.unsafeMode(true);
  db.exec("UPDATE words_data SET block = x'ffffffffffffffffffff' WHERE id > 10");
  db.close();
}
