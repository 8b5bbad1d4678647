import type { Db } from './database.ts';
import { createRowWriter, proveContent, type RowWriter } from './recover-rows.ts';
import { type PageContent, readPageContent, type SalvagedRow } from './salvage-page.ts';
import { type Shape, type ShapedRow, shapeRow } from './salvage-shapes.ts';
import type { PageVersion, SalvageSource } from './salvage-source.ts';

/** What was seen while every page was read; the rows themselves are in the new vault. */
export type Carved = {
  /** Pages that hold neither a tree, nor the end of a row, nor empty space; and those that are cut off. */
  readonly unreadablePages: number;
  /** Rows that lie in a readable page and cannot be read, or that the vault cannot take. */
  readonly brokenRows: number;
  /** Rows with a text that was changed. */
  readonly suspectRows: number;
  /** Nothing tells of more than what was read: the file has all its pages, and the log all its commits. */
  readonly isWhole: boolean;
  /** The highest values that the counters of the vault ever had, as far as they could be read. */
  readonly counters: { readonly change: number; readonly clock: number };
};

const ROWS_PER_TRANSACTION = 2_000;
/** SQLite never uses the page at this offset (fileformat2.html, section 1.4). */
const LOCK_BYTE_OFFSET = 0x4000_0000;

/**
 * Reads every page of the vault and of its log, and writes each row that still makes sense into `db`, a new vault.
 * Earlier versions of a page tell nothing new where the log is whole (`newest`); else they may have what a lost one had.
 * Kept beside, in temporary tables: what indexes tell (`seen_paths` and `seen_ids` of snapshots, `seen_roots`), the
 * SHA-256 of contents whose row named another one (`stray_contents`), and the id of the device (`salvaged_device`).
 */
export function carve(source: SalvageSource, db: Db, shapes: readonly Shape[], pages: 'newest' | 'all'): Carved {
  const tally: Tally = { unreadable: new Set(), overflow: new Set(), broken: 0, change: 0, clock: 0, suspects: [] };
  const writer = createRowWriter(db);
  const take = prepareTake(db, shapes, writer, tally);
  const free = source.freePages();
  const batch = inBatches(db);
  for (const page of source.versions(pages)) {
    if (free.has(page.pageNumber)) continue;
    const content = readBest(page);
    if (page.isNewest && content === null) tally.unreadable.add(page.pageNumber);
    if (content === null) continue;
    for (const number of content.overflow) tally.overflow.add(number);
    let broken = content.brokenCells;
    for (const row of content.rows) if (!batch.run(() => take(row, page))) broken += 1;
    if (page.isNewest) tally.broken += broken;
  }
  for (const row of tally.suspects) batch.run(() => writer.writeIfMissing(row));
  batch.end();
  const lockPage = LOCK_BYTE_OFFSET / source.pageSize + 1;
  const unreadable = [...tally.unreadable].filter((number) => !tally.overflow.has(number) && number !== lockPage);
  return {
    unreadablePages: unreadable.length + source.missingPages,
    brokenRows: tally.broken,
    suspectRows: tally.suspects.length,
    isWhole: source.isWhole,
    counters: { change: tally.change, clock: tally.clock },
  };
}

type Tally = {
  readonly unreadable: Set<number>;
  readonly overflow: Set<number>;
  /** Written last, where nothing better was found. */
  readonly suspects: ShapedRow[];
  broken: number;
  change: number;
  clock: number;
};

/** Brings one row to where it belongs; false when it is broken. */
function prepareTake(db: Db, shapes: readonly Shape[], writer: RowWriter, tally: Tally) {
  const takeContent = prepareContents(db, shapes, writer);
  const witness = prepareWitness(db);
  const noteDevice = prepareDevice(db);
  return (row: SalvagedRow, page: PageVersion): boolean => {
    const shaped = shapeRow(row, shapes);
    if (shaped === null) return isOther(row) && (!page.isNewest || witness(row));
    if (shaped.shape.table === 'counters') return noteCounter(shaped, tally) || !page.isNewest || witness(row);
    if (shaped.shape.table === 'meta' && shaped.values[0] === 'device_id') return noteDevice(shaped);
    if (row.isSuspect) {
      tally.suspects.push(shaped);
      return true;
    }
    return shaped.shape.table === 'contents' ? takeContent(shaped, row, page) : writer.write(shaped);
  };
}

/** The ends of a row may lie in the file or in the log: the way that reads more cells is the right one. */
function readBest(page: PageVersion): PageContent | null {
  let best: PageContent | null = null;
  for (const read of page.readers) {
    const content = readPageContent(page.bytes, page.pageNumber, read);
    if (content !== null && (best === null || content.brokenCells < best.brokenCells)) best = content;
    if (best === null || best.brokenCells === 0) break;
  }
  return best;
}

