import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { joinPath, splitPath } from '../path-names.ts';
import type { BackupSnapshot, SnapshotFile, SnapshotTable } from '../store/backup-snapshot.ts';
import { OBJECT_THRESHOLD_BYTES } from '../store/contents.ts';
import {
  type ArchiveMetadata,
  FORMAT,
  FORMAT_VERSION,
  METADATA_NAME,
  type MetadataEntry,
  metadataText,
  TABLE_BACKUP_VERSION,
  TABLE_SCHEMA_VERSION,
} from './archive-format.ts';
import { createIndexBuilder } from './archive-indexes.ts';
import type { ArchiveDeps, ArchiveRequest } from './archive-write.ts';
import { createEntryNamer } from './entry-names.ts';
import { copyLive, databaseOf, mayBeDatabase } from './live-database.ts';
import type { Redactor } from './redact-copy.ts';
import { createSession } from './session-cache.ts';
import type { ZipInput } from './zip-write.ts';

export type ArchiveTotals = {
  readonly files: number;
  readonly bytes: number;
  readonly tables: Readonly<Record<string, number>>;
  /** Files whose newest content the vault did not have; an older one is in the archive when there was one. */
  readonly incomplete: number;
};

export type ArchiveContents = {
  readonly entries: readonly ZipInput[];
  /** After the last entry was read. */
  readonly totals: () => ArchiveTotals & { readonly id: string; readonly warnings: readonly string[] };
};

type Parts = {
  readonly snapshot: BackupSnapshot;
  readonly longTermFile: string;
  readonly work: string;
  readonly createdAtMs: number;
  readonly redactor: Redactor | null;
  readonly request: ArchiveRequest;
  readonly deps: ArchiveDeps;
};

