/** What a restore does with rows: inserts what is missing, updates what differs, never deletes. */
import { createHash } from 'node:crypto';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import type { PlannedTable } from './plan.ts';
import type { RowChange } from './restore-journal.ts';
import type { BackupSource, SourceRow } from './source.ts';

/** The tables that rows can be restored into. Injected: SQL lives elsewhere. */
export type RecordTarget = {
  /** null when rows of this table are not restored. */
  readonly describe: (table: string) => TableShape | null;
  /** The rows that are there, by their key. */
  readonly find: (table: string, keys: readonly string[]) => ReadonlyMap<string, SourceRow>;
  /** Writes whole rows, new or not, in one durable transaction; equal rows change nothing. Safe to repeat. */
  readonly write: (table: string, rows: readonly SourceRow[]) => void;
  /** Takes back rows that a restore inserted: they are retired, never deleted. Safe to repeat. */
  readonly retire: (table: string, keys: readonly string[]) => void;
};

export type TableShape = {
  readonly key: string;
  readonly columns: readonly string[];
  /** Columns that make a row another one when they differ. */
  readonly compared: readonly string[];
  /** Rows are only added: one that is there stays as it is. */
  readonly isAppendOnly: boolean;
};

export type TablePlan = { readonly tables: readonly PlannedTable[]; readonly changes: readonly RowChange[] };

const BATCH = 500;

/** Compares the rows of a backup with those that are there. Reads only. */
export async function planTables(
  source: BackupSource,
  wanted: readonly string[] | null,
  target: RecordTarget | null,
  options: { readonly autoMigrate: boolean },
): Promise<TablePlan> {
  assertRestorable(wanted ?? [], source, target);
  const tables: PlannedTable[] = [];
  const changes: RowChange[] = [];
  for (const { name } of source.tables) {
    if (target === null || (wanted !== null && !wanted.includes(name))) continue;
    const shape = target.describe(name);
    if (shape === null) continue;
    const plan = { table: name, insert: 0, update: 0, same: 0, refused: 0, reason: null as string | null };
    let batch: SourceRow[] = [];
    const flush = (): void => {
      const found = target.find(
        name,
        batch.map((row) => String(row[shape.key])),
      );
      for (const row of batch) {
        const before = found.get(String(row[shape.key])) ?? null;
        const verdict = compareRow(row, before, shape);
        plan[verdict] += 1;
        if (verdict !== 'same')
          changes.push({ table: name, row: before === null ? row : { ...before, ...row }, before });
      }
      batch = [];
    };
    for await (const raw of source.rows(name)) {
      const fitted = fitRow(name, raw, shape, options.autoMigrate);
      if (typeof fitted === 'string') {
        plan.refused += 1;
        plan.reason ??= fitted;
        continue;
      }
      batch.push(fitted);
      if (batch.length >= BATCH) flush();
    }
    flush();
    tables.push(plan);
  }
  return { tables, changes };
}

/** Whoever names a table means it: one that cannot come back is said, not passed over. */
function assertRestorable(wanted: readonly string[], source: BackupSource, target: RecordTarget | null): void {
  if (target === null) return;
  const refused = wanted.find((name) => target.describe(name) === null);
  if (refused === undefined) return;
  const possible = source.tables.flatMap(({ name }) => (target.describe(name) === null ? [] : [name]));
  throw new AppError(
    'usage.bad_argument',
    `The rows of ${displayPath(refused)} tell what happened; they are not restored.`,
    {
      hint:
        possible.length === 0
          ? 'This backup has no table that can be restored.'
          : `These can be restored: ${possible.join(', ')}.`,
    },
  );
}

/** What happens with one row. */
export function compareRow(row: SourceRow, now: SourceRow | null, shape: TableShape): 'insert' | 'update' | 'same' {
  if (now === null) return 'insert';
  if (shape.isAppendOnly) return 'same';
  return shape.compared.some((column) => column in row && !isEqual(row[column], now[column])) ? 'update' : 'same';
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}

/** The row in the shape of its table here; a text says why it does not fit. */
export function fitRow(table: string, row: SourceRow, shape: TableShape, autoMigrate: boolean): SourceRow | string {
  const unknown = Object.keys(row).filter((column) => !shape.columns.includes(column));
  const isComplete = row[shape.key] !== undefined && row[shape.key] !== null;
  if (
    unknown.length === 0 &&
    isComplete &&
    typeof row[shape.key] === 'string' &&
    'title' in row === shape.columns.includes('title')
  )
    return row;
  if (!autoMigrate)
    return unknown.length > 0
      ? `they have ${unknown.slice(0, 3).join(', ')}, which this version does not`
      : 'they lack columns';
  return migrateRow(table, row, shape);
}

const STATUSES = ['proposed', 'accepted', 'rejected', 'deprecated', 'superseded', 'open'];
const PRIORITIES = ['low', 'medium', 'high', 'critical'];

/** Rows of earlier programs: `id, decision, type, date, created_at`, and whatever else they had. */
function migrateRow(table: string, row: SourceRow, shape: TableShape): SourceRow | string {
  if (table !== 'decision_vault' && table !== 'memories') return 'their table had another shape';
  const text = String(row.decision ?? row.content ?? row.text ?? '');
  if (text === '' && row.title === undefined) return 'they have no text';
  const createdAtMs = timeOf(row.created_at ?? row.created_at_ms ?? row.timestamp ?? row.date) ?? 0;
  const updatedAtMs = timeOf(row.updated_at ?? row.updated_at_ms) ?? createdAtMs;
  const firstLine =
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? 'Untitled';
  const day = typeof row.date === 'string' ? (/^\d{4}-\d{2}-\d{2}/.exec(row.date)?.[0] ?? null) : null;
  const tags = Array.isArray(row.tags)
    ? JSON.stringify(row.tags.map(String))
    : typeof row.tags === 'string' && row.tags.startsWith('[')
      ? row.tags
      : '[]';
  const common = {
    id: stableId(table, row.id ?? text),
    title: String(row.title ?? firstLine).slice(0, 500),
    category: String(row.category ?? 'general').slice(0, 200),
    tags,
    source_path: typeof row.source_path === 'string' ? row.source_path : null,
    source_sha256: null,
    supersedes: null,
    origin: 'restore',
    created_at_ms: createdAtMs,
    updated_at_ms: updatedAtMs,
    deleted_at_ms: null,
    owner_id: null,
  };
  const own =
    table === 'memories'
      ? { content: text, kind: 'note', status: row.status === 'superseded' ? 'superseded' : 'active' }
      : {
          decision: text,
          type: String(row.type ?? 'decision').slice(0, 200),
          status: STATUSES.includes(String(row.status)) ? String(row.status) : 'accepted',
          priority: PRIORITIES.includes(String(row.priority)) ? String(row.priority) : 'medium',
          date: day,
        };
  return Object.fromEntries(Object.entries({ ...common, ...own }).filter(([column]) => shape.columns.includes(column)));
}

/** The same row of an earlier program gets the same id wherever and however often it is restored. */
function stableId(table: string, id: unknown): string {
  const text = String(id);
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)) return text.toLowerCase();
  const bytes = createHash('sha1').update(`angles restore ${table} ${text}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function timeOf(value: unknown): number | null {
  if (typeof value === 'number' && Number.isFinite(value))
    return value < 1e11 ? Math.round(value * 1_000) : Math.round(value);
  if (typeof value !== 'string') return null;
  const time = Date.parse(/\d\d:\d\d/.test(value) && !/[zZ]|[+-]\d\d:?\d\d$/.test(value) ? `${value}Z` : value);
  return Number.isNaN(time) ? null : time;
}
