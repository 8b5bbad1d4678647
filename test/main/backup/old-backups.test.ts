import { createCipheriv, createHmac, hash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openArchive } from '../../../src/main/backup/archive-read.ts';
import { createRecordRestore } from '../../../src/main/store/record-restore.ts';
import { createTestSave } from '../../support/record-save.ts';
import { newRestoreWorld, type RestoreWorld, toFolder } from '../../support/restore-world.ts';
import { craftZip } from '../../support/zip-craft.ts';

/** Rows as earlier programs wrote them. */
const OLD_ROWS = [
  {
    id: 1,
    decision: 'Use SQLite\nIt is enough.',
    type: 'technical',
    date: '2025-08-07',
    created_at: '2025-08-07T15:30:00',
  },
  { id: 2, decision: 'Keep it simple', type: 'process', date: null, created_at: '2025-08-06 10:00:00' },
];

/** A vault whose records can be restored into. */
function world(): RestoreWorld {
  const vault = newRestoreWorld();
  onTestFinished(vault.remove);
  return { ...vault, restorer: vault.restorerWith(createRecordRestore(vault.store, createTestSave(vault.store))) };
}

function oldZip(): Buffer {
  return craftZip([
    {
      name: 'backup_metadata.json',
      content: JSON.stringify({ timestamp: '2025-08-07T15:30:00Z', backup_type: 'manual', tag: 'v1' }),
    },
    { name: 'state.json', content: '{"version": "1"}' },
    { name: 'session_cache.json', content: '{}', deflate: true },
    { name: 'long_term.db', content: 'SQLite format 3\0 and so on' },
    { name: 'indexes/search_index.json', content: '{}', deflate: true },
    { name: 'indexes/category_index.json', content: '{}' },
    { name: 'decision_vault_2025-08-07_15-30-00.json', content: JSON.stringify(OLD_ROWS), deflate: true },
  ]);
}

function fernetKey(): string {
  return `${randomBytes(32).toString('base64url')}=`;
}

/** What Python's `Fernet(key).encrypt(data)` gives. */
function fernet(data: Buffer, key: string): string {
  const bytes = Buffer.from(key, 'base64url');
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-128-cbc', bytes.subarray(16), iv);
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(1_754_580_600n);
  const signed = Buffer.concat([Buffer.from([0x80]), time, iv, cipher.update(data), cipher.final()]);
  const token = Buffer.concat([signed, createHmac('sha256', bytes.subarray(0, 16)).update(signed).digest()]);
  const text = token.toString('base64url');
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}