/** Lists what goes into an archive; contents are read one after the other when the zip asks for them. */
export async function createArchiveContents(parts: Parts): Promise<ArchiveContents> {
  const { snapshot, createdAtMs, redactor, request } = parts;
  const id = randomUUID();
  const warnings: string[] = [];
  const live: LiveFiles = { copied: new Set(), logs: new Set(), locked: [], warnings };
  const written: MetadataEntry[] = [];
  const roots = snapshot.roots();
  await inSteps(snapshot.writeLongTerm(redactor === null ? null : redactor.value), request.signal);

  const indexes = createIndexBuilder();
  const session = createSession(createdAtMs, snapshot.change);
  const tables: Record<string, { count: number; checksum: string }> = {};
  for (const table of snapshot.tables) {
    const digest = createHash('sha256');
    let count = 0;
    for (const row of snapshot.rows(table)) {
      digest.update(`${JSON.stringify(row)}\n`);
      if (table === 'decision_vault' || table === 'memories') indexes.addRecord(table, row);
      session.add(table, row);
      count += 1;
      if (count % 2_000 === 0) await turn(request.signal);
    }
    tables[table] = { count, checksum: digest.digest('hex') };
  }

  const folders = rootFolders(roots);
  const rootPaths = new Map(roots.map(({ rootId, path }) => [rootId, path]));
  const nameEntry = createEntryNamer();
  const files: { readonly file: SnapshotFile; readonly name: string }[] = [];
  for (const file of snapshot.files()) {
    if (databaseOf(file.path) !== null) live.logs.add(`${rootPaths.get(file.rootId)}/${file.path}`);
    files.push({ file, name: nameEntry(`files/${folders.get(file.rootId) ?? file.rootId}`, file.path) });
    indexes.addPath(file.path);
    if (files.length % 2_000 === 0) await turn(request.signal);
  }
  const skipped = snapshot.skipped();
  const lacking = () => [...skipped, ...live.locked.map((file) => ({ ...file, reason: 'file.unreadable' }))];
  let filesDone = 0;
  let bytes = 0;

  const entry = (
    name: string,
    open: () => Promise<AsyncIterable<Buffer> | Iterable<Buffer> | null>,
    file?: { readonly mode: number; readonly mtimeUs: number; readonly done: (size: number) => MetadataEntry['file'] },
  ): ZipInput => ({
    name,
    mtime: new Date(file === undefined ? createdAtMs : Math.floor(file.mtimeUs / 1_000)),
    mode: file === undefined ? 0o600 : file.mode & 0o777,
    open: async () => {
      const pieces = await open();
      return pieces === null ? null : counted(name, pieces, file?.done);
    },
  });
  async function* counted(
    name: string,
    pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
    done: ((size: number) => MetadataEntry['file']) | undefined,
  ): AsyncGenerator<Buffer> {
    const digest = createHash('sha256');
    let size = 0;
    for await (const piece of pieces) {
      digest.update(piece);
      size += piece.length;
      yield piece;
    }
    const file = done?.(size);
    written.push({ name, size, sha256: digest.digest('hex'), ...(file === undefined ? {} : { file }) });
  }

  const fileEntry = ({ file, name }: (typeof files)[number]): ZipInput => {
    let redactions = 0;
    return entry(
      name,
      async () => {
        request.signal?.throwIfAborted();
        const opened = await openFile(parts, `${rootPaths.get(file.rootId)}/${file.path}`, file, live);
        redactions = opened?.redacted ?? 0;
        return opened?.pieces ?? null;
      },
      {
        mode: file.mode,
        mtimeUs: file.mtimeUs,
        done: (size) => {
          filesDone += 1;
          bytes += size;
          if (filesDone % 64 === 0 || filesDone === files.length)
            request.onProgress?.({ phase: 'writing', filesDone, filesAll: files.length });
          const { rootId, path, mode, mtimeUs } = file;
          return { root_id: rootId, path, mode, mtime_us: mtimeUs, redactions };
        },
      },
    );
  };

  const tableEntry = (table: SnapshotTable): ZipInput =>
    entry(`tables/${table}.json`, async () =>
      tableText(snapshot.rows(table), {
        timestamp: new Date(createdAtMs).toISOString(),
        record_count: tables[table]?.count ?? 0,
        backup_version: TABLE_BACKUP_VERSION,
        source: `angles ${parts.deps.agentVersion}`,
        schema_version: TABLE_SCHEMA_VERSION,
        checksum: tables[table]?.checksum ?? '',
      }),
    );

  const metadata = (): ArchiveMetadata => ({
    format: FORMAT,
    format_version: FORMAT_VERSION,
    id,
    timestamp: new Date(createdAtMs).toISOString(),
    reason: request.reason,
    tag: request.tag,
    agent_version: parts.deps.agentVersion,
    device_id: snapshot.deviceId,
    vault_change: snapshot.change,
    schema_number: snapshot.schemaNumber,
    encryption: request.isEncrypted ? 'openpgp-aes256' : 'none',
    key_fingerprint: request.key?.fingerprint ?? null,
    redacted: redactor !== null,
    redactions: redactor?.report().kinds ?? {},
    counts: { files: filesDone, bytes, tables: counts(tables) },
    roots: roots.map(({ rootId, path }) => ({ root_id: rootId, path, folder: folders.get(rootId) ?? '' })),
    incomplete: lacking().map(({ rootId, path, reason }) => ({ root_id: rootId, path, reason })),
    entries: written,
  });

  return {
    entries: [
      entry('state.json', async () => json(stateOf(parts, roots))),
      entry('session_cache.json', async () => json(session.result())),
      entry('indexes/category_index.json', async () => json(indexes.categories())),
      entry('indexes/search_index.json', async () => json(indexes.search())),
      ...snapshot.tables.map(tableEntry),
      ...files.map(fileEntry),
      entry('long_term.db', async () => {
        // Only the end of its transaction writes it whole; everything else of the snapshot was read by now.
        snapshot.close();
        return createReadStream(parts.longTermFile) as AsyncIterable<Buffer>;
      }),
      {
        name: METADATA_NAME,
        mtime: new Date(createdAtMs),
        mode: 0o600,
        open: async () => metadataText(metadata(), request.key),
      },
    ],
    totals: () => ({ id, files: filesDone, bytes, tables: counts(tables), incomplete: lacking().length, warnings }),
  };
}

