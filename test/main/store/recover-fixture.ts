/** Vaults with everything in them, made through the store's own functions, and a list of all that was written. */
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { splitPath } from '../../../src/main/path-names.ts';
import { createActivityStore } from '../../../src/main/store/activities.ts';
import { createCaptures, type Seen } from '../../../src/main/store/captures.ts';
import { OBJECT_THRESHOLD_BYTES, objectPath, type StoredContent } from '../../../src/main/store/contents.ts';
import { openStore, type Store } from '../../../src/main/store/database.ts';
import { createFileQueries } from '../../../src/main/store/file-queries.ts';
import { openJournal } from '../../../src/main/store/journal.ts';
import { createLinks } from '../../../src/main/store/links.ts';
import { createOutbox } from '../../../src/main/store/outbox.ts';
import { createPackWriter } from '../../../src/main/store/pack-writer.ts';
import { createRecordStore } from '../../../src/main/store/records.ts';
import { createRootStore } from '../../../src/main/store/roots.ts';
import type { EditableRecord, SnapshotChange } from '../../../src/shared/model.ts';

export const START_MS = 1_790_000_000_000;
export const ROOT = '/home/ada/notes';

/** A generator of numbers in [0, 1) (mulberry32): the same seed gives the same damage. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What a test wrote: the truth that no vault is asked for. */
export type WrittenSnapshot = {
  readonly id: string;
  readonly path: string;
  readonly change: SnapshotChange;
  readonly capturedAtMs: number;
  readonly bytes: Buffer | null;
  readonly stored: Buffer | null;
  readonly movedFrom: string | null;
};

export type Written = {
  readonly deviceId: string;
  readonly snapshots: readonly WrittenSnapshot[];
  readonly records: readonly EditableRecord[];
  /** Record ids that the remote has, with the remote's id. */
  readonly links: ReadonlyMap<string, string>;
  readonly newestChange: number;
};

/** In memory where the system has such a place: hundreds of vaults wait for no disk there. */
export function newFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'angles-recover-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Everything that writes to a vault, and a growing list of what was written. */
export function openWriter(folder: string, seed: number) {
  const random = createRandom(seed);
  mkdirSync(folder, { recursive: true });
  let nowMs = START_MS + seed;
  const store = openStore({ dataFolder: folder, nowMs: () => nowMs });
  const outbox = createOutbox(store);
  outbox.setConfigured(['supabase']);
  const activities = createActivityStore(store, outbox);
  const journal = openJournal(store);
  const records = createRecordStore(store, { outbox, activities, journal });
  const captures = createCaptures(store, { outbox, activities });
  const links = createLinks(store);
  const files = createFileQueries(store);
  const root = createRootStore(store).ensure(ROOT);
  const snapshots: WrittenSnapshot[] = [];
  const ids = new Map<string, EditableRecord>();
  const linked = new Map<string, string>();

  const capture = (path: string, bytes: Buffer | null, renamedFrom: string | null = null): void => {
    nowMs += 1_000 + Math.floor(random() * 1_000);
    const content = bytes === null ? null : toContent(folder, bytes);
    captures.apply(root.rootId, [toSeen(path, content, nowMs, renamedFrom)]);
    const newest = files.history(root.rootId, path, 1, null)[0];
    if (newest === undefined) throw new Error(`${path} has no history`);
    const stored = content?.data ?? null;
    const { snapshotId: id, change } = newest;
    snapshots.push({ id, path, change, capturedAtMs: nowMs, bytes, stored, movedFrom: renamedFrom });
  };
  const keep = (record: EditableRecord): EditableRecord => {
    ids.set(record.id, record);
    return record;
  };
  return {
    store,
    random,
    capture,
    writeDecision: (title: string, decision: string): EditableRecord => {
      nowMs += 1_000;
      return keep(records.create({ table: 'decision_vault', fields: { title, decision }, origin: 'cli' }).record);
    },
    writeMemory: (title: string, content: string): EditableRecord => {
      nowMs += 1_000;
      return keep(records.create({ table: 'memories', fields: { title, content }, origin: 'cli' }).record);
    },
    editDecision: (id: string, decision: string): void => {
      nowMs += 1_000;
      keep(records.edit({ table: 'decision_vault', id, fields: { decision }, origin: 'cli' }).record);
    },
    link: (record: EditableRecord): void => {
      const remoteId = `row-${record.id}`;
      const { table, id: recordId, changeSeq: acknowledgedSeq } = record;
      store.write(() =>
        links.acknowledge({
          remote: 'supabase',
          table,
          recordId,
          remoteId,
          baseJson: null,
          baseVersion: null,
          acknowledgedSeq,
        }),
      );
      linked.set(record.id, remoteId);
    },
    written: (): Written => ({
      deviceId: store.deviceId,
      snapshots: [...snapshots],
      records: [...ids.values()],
      links: new Map(linked),
      newestChange: newestChange(store),
    }),
    close: (): void => {
      journal.close();
      store.close();
    },
  };
}

