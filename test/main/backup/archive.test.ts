import { execFileSync, spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { COMMENT_BYTES, COMMENT_PREFIX } from '../../../src/main/backup/archive-format.ts';
import { openArchive } from '../../../src/main/backup/archive-read.ts';
import { testArchiveKey } from '../../support/archive-key.ts';
import { createRandom } from '../../support/random-tree.ts';
import { newRestoreWorld, type RestoreWorld, toFolder } from '../../support/restore-world.ts';

const FLIPS = Number(process.env.FLIPS ?? 150);
const SEED = Number(process.env.SEED ?? 1);

function world(): RestoreWorld {
  const made = newRestoreWorld();
  onTestFinished(made.remove);
  return made;
}

async function filled(): Promise<RestoreWorld> {
  const w = world();
  w.put('notes/a.md', '# Alpha\nSQLite is the vault.', { mode: 0o640, mtimeMs: 1_700_000_000_123 });
  w.put('notes/b.md', 'beta '.repeat(500));
  w.put('empty', '');
  w.put('large.bin', Buffer.alloc(3_000_000, 'abcdefg'));
  await w.capture();
  w.records.create({ table: 'decision_vault', fields: decision('Use SQLite', 'storage', 'accepted'), origin: 'cli' });
  w.records.create({ table: 'decision_vault', fields: decision('Which queue?', 'queue', 'open'), origin: 'cli' });
  w.records.create({
    table: 'memories',
    fields: {
      title: 'Likes tea',
      content: 'No sugar.',
      kind: 'preference',
      category: 'food',
      status: 'active',
      tags: [],
    },
    origin: 'cli',
  });
  return w;
}

function decision(title: string, category: string, status: 'accepted' | 'open') {
  return {
    title,
    decision: `${title}, yes.`,
    type: 'decision',
    category,
    status,
    priority: 'medium' as const,
    tags: ['x'],
    date: null,
  };
}

function unzip(file: string, name: string): Buffer {
  return execFileSync('unzip', ['-p', file, name], { maxBuffer: 64_000_000 });
}

function json(file: string, name: string): Record<string, never> & { [key: string]: never } {
  return JSON.parse(unzip(file, name).toString('utf8'));
}

describe('An archive', () => {
  test('opens with stock unzip and holds what it says, each part with real meaning', async () => {
    const w = await filled();
    const { file, files, tables, id } = await w.archive({ tag: 'before the move' });
    expect(file).toMatch(/memory_backup_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_before-the-move\.zip$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(spawnSync('unzip', ['-tq', file]).status).toBe(0);
    expect([files, tables.decision_vault, tables.memories]).toEqual([4, 2, 1]);

    const metadata = JSON.parse(unzip(file, 'backup_metadata.json').toString()) as {
      id: string;
      entries: { name: string; size: number; sha256: string }[];
      roots: { folder: string }[];
    };
    expect(metadata).toMatchObject({
      id,
      format_version: 2,
      tag: 'before the move',
      redacted: false,
      counts: { files: 4 },
    });
    for (const { name, size, sha256 } of metadata.entries) {
      const bytes = unzip(file, name);
      expect([name, bytes.length, hash('sha256', bytes, 'hex')]).toEqual([name, size, sha256]);
    }
    expect(unzip(file, `files/${metadata.roots[0]?.folder}/notes/a.md`).toString()).toBe(
      '# Alpha\nSQLite is the vault.',
    );
    const table = json(file, 'tables/decision_vault.json') as unknown as {
      metadata: object;
      data: { title: string }[];
    };
    expect(table.metadata).toMatchObject({ record_count: 2, backup_version: '1.0.0', schema_version: '1.0' });
    const lines = table.data.map((row) => `${JSON.stringify(row)}\n`).join('');
    expect(table.metadata).toHaveProperty('checksum', hash('sha256', lines, 'hex'));
    expect(json(file, 'session_cache.json')).toMatchObject({
      open_decisions: [{ title: 'Which queue?', status: 'open' }],
    });
    const [storage] = table.data.filter(({ title }) => title === 'Use SQLite') as unknown as { id: string }[];
    expect(json(file, 'indexes/category_index.json')).toMatchObject({
      categories: { storage: { decision_vault: [storage?.id] } },
    });
    expect(json(file, 'indexes/search_index.json')).toMatchObject({
      terms: { sqlite: { records: [storage?.id] }, notes: { files: 2 } },
    });
    expect(json(file, 'state.json')).toMatchObject({ roots: [{ path: w.root }] });
  });

  test('has a database of its own with records and history, which any SQLite opens', async () => {
    const w = await filled();
    const { file } = await w.archive();
    writeFileSync(join(w.base, 'long.db'), unzip(file, 'long_term.db'));
    const db = new Database(join(w.base, 'long.db'), { readonly: true });
    onTestFinished(() => void db.close());
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    const count = (table: string) => (db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
    expect([count('decision_vault'), count('memories'), count('record_history') > 10]).toEqual([2, 1, true]);
  });

  test('is opened by stock gpg when it is encrypted, and what gpg encrypts is opened here', async () => {
    const w = await filled();
    const key = testArchiveKey();
    const home = join(w.base, 'gnupg');
    mkdirSync(home, { mode: 0o700 });
    onTestFinished(() => void spawnSync('gpgconf', ['--kill', 'all'], { env: { ...process.env, GNUPGHOME: home } }));
    const gpg = (...args: string[]) =>
      execFileSync('gpg', ['--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase-fd', '0', ...args], {
        input: key.passphrase,
        env: { ...process.env, GNUPGHOME: home },
        maxBuffer: 64_000_000,
      });
    const { file } = await w.archive({ isEncrypted: true });
    expect(file).toMatch(/\.zip\.gpg$/);
    expect(readFileSync(file).includes('SQLite')).toBe(false);
    const plain = join(w.base, 'plain.zip');
    writeFileSync(plain, gpg('-d', file));
    expect(spawnSync('unzip', ['-tq', plain]).status).toBe(0);
    const again = join(w.base, 'again.zip.gpg');
    gpg('-c', '--cipher-algo', 'AES256', '-o', again, plain);
    const source = await w.open(again);
    expect(source.info).toMatchObject({ isEncrypted: true, isAuthenticated: true });
    expect([...source.entries()]).toHaveLength(4);
    await source.close();
    expect(readdirSync(join(w.dataFolder, 'backup', 'tmp'))).toEqual([]);
  });

  test('refuses a wrong key and a missing one, and says which key it needs', async () => {
    const w = await filled();
    const { file } = await w.archive({ isEncrypted: true });
    const plain = (await w.archive()).file;
    const open = (path: string, key: ReturnType<typeof testArchiveKey> | null) =>
      openArchive(path, { key, fernetKey: null, dataFolder: w.dataFolder, verify: 'all' });
    await expect(open(file, testArchiveKey('other'))).rejects.toMatchObject({ code: 'backup.key_wrong' });
    await expect(open(file, null)).rejects.toMatchObject({ code: 'backup.key_missing' });
    await expect(open(plain, testArchiveKey('other'))).rejects.toMatchObject({
      code: 'backup.key_wrong',
      message: expect.stringContaining(testArchiveKey().fingerprint),
    });
    const unsealed = await open(plain, null);
    expect(unsealed.info).toMatchObject({ isAuthenticated: false, warnings: [expect.stringContaining('anybody')] });
    await unsealed.close();
    await expect(open(join(w.base, 'missing.zip'), null)).rejects.toMatchObject({ code: 'not_found.backup' });
    await expect(open(join(w.root, 'notes/a.md'), null)).rejects.toMatchObject({ code: 'backup.foreign' });
  });

  test('is of one moment: saves that come while it is written are not in it', async () => {
    const w = await filled();
    const writing = w.archive({ onProgress: () => undefined });
    w.put('notes/late.md', 'late');
    await w.capture();
    w.records.create({ table: 'decision_vault', fields: decision('Late', 'late', 'open'), origin: 'cli' });
    const { files, tables } = await writing;
    expect([files, tables.decision_vault]).toEqual([4, 2]);
  });

  test('takes a database that is being written to as it is after a whole transaction', async () => {
    const w = world();
    const path = join(w.root, 'live.db');
    const live = new Database(path);
    onTestFinished(() => void live.close());
    live.pragma('journal_mode = WAL');
    live.exec('CREATE TABLE t (a INTEGER, b INTEGER)');
    const insert = live.prepare('INSERT INTO t VALUES (?, ?)');
    live.transaction(() => {
      for (let index = 0; index < 2_000; index += 1) insert.run(index, -index);
    })();
    await w.capture();
    live.exec('UPDATE t SET b = b - 1');
    const { file } = await w.archive();
    const to = join(w.base, 'restored');
    const source = await w.open(file);
    await w.restorer.apply(source, await w.restorer.prepare(source, toFolder(to, { only: ['live.db'] })));
    await source.close();
    const copy = new Database(join(to, 'live.db'), { readonly: true });
    onTestFinished(() => void copy.close());
    expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(copy.prepare('SELECT count(*) AS n, sum(a + b) AS s FROM t').get()).toEqual({ n: 2_000, s: -2_000 });
  });

  test('leaves nothing behind when it is stopped, and does not overwrite a file', async () => {
    const w = await filled();
    const folder = join(w.base, 'backups');
    await expect(w.archive({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' });
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
    const file = join(w.base, 'export.zip');
    await w.archive({ to: { file } });
    const before = readFileSync(file);
    await expect(w.archive({ to: { file } })).rejects.toMatchObject({ code: 'file.exists' });
    expect(readFileSync(file).equals(before)).toBe(true);
    await expect(w.archive({ to: { file: join(w.base, 'no/such/folder/a.zip') } })).rejects.toMatchObject({
      code: 'usage.bad_argument',
    });
    expect(readdirSync(join(w.dataFolder, 'backup', 'tmp'))).toEqual([]);
  });
});

describe('An archive without encryption', () => {
  const secret = ['hunter', '2'].join('');
  const redact = (text: string) => {
    const redactions = text.split(secret).length - 1;
    return { text: text.replaceAll(secret, '[redacted]'), redactions, kinds: redactions > 0 ? ['password'] : [] };
  };

  test('holds redacted copies, marked and reported, in files, rows and the database', async () => {
    const w = world();
    w.put('a.md', `the word is ${secret}, ${secret}`);
    w.put('b.md', 'nothing');
    await w.capture();
    w.records.create({ table: 'decision_vault', fields: decision(`Keep ${secret}`, 'x', 'open'), origin: 'cli' });
    const { file, redactions } = await w.archive({ redact });
    expect(redactions).toMatchObject({ files: [{ path: 'a.md', redactions: 2, kinds: ['password'] }], refused: [] });
    const names = execFileSync('unzip', ['-Z1', file]).toString().trim().split('\n');
    for (const name of names) expect([name, unzip(file, name).includes(secret)]).toEqual([name, false]);
    const source = await w.open(file);
    expect(source.info.isRedacted).toBe(true);
    w.put('a.md', `changed ${secret}`);
    const request = {
      target: { kind: 'in-place' as const },
      only: [],
      tables: [],
      withFiles: true,
      autoMigrate: false,
    };
    const refused = await w.restorer.prepare(source, { ...request, allowRedacted: false });
    await expect(w.restorer.apply(source, refused)).rejects.toMatchObject({ code: 'restore.redacted' });
    expect(readFileSync(join(w.root, 'a.md'), 'utf8')).toBe(`changed ${secret}`);
    await w.restorer.apply(source, await w.restorer.prepare(source, { ...request, allowRedacted: true }));
    expect(readFileSync(join(w.root, 'a.md'), 'utf8')).toBe('the word is [redacted], [redacted]');
    await source.close();
  });

  test('is refused when a secret cannot be taken out, unless the check is switched off; an encrypted one is exact', async () => {
    const w = world();
    w.put('a.bin', Buffer.concat([Buffer.from([0, 255]), Buffer.from(secret)]));
    await w.capture();
    await expect(w.archive({ redact })).rejects.toMatchObject({
      code: 'backup.refused',
      message: expect.stringContaining('a.bin'),
    });
    expect(readdirSync(join(w.base, 'backups'))).toEqual([]);
    expect((await w.archive({ redact, sanityCheck: false })).files).toBe(1);
    expect((await w.archive({ redact, isEncrypted: true })).redactions).toBeNull();
  });
});

describe('A changed archive', () => {
  async function small(isEncrypted: boolean) {
    const w = world();
    w.put('a.md', 'alpha alpha alpha');
    w.put('b.md', 'bravo bravo bravo');
    await w.capture();
    const { file } = await w.archive({ isEncrypted });
    const bytes = readFileSync(file);
    const target = join(w.base, `changed.zip${isEncrypted ? '.gpg' : ''}`);
    const open = async (changed: Buffer): Promise<string> => {
      writeFileSync(target, changed);
      try {
        await (await w.open(target)).close();
        return 'opened';
      } catch (cause) {
        return (cause as { code?: string }).code ?? String(cause);
      }
    };
    return { w, bytes, open };
  }
  const REFUSED = /^backup\.(damaged|hostile|key_wrong|foreign|from_future)$/;

  test.each([false, true])(
    `of which one bit differs is refused (encrypted: %s; FLIPS=${FLIPS} SEED=${SEED})`,
    async (isEncrypted) => {
      const { bytes, open } = await small(isEncrypted);
      expect(await open(bytes)).toBe('opened');
      const random = createRandom(SEED);
      const places = Array.from({ length: isEncrypted ? Math.ceil(FLIPS / 5) : FLIPS }, (_, index) =>
        index % 3 === 0
          ? random.below(200)
          : index % 3 === 1
            ? bytes.length - 1 - random.below(200)
            : random.below(bytes.length),
      );
      for (const place of places) {
        const changed = Buffer.from(bytes);
        changed[place] = (changed[place] ?? 0) ^ (1 << random.below(8));
        expect(await open(changed), `byte ${place} of ${bytes.length}`).toMatch(REFUSED);
      }
    },
    120_000,
  );

  test.each([false, true])(
    'that was cut, or that something was added to, is refused (encrypted: %s)',
    async (isEncrypted) => {
      const { bytes, open } = await small(isEncrypted);
      for (let length = bytes.length - 1; length > 0; length -= Math.max(1, Math.floor(bytes.length / 40)))
        expect(await open(bytes.subarray(0, length)), `${length}`).toMatch(REFUSED);
      for (const more of ['\0', 'garbage', bytes])
        expect(await open(Buffer.concat([bytes, Buffer.from(more)]))).toMatch(REFUSED);
    },
  );

  /** Somebody who knows the format, and mends every checksum that needs no key. */
  function mendProof(zip: Buffer): Buffer {
    const changed = Buffer.from(zip);
    const digest = hash('sha256', changed.subarray(0, changed.length - COMMENT_BYTES), 'hex');
    changed.write(COMMENT_PREFIX + digest, changed.length - COMMENT_BYTES, 'latin1');
    return changed;
  }

  test('whose parts were swapped by somebody who mends every checksum is refused', async () => {
    const { bytes, open } = await small(false);
    const [a, b] = [bytes.indexOf('a.md'), bytes.indexOf('b.md')];
    // The names in both headers, so that the zip is sound and each file has the content of the other.
    const swapped = Buffer.from(bytes);
    for (let at = bytes.indexOf('/a.md'); at !== -1; at = bytes.indexOf('/a.md', at + 1)) swapped.write('/X.md', at);
    for (let at = bytes.indexOf('/b.md'); at !== -1; at = bytes.indexOf('/b.md', at + 1)) swapped.write('/a.md', at);
    for (let at = swapped.indexOf('/X.md'); at !== -1; at = swapped.indexOf('/X.md', at + 1))
      swapped.write('/b.md', at);
    expect([a > 0, b > 0]).toEqual([true, true]);
    expect(await open(mendProof(bytes))).toBe('opened');
    expect(await open(mendProof(swapped))).toBe('backup.damaged');
  });

  test('whose metadata is that of an earlier backup, or was edited, is refused', async () => {
    const { w, bytes, open } = await small(false);
    w.put('a.md', 'ALPHA ALPHA ALPHA');
    await w.capture();
    w.clock.nowMs += 1_000;
    const newer = readFileSync((await w.archive()).file);
    const metadataOf = (zip: Buffer): Buffer => {
      writeFileSync(join(w.base, 'x.zip'), zip);
      return unzip(join(w.base, 'x.zip'), 'backup_metadata.json');
    };
    const repack = (zip: Buffer, metadata: Buffer): Buffer => {
      const folder = join(w.base, `unpacked-${Math.random()}`);
      mkdirSync(folder);
      writeFileSync(join(w.base, 'y.zip'), zip);
      execFileSync('unzip', ['-q', join(w.base, 'y.zip'), '-d', folder]);
      writeFileSync(join(folder, 'backup_metadata.json'), metadata);
      execFileSync('zip', ['-q', '-X', '-D', '-r', join(w.base, `z${zip.length}.zip`), '.'], { cwd: folder });
      const plain = readFileSync(join(w.base, `z${zip.length}.zip`));
      const withComment = Buffer.concat([plain, Buffer.alloc(COMMENT_BYTES)]);
      withComment.writeUInt16LE(COMMENT_BYTES, plain.length - 2);
      return mendProof(withComment);
    };
    expect(await open(repack(newer, metadataOf(newer)))).toBe('opened');
    expect(await open(repack(newer, metadataOf(bytes)))).toBe('backup.damaged');
    const edited = Buffer.from(metadataOf(bytes).toString('utf8').replace('"reason": "manual"', '"reason": "daily" '));
    expect(await open(repack(bytes, edited))).toBe('backup.damaged');
    const future = Buffer.from(
      metadataOf(bytes).toString('utf8').replace('"format_version": 2', '"format_version": 3'),
    );
    expect(await open(repack(bytes, future))).toBe('backup.from_future');
  });
});