/** Bytes of one file: those of the vault, or a copy through SQLite for a database that somebody may be writing to. */
async function openFile(
  { snapshot, work, redactor }: Parts,
  path: string,
  file: SnapshotFile,
  live: LiveFiles,
): Promise<{
  readonly pieces: AsyncIterable<Buffer> | Iterable<Buffer>;
  readonly redacted: number;
} | null> {
  const { dir, name } = splitPath(path);
  // Files come in the order of their names: a database before its log.
  const database = databaseOf(name);
  if (database !== null && live.copied.has(joinPath(dir, database))) return null;
  const copy = join(work, 'live.db');
  rmSync(copy, { force: true });
  const how = mayBeDatabase(name, (log) => live.logs.has(joinPath(dir, log)))
    ? await copyLive(path, copy, live.warnings)
    : 'no database';
  const isLive = how === 'copied';
  if (how === 'locked') live.locked.push(file);
  if (isLive) live.copied.add(path);
  if (redactor === null && isLive) return { pieces: createReadStream(copy) as AsyncIterable<Buffer>, redacted: 0 };
  const isSmall = file.sizeBytes <= OBJECT_THRESHOLD_BYTES;
  if (redactor === null && !isSmall) return { pieces: snapshot.stream(file) as AsyncIterable<Buffer>, redacted: 0 };
  const whole = isLive ? readFileSync(copy) : await readWhole(snapshot, file);
  const clean = redactor?.file(file, whole) ?? { bytes: whole, redactions: 0 };
  return { pieces: [clean.bytes], redacted: clean.redactions };
}

/** What is known of databases while the files of an archive are read. */
type LiveFiles = {
  /** Taken as they were captured, which may be half of a transaction. */
  readonly locked: SnapshotFile[];
  /** Absolute, those that were copied. */
  readonly copied: Set<string>;
  /** Absolute. */
  readonly logs: Set<string>;
  readonly warnings: string[];
};

async function readWhole(snapshot: BackupSnapshot, file: SnapshotFile): Promise<Buffer> {
  if (file.sizeBytes <= OBJECT_THRESHOLD_BYTES) return snapshot.read(file.sha256);
  const pieces: Buffer[] = [];
  for await (const piece of snapshot.stream(file)) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function stateOf(
  { snapshot, createdAtMs, deps }: Parts,
  roots: readonly { readonly rootId: number; readonly path: string }[],
) {
  return {
    timestamp: new Date(createdAtMs).toISOString(),
    agent_version: deps.agentVersion,
    device_id: snapshot.deviceId,
    vault_change: snapshot.change,
    schema_number: snapshot.schemaNumber,
    platform: process.platform,
    node_version: process.version,
    roots: roots.map(({ rootId, path }) => ({ root_id: rootId, path })),
    ...deps.state(),
  };
}

/** One row a line, so that a table of any size can be read without holding it. */
function* tableText(rows: Iterable<unknown>, metadata: Readonly<Record<string, unknown>>): Generator<Buffer> {
  let text = `{\n"metadata": ${JSON.stringify(metadata)},\n"data": [`;
  let isFirst = true;
  for (const row of rows) {
    text += `${isFirst ? '' : ','}\n${JSON.stringify(row)}`;
    isFirst = false;
    if (text.length < 65_536) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  yield Buffer.from(`${text}\n]\n}\n`, 'utf8');
}

/** `files/1-notes`: readable, and two roots of one name stay apart. */
function rootFolders(roots: readonly { readonly rootId: number; readonly path: string }[]): Map<number, string> {
  return new Map(
    roots.map(({ rootId, path }) => [
      rootId,
      `${rootId}-${basename(path)
        .replace(/[^\p{L}\p{N}._-]+/gu, '_')
        .replace(/[. ]+$/, '')
        .slice(0, 60)}`,
    ]),
  );
}

function json(value: unknown): Buffer[] {
  return [Buffer.from(`${JSON.stringify(value, null, 1)}\n`, 'utf8')];
}

function counts(tables: Readonly<Record<string, { readonly count: number }>>): Record<string, number> {
  return Object.fromEntries(Object.entries(tables).map(([name, { count }]) => [name, count]));
}

async function inSteps(steps: Iterable<void>, signal: AbortSignal | undefined): Promise<void> {
  for (const _ of steps) await turn(signal);
}

/** Lets everything else of the agent have its turn. */
async function turn(signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise((resolve) => setImmediate(resolve));
}
