import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { OBJECT_THRESHOLD_BYTES, objectPath } from '../../../../src/main/store/contents.ts';
import { openStore, type Store } from '../../../../src/main/store/database.ts';
import { createSearch, type Search } from '../../../../src/main/store/search/search.ts';

/** A real vault in a folder of its own, filled through plain SQL: these tests need no capture. */
export type SearchVault = {
  readonly store: Store;
  readonly folder: string;
  readonly problems: string[];
  readonly clock: { nowMs: number };
  readonly search: Search;
  /** Another one over the same vault, as after a restart. */
  readonly restart: () => Promise<void>;
  readonly addRoot: (id: number, path: string) => void;
  readonly put: (path: string, content: string | Buffer, more?: { rootId?: number; mtimeMs?: number }) => void;
  readonly putMany: (files: readonly (readonly [string, string])[]) => void;
  readonly remove: (path: string, rootId?: number) => void;
  readonly decide: (id: string, title: string, decision: string, more?: { retired?: boolean; tags?: string }) => void;
  readonly remember: (id: string, title: string, content: string) => void;
  /** The titles that a query finds, best first, once everything is indexed. */
  readonly find: (query: string, more?: object) => Promise<string[]>;
  readonly close: () => Promise<void>;
};

export const NOW_MS = 1_700_000_000_000;

export function openSearchVault(): SearchVault {
  const folder = mkdtempSync(join(tmpdir(), 'angles-search-'));
  const clock = { nowMs: NOW_MS };
  const store = openStore({ dataFolder: folder, nowMs: () => clock.nowMs });
  const problems: string[] = [];
  const open = (): Search =>
    createSearch({ store, onProblem: (message) => problems.push(message), nowMs: () => clock.nowMs });
  let search = open();
  search.start();
  const addRoot = (id: number, path: string): void => {
    store.write(() => store.db.prepare('INSERT INTO roots (id, path, added_at_ms) VALUES (?, ?, 0)').run(id, path));
  };
  addRoot(1, '/notes');
  const putRow = putFile(store);
  return {
    store,
    folder,
    problems,
    clock,
    get search() {
      return search;
    },
    restart: async () => {
      await search.stop();
      search = open();
      search.start();
    },
    addRoot,
    put: (path, content, more = {}) => {
      store.write((tx) => putRow(tx.takeChange(), path, Buffer.from(content), more));
      search.wake();
    },
    putMany: (files) => {
      store.write((tx) => {
        for (const [path, content] of files) putRow(tx.takeChange(), path, Buffer.from(content), {});
      });
      search.wake();
    },
    remove: (path, rootId = 1) => {
      store.write((tx) =>
        store.db
          .prepare("UPDATE files SET state = 'deleted', change_seq = ? WHERE root_id = ? AND dir = ? AND name = ?")
          .run(tx.takeChange(), rootId, ...split(path)),
      );
      search.wake();
    },
    decide: (id, title, decision, { retired = false, tags = '[]' } = {}) => {
      store.write((tx) =>
        store.db
          .prepare(
            `INSERT OR REPLACE INTO decision_vault (id, title, decision, type, category, status, priority, tags, origin,
               created_at_ms, updated_at_ms, deleted_at_ms, device_id, change_seq)
             VALUES (?, ?, ?, 'technical', 'storage', 'accepted', 'high', ?, 'cli', ?, ?, ?, 'd', ?)`,
          )
          .run(id, title, decision, tags, NOW_MS, NOW_MS, retired ? NOW_MS : null, tx.takeChange()),
      );
      search.wake();
    },
    remember: (id, title, content) => {
      store.write((tx) =>
        store.db
          .prepare(
            `INSERT OR REPLACE INTO memories (id, title, content, kind, category, status, tags, origin,
               created_at_ms, updated_at_ms, device_id, change_seq)
             VALUES (?, ?, ?, 'fact', '', 'active', '["tea","cup"]', 'cli', ?, ?, 'd', ?)`,
          )
          .run(id, title, content, NOW_MS, NOW_MS, tx.takeChange()),
      );
      search.wake();
    },
    find: async (query, more = {}) => {
      await search.idle();
      return search.query({ query, ...more }).hits.map((hit) => hit.path ?? hit.title);
    },
    close: async () => {
      await search.stop();
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function split(path: string): [string, string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
}

function putFile({ db, dataFolder }: Store) {
  const addContent = db.prepare(
    "INSERT OR IGNORE INTO contents (sha256, size_bytes, stored_bytes, encoding, data) VALUES (?, ?, ?, 'zstd', ?)",
  );
  const addFile = db.prepare(
    `INSERT INTO files (root_id, dir, name, state, size_bytes, mtime_us, ctime_us, inode, mode, sha256, change_seq)
     VALUES (?, ?, ?, 'present', ?, ?, 0, 0, 0, ?, ?)
     ON CONFLICT DO UPDATE SET state = 'present', size_bytes = excluded.size_bytes, mtime_us = excluded.mtime_us,
       sha256 = excluded.sha256, change_seq = excluded.change_seq`,
  );
  return (change: number, path: string, bytes: Buffer, more: { rootId?: number; mtimeMs?: number }): void => {
    const sha256 = hash('sha256', bytes, 'buffer');
    const packed = zstdCompressSync(bytes);
    const isObject = bytes.length > OBJECT_THRESHOLD_BYTES;
    if (isObject) {
      const file = objectPath(dataFolder, sha256.toString('hex'));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, packed);
    }
    addContent.run(sha256, bytes.length, packed.length, isObject ? null : packed);
    const mtimeUs = (more.mtimeMs ?? NOW_MS) * 1_000;
    addFile.run(more.rootId ?? 1, ...split(path), bytes.length, mtimeUs, sha256, change);
  };
}