/** Keeps contents under what their bytes prove them to be. */
function prepareContents(db: Db, shapes: readonly Shape[], writer: RowWriter) {
  db.exec('CREATE TEMP TABLE stray_contents (sha256 BLOB PRIMARY KEY)');
  const noteStray = db.prepare<[unknown]>('INSERT OR IGNORE INTO stray_contents (sha256) VALUES (?)');
  /** The same row with its end from elsewhere. */
  const otherwise = (row: SalvagedRow, page: PageVersion): (ShapedRow | null)[] =>
    page.readers.slice(1).map((read) => {
      const content = readPageContent(page.bytes, page.pageNumber, read);
      const again = content?.rows.find((other) => other.rowid === row.rowid);
      return again === undefined ? null : shapeRow(again, shapes);
    });
  return (shaped: ShapedRow, row: SalvagedRow, page: PageVersion): boolean => {
    // Its bytes are a file in objects/, which is adopted when a snapshot refers to it.
    if (shaped.values[5] === null) return true;
    const first = proveContent(shaped);
    if (first?.isAsNamed === true) return writer.writeIfMissing(first.row);
    for (const other of otherwise(row, page)) {
      const proven = other?.shape.table === 'contents' ? proveContent(other) : null;
      if (proven?.isAsNamed === true) return writer.writeIfMissing(proven.row);
    }
    if (first === null) return false;
    noteStray.run(first.row.values[1]);
    return writer.writeIfMissing(first.row);
  };
}

/** False for a row that only looks like a counter: the entry of an index, a text with a rowid. */
function noteCounter({ values: [name, value] }: ShapedRow, tally: Tally): boolean {
  if ((name !== 'change' && name !== 'clock') || typeof value !== 'number') return false;
  tally[name] = Math.max(tally[name], value);
  return true;
}

/** The new vault has an id of its own until it is given back the old one. */
function prepareDevice(db: Db): (row: ShapedRow) => boolean {
  db.exec('CREATE TEMP TABLE salvaged_device (device_id TEXT)');
  const note = db.prepare<[unknown]>('INSERT INTO salvaged_device (device_id) VALUES (?)');
  return (row) => note.run(row.values[1]).changes === 1;
}

/** A row of SQLite's own tables, or an entry of an index (none of ours has six columns). */
function isOther({ rowid, values }: SalvagedRow): boolean {
  return rowid === null
    ? values.length < 6
    : values.length === 2 || (values.length === 5 && typeof values[4] !== 'number');
}

/** Remembers index entries that tell of rows which may be lost themselves. Other index entries say nothing new. */
function prepareWitness(db: Db): (row: SalvagedRow) => boolean {
  db.exec(`CREATE TEMP TABLE seen_paths (change_seq INTEGER PRIMARY KEY, root_id INTEGER, path TEXT);
    CREATE TEMP TABLE seen_ids (change_seq INTEGER, id TEXT, PRIMARY KEY (change_seq, id)) WITHOUT ROWID;
    CREATE TEMP TABLE seen_roots (root_id INTEGER PRIMARY KEY, path TEXT)`);
  const path = db.prepare<unknown[]>('INSERT OR REPLACE INTO seen_paths (root_id, path, change_seq) VALUES (?, ?, ?)');
  const root = db.prepare<unknown[]>('INSERT OR REPLACE INTO seen_roots (path, root_id) VALUES (?, ?)');
  const id = db.prepare<unknown[]>('INSERT OR IGNORE INTO seen_ids (id, change_seq) VALUES (?, ?)');
  return ({ rowid, values, isSuspect }) => {
    if (rowid !== null || isSuspect) return true;
    const [first, second, third, fourth] = values;
    // file_snapshots_by_path: root_id, path, change_seq, rowid (the same)
    if (values.length === 4 && typeof first === 'number' && typeof second === 'string' && third === fourth) {
      path.run(first, second, third);
    }
    // the unique index of roots: path, rowid
    if (values.length === 2 && typeof first === 'string' && isAbsolute(first)) root.run(first, second);
    // the unique index of some table: id, rowid (of file_snapshots that is the change number)
    if (values.length === 2 && typeof first === 'string' && UUID.test(first)) id.run(first, second);
    return true;
  };
}

/** What the ids of the vault look like. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);
}

/** Few rows per transaction cost time, many cost memory. */
function inBatches(db: Db) {
  let count = 0;
  return {
    run: <T>(work: () => T): T => {
      if (!db.inTransaction) db.exec('BEGIN');
      const result = work();
      count += 1;
      if (count % ROWS_PER_TRANSACTION === 0) db.exec('COMMIT');
      return result;
    },
    end: () => {
      if (db.inTransaction) db.exec('COMMIT');
    },
  };
}