export type Writer = ReturnType<typeof openWriter>;

/** The newest snapshot of each file that is there at the end, by path. */
export function currentFiles({ snapshots }: Written): Map<string, string> {
  const current = new Map<string, string>();
  for (const snapshot of snapshots) {
    if (snapshot.movedFrom !== null) current.delete(snapshot.movedFrom);
    if (snapshot.bytes === null) current.delete(snapshot.path);
    else current.set(snapshot.path, snapshot.id);
  }
  return current;
}

export function newestChange(store: Store): number {
  return store.db.prepare<[], { value: number }>("SELECT value FROM counters WHERE name = 'change'").get()?.value ?? 0;
}

/** Writes a part of a life: files new, changed, renamed, deleted, small and large; decisions and memories. */
export function live(writer: Writer, round: number, files: number, records = 12): void {
  const { random } = writer;
  for (let index = 0; index < files; index += 1) {
    const path = `${random() < 0.5 ? '' : `project ${round}/`}note ${round}-${index}.md`;
    for (let version = 0; version <= index % 4; version += 1) writer.capture(path, makeBytes(random));
    if (index % 11 === 10) writer.capture(path, null);
    if (index % 13 === 12) {
      const moved = `moved/${path}`;
      writer.capture(moved, makeBytes(random), path);
    }
  }
  writer.capture(`large ${round}.bin`, randomBytes(random, OBJECT_THRESHOLD_BYTES + 1_000));
  const first: EditableRecord[] = [];
  for (let index = 0; index < records; index += 1) {
    const decision = writer.writeDecision(`Decision ${round}-${index}`, makeText(random, 200));
    if (index % 3 === 0) writer.editDecision(decision.id, makeText(random, 9_000));
    else first.push(decision);
    first.push(writer.writeMemory(`Memory ${round}-${index} äöü`, makeText(random, 300)));
  }
  for (const record of first.slice(0, records)) writer.link(record);
}

function makeBytes(random: () => number): Buffer {
  const kind = random();
  if (kind < 0.7) return Buffer.from(makeText(random, 100 + Math.floor(random() * 3_000)));
  if (kind < 0.9) return randomBytes(random, 500 + Math.floor(random() * 5_000));
  return randomBytes(random, 20_000 + Math.floor(random() * 20_000));
}

function makeText(random: () => number, length: number): string {
  let text = '';
  while (text.length < length) text += `${Math.floor(random() * 1e9).toString(36)} `;
  return text;
}

function randomBytes(random: () => number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index += 1) bytes[index] = Math.floor(random() * 256);
  return bytes;
}

export function toContent(folder: string, bytes: Buffer): StoredContent {
  const sha256 = hash('sha256', bytes, 'buffer');
  // As of a bulk: by the content, so that the same one is in the same place every time.
  if (bytes.length <= OBJECT_THRESHOLD_BYTES && (sha256[0] ?? 0) % 3 === 0) return toPack(folder, sha256, bytes);
  const packed = zstdCompressSync(bytes);
  const [data, encoding] = packed.length < bytes.length ? [packed, 'zstd' as const] : [bytes, 'raw' as const];
  const isObject = bytes.length > OBJECT_THRESHOLD_BYTES;
  if (isObject) {
    const path = objectPath(folder, sha256.toString('hex'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, data);
  }
  return { sha256, sizeBytes: bytes.length, encoding, data: isObject ? null : data, storedBytes: data.length };
}

function toPack(folder: string, sha256: Buffer, bytes: Buffer): StoredContent {
  const packs = createPackWriter({ dataFolder: folder, lane: 0, lanes: 2 });
  const content = packs.add(sha256, bytes);
  packs.flush();
  packs.abandon();
  return content;
}

export function toSeen(path: string, content: StoredContent | null, nowMs: number, renamedFrom: string | null): Seen {
  if (content === null) return { kind: 'gone', ...splitPath(path) };
  const stat = { sizeBytes: content.sizeBytes, mtimeUs: nowMs * 1_000, ctimeUs: nowMs * 1_000, inode: 7, mode: 0o644 };
  const from = renamedFrom === null ? null : splitPath(renamedFrom);
  return { kind: 'content', ...splitPath(path), stat, content, renamedFrom: from, stillOpen: false };
}
