import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import type { OpenZip } from './archive-read.ts';
import { hashRange } from './archive-read.ts';
import { parseOldTable } from './old-table.ts';
import {
  type BackupSource,
  LARGEST_WHOLE_BYTES,
  type SourceContent,
  type SourceEntry,
  type SourceRow,
} from './source.ts';
import { readZipEntry, streamZipEntry } from './zip-contents.ts';
import type { ZipEntry } from './zip-structure.ts';

/** What earlier programs always put into their archives. */
const KNOWN = ['backup_metadata.json', 'state.json', 'session_cache.json', 'long_term.db'];
const LARGEST_TABLE_BYTES = 256 * 1_048_576;
/** Rows lie in exports of their own: at the top, or in a folder of tables. */
const TABLE_FILE = /^(?:tables\/|decisions\/|)([a-z]+(?:_[a-z]+)*?)(?:_\d{4}-\d{2}-\d{2}[\d_-]*)?\.json$/;
const NO_TABLES = ['backup_metadata', 'state', 'session_cache', 'search_index', 'category_index', 'package', 'config'];

/** A zip of an earlier program, files at its top or below `memory/`: they become files of one root. */
export async function openOldArchive(zip: OpenZip, metadataText: Buffer | null): Promise<BackupSource> {
  const files = zip.structure.entries.filter((entry) => !entry.isFolder);
  const names = new Set(files.map((entry) => entry.name.replace(/^memory\//, '')));
  if (!KNOWN.some((name) => names.has(name)) && !files.some((entry) => tableName(entry) === 'decision_vault'))
    throw new AppError('backup.foreign', `${displayPath(zip.file)} is a zip, but no backup.`);
  const metadata = metadataText === null ? {} : parseMetadata(metadataText);
  const warnings = ['An earlier program wrote it: it proves its bytes by short checksums only.'];
  const tables = new Map<string, readonly SourceRow[]>();
  const zips = new Map<string, ZipEntry>();
  const entries: SourceEntry[] = [];
  for (const entry of files) {
    const table = tableName(entry);
    if (table !== null && entry.sizeBytes <= LARGEST_TABLE_BYTES) {
      const parsed = parseOldTable(readZipEntry(zip.descriptor, entry, null), entry.name);
      tables.set(table, [...(tables.get(table) ?? []), ...parsed.rows]);
      continue;
    }
    zips.set(entry.name, entry);
    // The hash is taken now, so that what is restored later is what was looked at.
    entries.push(await toEntry(zip, entry));
  }
  return {
    info: {
      id: hashRange(zip.descriptor, Number.MAX_SAFE_INTEGER),
      name: basename(zip.file),
      shape: 'old-archive',
      createdAtMs: timeOf(metadata, zip.file),
      deviceId: null,
      reason: typeof metadata.backup_type === 'string' ? metadata.backup_type : null,
      tag: typeof metadata.tag === 'string' ? metadata.tag : null,
      isEncrypted: zip.wrapping !== 'none',
      isAuthenticated: zip.wrapping !== 'none',
      isRedacted: false,
      fingerprint: null,
      warnings,
    },
    roots: [{ rootId: 0, path: null }],
    entries: () => entries,
    contents: (wanted) => contentsOf(zip, entries, wanted, zips),
    stream: (entry) => streamZipEntry(zip.descriptor, find(zips, entry), proofOf(entry)),
    tables: [...tables].map(([name, rows]) => ({ name, recordCount: rows.length, schemaVersion: '1.0' })),
    rows: async function* (table) {
      yield* tables.get(table) ?? [];
    },
    close: async () => zip.close(),
  };
}

function tableName(entry: ZipEntry): string | null {
  const name = TABLE_FILE.exec(entry.name.replace(/^memory\//, ''))?.[1];
  return name === undefined || NO_TABLES.includes(name) ? null : name;
}

async function toEntry(zip: OpenZip, entry: ZipEntry): Promise<SourceEntry> {
  const digest = createHash('sha256');
  for await (const piece of streamZipEntry(zip.descriptor, entry, null)) digest.update(piece as Buffer);
  return {
    rootId: 0,
    path: entry.name,
    kind: 'file',
    mode: null,
    mtimeUs: null,
    sizeBytes: entry.sizeBytes,
    sha256: digest.digest('hex'),
    redactions: 0,
    target: null,
  };
}

function* contentsOf(
  zip: OpenZip,
  entries: readonly SourceEntry[],
  wanted: (entry: SourceEntry) => boolean,
  zips: ReadonlyMap<string, ZipEntry>,
): Generator<SourceContent> {
  for (const entry of entries) {
    if (!wanted(entry)) continue;
    const isWhole = entry.sizeBytes <= LARGEST_WHOLE_BYTES;
    yield { entry, content: isWhole ? readZipEntry(zip.descriptor, find(zips, entry), proofOf(entry)) : null };
  }
}

function find(zips: ReadonlyMap<string, ZipEntry>, entry: SourceEntry): ZipEntry {
  const found = zips.get(entry.path);
  if (found === undefined) throw new AppError('not_found.backup', `${displayPath(entry.path)} is not in the backup.`);
  return found;
}

function proofOf(entry: SourceEntry): { readonly sha256: string; readonly sizeBytes: number } {
  return { sha256: entry.sha256 ?? '', sizeBytes: entry.sizeBytes };
}

function parseMetadata(text: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (cause) {
    throw new AppError('backup.damaged', 'The metadata of the archive is no JSON.', { cause });
  }
}

function timeOf(metadata: Readonly<Record<string, unknown>>, file: string): number | null {
  for (const key of ['timestamp', 'created_at', 'backup_date', 'date']) {
    const time = typeof metadata[key] === 'string' ? Date.parse(metadata[key]) : Number.NaN;
    if (!Number.isNaN(time)) return time;
  }
  const day = /(\d{4}-\d{2}-\d{2})/.exec(basename(file))?.[1];
  return day === undefined ? null : Date.parse(`${day}T00:00:00Z`);
}
