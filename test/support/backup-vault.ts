/** A vault that a test fills directly, and a backup repository beside it. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { createRepository, type OpenRepository } from '../../src/main/backup/open-repository.ts';
import type { BackupSecret, RepositoryWriter } from '../../src/main/backup/repository-types.ts';
import { createRepositoryWriter, type WriterDeps } from '../../src/main/backup/repository-writer.ts';
import { splitPath } from '../../src/main/path-names.ts';
import { createActivityStore } from '../../src/main/store/activities.ts';
import { createCaptures } from '../../src/main/store/captures.ts';
import { OBJECT_THRESHOLD_BYTES, objectPath } from '../../src/main/store/contents.ts';
import { openStore, type Store } from '../../src/main/store/database.ts';
import { openJournal } from '../../src/main/store/journal.ts';
import { createOutbox } from '../../src/main/store/outbox.ts';
import { createRecordStore, type RecordStore } from '../../src/main/store/records.ts';
import { createRootStore } from '../../src/main/store/roots.ts';

export const TEST_SECRET: BackupSecret = { kind: 'key', key: createHash('sha256').update('a key of tests').digest() };

export type TestVault = {
  readonly folder: string;
  readonly dataFolder: string;
  readonly store: Store;
  readonly records: RecordStore;
  readonly rootId: number;
  /** Everything that was saved and not removed, by path. */
  readonly files: Map<string, { readonly content: Buffer; readonly mode: number; readonly mtimeUs: number }>;
  readonly save: (path: string, content: Buffer | string, stat?: { mode?: number; mtimeUs?: number }) => void;
  readonly remove: (path: string) => void;
  readonly gitFolder: string;
  /** Removes the index beside the repository; close its writer before. */
  readonly loseIndex: () => void;
  readonly openRepository: (secret?: BackupSecret | null, name?: string) => OpenRepository;
  readonly openWriter: (deps?: Partial<WriterDeps>, secret?: BackupSecret | null, name?: string) => RepositoryWriter;
  readonly close: () => void;
};

export function createTestVault(): TestVault {
  const folder = mkdtempSync(join(tmpdir(), 'angles-backup-'));
  const dataFolder = join(folder, 'data');
  mkdirSync(join(dataFolder, 'backups'), { recursive: true });
  const started = Date.UTC(2026, 10, 20);
  let ticks = 0;
  const nowMs = (): number => {
    ticks += 1;
    return started + ticks * 1_000;
  };
  const store = openStore({ dataFolder, nowMs });
  const outbox = createOutbox(store);
  const activities = createActivityStore(store, outbox);
  const captures = createCaptures(store, { outbox, activities });
  const records = createRecordStore(store, { outbox, activities, journal: openJournal(store) });
  const { rootId } = createRootStore(store).ensure(join(folder, 'notes'));
  const files: TestVault['files'] = new Map();
  const opened: (() => void)[] = [];
  const gitFolder = join(dataFolder, 'backups', 'local.git');
  const open = (secret: BackupSecret | null = TEST_SECRET, name = 'local'): OpenRepository =>
    createRepository({ gitFolder: join(dataFolder, 'backups', `${name}.git`), secret, deviceId: store.deviceId });
  return {
    folder,
    dataFolder,
    store,
    records,
    rootId,
    files,
    gitFolder,
    save: (path, text, { mode = 0o644, mtimeUs = 1_700_000_000_123_456 + files.size } = {}) => {
      const content = Buffer.from(text);
      const sha256 = createHash('sha256').update(content).digest();
      const packed = zstdCompressSync(content);
      const isObject = content.length > OBJECT_THRESHOLD_BYTES;
      if (isObject) {
        const file = objectPath(dataFolder, sha256.toString('hex'));
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, packed);
      }
      const isZstd = isObject || packed.length < content.length;
      const data = isZstd ? packed : content;
      captures.apply(rootId, [
        {
          kind: 'content',
          ...splitPath(path),
          stat: { sizeBytes: content.length, mtimeUs, ctimeUs: mtimeUs, inode: 1, mode: 0o100000 | mode },
          content: {
            sha256,
            sizeBytes: content.length,
            encoding: isZstd ? 'zstd' : 'raw',
            data: isObject ? null : data,
            storedBytes: data.length,
          },
          renamedFrom: null,
          stillOpen: false,
        },
      ]);
      files.set(path, { content, mode, mtimeUs });
    },
    remove: (path) => {
      captures.apply(rootId, [{ kind: 'gone', ...splitPath(path) }]);
      files.delete(path);
    },
    loseIndex: () => {
      for (const suffix of ['', '-wal', '-shm']) {
        rmSync(join(dataFolder, 'backups', `local.index.db${suffix}`), { force: true });
      }
    },
    openRepository: open,
    openWriter: (deps = {}, secret = TEST_SECRET, name = 'local') => {
      const writer = createRepositoryWriter(open(secret, name), {
        dataFolder,
        agentVersion: '0.0.0',
        settings: () => ({ roots: [join(folder, 'notes')] }),
        nowMs,
        ...deps,
      });
      opened.push(writer.close);
      return writer;
    },
    close: () => {
      for (const close of opened.splice(0)) close();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
