/** A real vault with a watched folder whose files are captured when the test says so. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fsPath, joinPath, nameFromBytes, nameToBytes, splitPath } from '../../src/main/path-names.ts';
import { createActivityStore } from '../../src/main/store/activities.ts';
import { type Captures, createCaptures, type Seen } from '../../src/main/store/captures.ts';
import { openStore, type Store } from '../../src/main/store/database.ts';
import { openJournal } from '../../src/main/store/journal.ts';
import { createOutbox } from '../../src/main/store/outbox.ts';
import { createRecordStore, type RecordStore } from '../../src/main/store/records.ts';
import { createRootStore } from '../../src/main/store/roots.ts';
import { readVersion, toFileStat } from '../../src/main/watch/read-file.ts';

export type BackupVault = {
  readonly base: string;
  readonly dataFolder: string;
  readonly root: string;
  readonly rootId: number;
  readonly store: Store;
  readonly records: RecordStore;
  readonly captures: Captures;
  readonly clock: { nowMs: number };
  /** Writes below the root; `path` in our names. */
  readonly put: (
    path: string,
    content: string | Buffer,
    options?: { readonly mode?: number; readonly mtimeMs?: number },
  ) => void;
  /** Captures everything as it is now. */
  readonly capture: () => Promise<void>;
  readonly remove: () => void;
};

export function newBackupVault(): BackupVault {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'angles-backup-')));
  const dataFolder = join(base, 'data');
  const root = join(base, 'notes');
  mkdirSync(dataFolder);
  mkdirSync(root);
  const clock = { nowMs: 1_790_000_000_000 };
  const store = openStore({ dataFolder, nowMs: () => clock.nowMs });
  const outbox = createOutbox(store);
  const activities = createActivityStore(store, outbox);
  const journal = openJournal(store);
  const captures = createCaptures(store, { outbox, activities });
  const { rootId } = createRootStore(store).ensure(root);
  return {
    base,
    dataFolder,
    root,
    rootId,
    store,
    records: createRecordStore(store, { outbox, activities, journal }),
    captures,
    clock,
    put: (path, content, options = {}) => {
      const full = `${root}/${path}`;
      mkdirSync(fsPath(dirname(full)), { recursive: true });
      writeFileSync(fsPath(full), content);
      if (options.mode !== undefined) chmodSync(fsPath(full), options.mode);
      if (options.mtimeMs !== undefined) utimesSync(fsPath(full), options.mtimeMs / 1_000, options.mtimeMs / 1_000);
    },
    capture: async () => {
      const seen: Seen[] = [];
      const there = new Set<string>();
      for (const path of listFiles(root)) {
        there.add(path);
        const { dir, name } = splitPath(path);
        const result = await readVersion({ path: `${root}/${path}`, maxBytes: 2 ** 40, dataFolder });
        if (result.kind !== 'content') throw new Error(`${path} was not captured: ${result.kind}`);
        seen.push({
          kind: 'content',
          dir,
          name,
          stat: result.stat,
          content: result.content,
          renamedFrom: null,
          stillOpen: false,
        });
      }
      for (const known of captures.presentBelow(rootId, ''))
        if (!there.has(joinPath(known.dir, known.name))) seen.push({ kind: 'gone', dir: known.dir, name: known.name });
      captures.apply(rootId, seen);
    },
    remove: () => {
      journal.close();
      store.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Regular files below a folder, in our names, sorted. */
export function listFiles(folder: string): string[] {
  const found: string[] = [];
  const walk = (dir: string): void => {
    for (const entry of readdirSync(fsPath(dir === '' ? folder : `${folder}/${dir}`), {
      encoding: 'buffer',
      withFileTypes: true,
    })) {
      const path = joinPath(dir, nameFromBytes(entry.name));
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) found.push(path);
    }
  };
  walk('');
  return found.sort();
}

export type SeenFile = { readonly mode: number; readonly mtimeUs: number; readonly size: number };

/** Path, permission bits and time of every file: what a restore has to give back besides the bytes. */
export function describeTree(folder: string): Map<string, SeenFile> {
  return new Map(
    listFiles(folder).map((path) => {
      const stat = toFileStat(lstatSync(fsPath(`${folder}/${path}`), { bigint: true }));
      return [path, { mode: stat.mode & 0o7777, mtimeUs: stat.mtimeUs, size: stat.sizeBytes }];
    }),
  );
}

export { nameToBytes };