describe('A backup of an earlier program', () => {
  test.each(['as it is', 'encrypted with Fernet'])('is a source of files and rows: a zip %s', async (how) => {
    const w = world();
    const key = fernetKey();
    const file = join(w.base, 'memory_backup_2025-08-07.zip');
    writeFileSync(file, how === 'as it is' ? oldZip() : fernet(oldZip(), key));
    const source = await openArchive(file, { key: null, fernetKey: key, dataFolder: w.dataFolder, verify: 'all' });
    expect(source.info).toMatchObject({
      shape: 'old-archive',
      createdAtMs: Date.parse('2025-08-07T15:30:00Z'),
      reason: 'manual',
      tag: 'v1',
    });
    expect(source.tables).toEqual([{ name: 'decision_vault', recordCount: 2, schemaVersion: '1.0' }]);
    const to = join(w.base, 'restored');
    const prepared = await w.restorer.prepare(source, toFolder(to, { tables: null, autoMigrate: true }));
    expect(prepared.plan.tables).toMatchObject([
      { table: 'decision_vault', insert: 2, update: 0, same: 0, refused: 0 },
    ]);
    await w.restorer.apply(source, prepared);
    expect(readFileSync(join(to, 'state.json'), 'utf8')).toBe('{"version": "1"}');
    const { records } = w.records.list({ table: 'decision_vault' });
    expect(
      records
        .map(({ title, createdAtMs, origin }) => ({ title, createdAtMs, origin }))
        .sort((a, b) => b.createdAtMs - a.createdAtMs),
    ).toEqual([
      { title: 'Use SQLite', createdAtMs: Date.parse('2025-08-07T15:30:00Z'), origin: 'restore' },
      { title: 'Keep it simple', createdAtMs: Date.parse('2025-08-06T10:00:00Z'), origin: 'restore' },
    ]);
    const again = await w.restorer.prepare(
      source,
      toFolder(join(w.base, 'x'), { withFiles: false, tables: null, autoMigrate: true }),
    );
    expect(again.plan.tables).toMatchObject([{ insert: 0, update: 0, same: 2 }]);
    await source.close();
  });

  test('whose rows have another shape is refused unless they may be carried over', async () => {
    const w = world();
    const file = join(w.base, 'decision_vault_2025-08-07_15-30-00.json');
    writeFileSync(file, JSON.stringify(OLD_ROWS));
    const source = await openArchive(file, { key: null, fernetKey: null, dataFolder: w.dataFolder, verify: 'all' });
    const prepared = await w.restorer.prepare(source, toFolder(join(w.base, 'x'), { tables: null }));
    await expect(w.restorer.apply(source, prepared)).rejects.toMatchObject({ code: 'restore.schema' });
    expect(w.records.count('decision_vault')).toBe(0);
  });

  test.each([
    ['a list of rows', JSON.stringify(OLD_ROWS), null],
    [
      'rows with metadata',
      JSON.stringify({
        metadata: {
          record_count: 2,
          schema_version: '1.0',
          timestamp: '2025-08-07T15:30:00Z',
          checksum: hash('sha256', JSON.stringify(OLD_ROWS), 'hex'),
        },
        data: OLD_ROWS,
      }),
      null,
    ],
    ['a count that is not true', JSON.stringify({ metadata: { record_count: 3 }, data: OLD_ROWS }), 'backup.damaged'],
    ['a newer schema', JSON.stringify({ metadata: { schema_version: '2.0' }, data: OLD_ROWS }), 'backup.from_future'],
    ['half of a document', JSON.stringify(OLD_ROWS).slice(0, -5), 'backup.damaged'],
    ['no rows', '{"a": 1}', 'backup.foreign'],
    ['rows that are none', '[1, 2]', 'backup.damaged'],
  ])('as a table export with %s', async (_what, text, code) => {
    const w = world();
    const file = join(w.base, 'decision_vault_2025-08-07.json');
    writeFileSync(file, text);
    const opening = openArchive(file, { key: null, fernetKey: null, dataFolder: w.dataFolder, verify: 'all' });
    if (code === null)
      expect((await opening).tables).toEqual([{ name: 'decision_vault', recordCount: 2, schemaVersion: '1.0' }]);
    else await expect(opening).rejects.toMatchObject({ code });
  });

  test('encrypted with Fernet is refused with another key, with any byte changed, and cut', async () => {
    const w = world();
    const key = fernetKey();
    const token = fernet(oldZip(), key);
    const file = join(w.base, 'old.zip');
    const open = async (text: string, withKey: string | null) => {
      writeFileSync(file, text);
      try {
        await (
          await openArchive(file, { key: null, fernetKey: withKey, dataFolder: w.dataFolder, verify: 'all' })
        ).close();
        return 'opened';
      } catch (cause) {
        return (cause as { code?: string }).code;
      }
    };
    expect(await open(token, key)).toBe('opened');
    expect(await open(`${token}\n`, key)).toBe('opened');
    expect(await open(token, fernetKey())).toBe('backup.key_wrong');
    expect(await open(token, 'no key')).toBe('backup.key_invalid');
    expect(await open(token, null)).toBe('backup.key_missing');
    for (let at = 7; at < token.length - 4; at += Math.ceil(token.length / 60)) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(await open(token.slice(0, at) + other + token.slice(at + 1), key), `${at}`).toMatch(
        /^backup\.(key_wrong|damaged|foreign)$/,
      );
      expect(await open(token.slice(0, at), key), `cut at ${at}`).toMatch(/^backup\.(key_wrong|damaged|foreign)$/);
    }
  });
});

describe('Rows of an archive', () => {
  const fields = (title: string) => ({
    title,
    decision: title,
    type: 'decision',
    category: 'c',
    status: 'accepted' as const,
    priority: 'low' as const,
    tags: ['t'],
    date: null,
  });

  test('are inserted where missing and updated where they differ; undo gives back what was, and retires what was not', async () => {
    const w = world();
    const create = (title: string) =>
      w.records.create({ table: 'decision_vault', fields: fields(title), origin: 'cli' }).record;
    const [same, edited] = [create('same'), create('edited')];
    const { file } = await w.archive();
    w.records.edit({ table: 'decision_vault', id: edited.id, fields: { title: 'edited since' }, origin: 'cli' });
    const own = create('own');

    const other = world();
    const source = await w.open(file);
    const prepared = await w.restorer.prepare(source, toFolder(join(w.base, 'x'), { tables: null }));
    expect(prepared.plan.tables).toMatchObject([
      { table: 'decision_vault', insert: 0, update: 1, same: 1, refused: 0 },
      { table: 'memories', insert: 0 },
    ]);
    await w.restorer.apply(source, prepared);
    const titles = (world_: RestoreWorld) =>
      world_.records
        .list({ table: 'decision_vault', includeRetired: true })
        .records.map(({ title, deletedAtMs }) => [title, deletedAtMs !== null])
        .sort();
    expect(titles(w)).toEqual([
      ['edited', false],
      ['own', false],
      ['same', false],
    ]);
    expect(w.records.show({ table: 'decision_vault', id: own.id }).record.changeSeq).toBe(own.changeSeq);
    expect(w.records.show({ table: 'decision_vault', id: same.id }).record.changeSeq).toBe(same.changeSeq);
    await w.restorer.undo();
    expect(titles(w)).toEqual([
      ['edited since', false],
      ['own', false],
      ['same', false],
    ]);

    await other.restorer.apply(
      source,
      await other.restorer.prepare(source, toFolder(join(other.base, 'x'), { tables: ['decision_vault'] })),
    );
    expect(titles(other)).toEqual([
      ['edited', false],
      ['same', false],
    ]);
    expect(other.records.show({ table: 'decision_vault', id: same.id }).record).toMatchObject({
      createdAtMs: same.createdAtMs,
      tags: ['t'],
    });
    await other.restorer.undo();
    expect(titles(other)).toEqual([
      ['edited', true],
      ['same', true],
    ]);
    await source.close();
  });
});
