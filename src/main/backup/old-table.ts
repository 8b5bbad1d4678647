import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { fsPath } from '../path-names.ts';
import type { BackupSource, SourceRow } from './source.ts';

const LARGEST_BYTES = 256 * 1_048_576;
const NEWEST_SCHEMA = 1;

/** The export of one table by an earlier program: `{ metadata, data }`, or a plain array of rows. */
export async function openOldTable(file: string, name = basename(file)): Promise<BackupSource> {
  if (statSync(fsPath(file)).size > LARGEST_BYTES)
    throw new AppError('backup.hostile', `${displayPath(file)} is larger than any table export.`);
  const bytes = readFileSync(fsPath(file));
  const { rows, metadata, warnings } = parseOldTable(bytes, name);
  const table = /^([a-z]+(?:_[a-z]+)*)_\d{4}-\d{2}-\d{2}/.exec(name)?.[1] ?? 'decision_vault';
  const timestamp = typeof metadata.timestamp === 'string' ? Date.parse(metadata.timestamp) : Number.NaN;
  return {
    info: {
      id: hash('sha256', bytes, 'hex'),
      name,
      shape: 'old-table',
      createdAtMs: Number.isNaN(timestamp) ? null : timestamp,
      deviceId: null,
      reason: null,
      tag: null,
      isEncrypted: false,
      isAuthenticated: false,
      isRedacted: false,
      fingerprint: null,
      warnings,
    },
    roots: [],
    entries: () => [],
    contents: () => [],
    stream: (entry) => Readable.from(missing(entry.path)),
    tables: [{ name: table, recordCount: rows.length, schemaVersion: String(metadata.schema_version ?? '1.0') }],
    rows: async function* () {
      yield* rows;
    },
    close: async () => undefined,
  };
}

// biome-ignore lint/correctness/useYield: it fails before it could give anything
async function* missing(path: string): AsyncGenerator<Buffer> {
  throw new AppError('not_found.backup', `${displayPath(path)} is not in the backup.`);
}

/** Throws `backup.damaged` or `backup.from_future`; what cannot be proven is a warning. */
export function parseOldTable(
  bytes: Buffer,
  name: string,
): {
  readonly rows: readonly SourceRow[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
} {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AppError('backup.damaged', `${displayPath(name)} is no whole JSON document.`, { cause });
  }
  const holder = Array.isArray(value) ? { metadata: {}, data: value } : (value as Record<string, unknown> | null);
  const data = holder?.data;
  const metadata = (typeof holder?.metadata === 'object' ? holder.metadata : null) as Record<string, unknown> | null;
  if (!Array.isArray(data)) throw new AppError('backup.foreign', `${displayPath(name)} has no list of rows.`);
  if (!data.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row)))
    throw new AppError('backup.damaged', `${displayPath(name)} has a row that is no object.`);
  const version = Number.parseFloat(String(metadata?.schema_version ?? '1.0'));
  if (Math.floor(version) > NEWEST_SCHEMA)
    throw new AppError('backup.from_future', `${displayPath(name)} has schema ${String(metadata?.schema_version)}.`);
  if (typeof metadata?.record_count === 'number' && metadata.record_count !== data.length)
    throw new AppError(
      'backup.damaged',
      `${displayPath(name)} says ${metadata.record_count} rows and has ${data.length}.`,
    );
  const warnings = checksumWarnings(metadata?.checksum, data);
  return { rows: data as SourceRow[], metadata: metadata ?? {}, warnings };
}

/** Earlier programs wrote checksums of more than one form; one that matches none of them proves nothing either way. */
function checksumWarnings(checksum: unknown, data: readonly unknown[]): string[] {
  if (typeof checksum !== 'string') return ['It has no checksum: only its form could be tested.'];
  const forms = [JSON.stringify(data), pythonJson(data, false), pythonJson(data, true), JSON.stringify(data, null, 2)];
  const found = forms.some((text) =>
    ['sha256', 'md5'].some((kind) => hash(kind, text, 'hex') === checksum.toLowerCase()),
  );
  return found ? [] : ['Its checksum is of a form that is not known: only its form and its count could be tested.'];
}

/** As Python's `json.dumps` writes by default: spaces behind separators, ASCII only. */
function pythonJson(value: unknown, sortKeys: boolean): string {
  if (Array.isArray(value)) return `[${value.map((each) => pythonJson(each, sortKeys)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, each]) => `${ascii(JSON.stringify(key))}: ${pythonJson(each, sortKeys)}`).join(', ')}}`;
  }
  return ascii(JSON.stringify(value));
}

function ascii(text: string): string {
  return text.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
