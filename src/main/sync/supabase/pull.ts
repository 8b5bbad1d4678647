import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import type { PullPage, RemoteRecord, SyncTable } from '../connector.ts';
import { errorOfAnswer } from './answer-error.ts';
import { isRowId, type SupabaseConnection } from './client.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import { columnDrift, fromRow } from './from-row.ts';

const PAGE_ROWS = 500;
const PAGE_BYTES = 4 * 1024 * 1024;
const READ_IDS = 100;

const stamp = z.looseObject({ change_xid: z.number(), change_seq: z.number() });
const tablePage = z.union([
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
  z.object({
    rows: z.array(stamp),
    gone: z.array(z.string()),
    cursor: z.tuple([z.number(), z.number(), z.number(), z.number()]),
    more: z.boolean(),
  }),
]);
const answerSchema = z.object({ tables: z.record(z.string(), tablePage), ahead: z.boolean() });

/** A page, and the tables that could not be read (renamed, retyped) while the others were: their place is kept. */
export type SupabasePullPage = PullPage & {
  readonly failed: readonly { readonly table: SyncTable; readonly error: AppError }[];
};

/** See `pull` of {@link Connector}. Throws when no table could be read, or when the database is an older state of itself. */
export async function pullChanges(
  connection: SupabaseConnection,
  tables: readonly SyncTable[],
  ownDeviceId: string,
  cursorText: string | null,
  signal: AbortSignal,
): Promise<SupabasePullPage> {
  const cursor = readCursor(cursorText, tables);
  const args = { p_cursors: cursor, p_skip_device: ownDeviceId, p_max_rows: PAGE_ROWS, p_max_bytes: PAGE_BYTES };
  const answer = answerSchema.safeParse(await connection.call('angles_pull', args, signal));
  if (!answer.success)
    throw new AppError('remote.bad_answer', 'The answer to a pull is of another form.', { retryable: true });
  if (answer.data.ahead)
    throw new AppError('remote.replaced', 'The database is in an earlier state than the one that was seen before.');
  return pageOf(tables, cursor, answer.data.tables);
}

function pageOf(
  tables: readonly SyncTable[],
  before: Cursor,
  pages: z.infer<typeof answerSchema>['tables'],
): SupabasePullPage {
  const rows: { record: RemoteRecord; at: z.infer<typeof stamp> }[] = [];
  const gone: PullPage['gone'][number][] = [];
  const failed: SupabasePullPage['failed'][number][] = [];
  const after: Record<string, Cursor[string]> = { ...before };
  let hasMore = false;
  for (const table of tables) {
    const page = pages[table];
    if (page === undefined) continue;
    if ('error' in page) {
      failed.push({ table, error: tableError(table, page.error) });
      continue;
    }
    const drift = page.rows.map((row) => columnDrift(table, row)).find((found) => found !== null);
    if (drift !== undefined) {
      failed.push({ table, error: new AppError('remote.schema', `The table ${table} ${drift}.`) });
      continue;
    }
    const read = page.rows.flatMap((at) => ({ record: fromRow(table, at), at }));
    if (read.some(({ record }) => record === null)) {
      failed.push({ table, error: new AppError('remote.schema', `The table ${table} has lost its column id.`) });
      continue;
    }
    for (const { record, at } of read) if (record !== null) rows.push({ record, at });
    gone.push(...page.gone.map((id) => ({ table, id, remoteId: id })));
    after[table] = page.cursor;
    hasMore ||= page.more;
  }
  const [first] = failed;
  if (first !== undefined && failed.length === tables.length) throw first.error;
  rows.sort((a, b) => a.at.change_xid - b.at.change_xid || a.at.change_seq - b.at.change_seq);
  return { records: rows.map(({ record }) => record), gone, cursor: writeCursor(after), hasMore, failed };
}

function tableError(table: SyncTable, { code, message }: { code: string; message: string }): AppError {
  const body = JSON.stringify({ code, message: `${table}: ${message}` });
  const answer = { status: 400, contentType: 'application/json', retryAfter: null, location: null, body };
  return errorOfAnswer(answer, true, 0) ?? new AppError('remote.bad_answer', message);
}

const idList = z.array(z.string());

/**
 * See `read` of {@link Connector}. A row that is there but hidden (by a policy, or because another user owns it) is not
 * missing: it throws `remote.forbidden`, so that nobody takes it for deleted. A table whose columns are not the known
 * ones throws `remote.schema`.
 */
export async function readRecords(
  connection: SupabaseConnection,
  table: SyncTable,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly RemoteRecord[]> {
  const records: RemoteRecord[] = [];
  for (let start = 0; start < ids.length; start += READ_IDS) {
    signal.throwIfAborted();
    const asked = ids.slice(start, start + READ_IDS).filter(isRowId);
    const rows = await connection.select(table, asked, signal);
    const drift = rows.map((row) => columnDrift(table, row)).find((found) => found !== null);
    if (drift !== undefined) throw new AppError('remote.schema', `The table ${table} ${drift}.`);
    const read = rows.flatMap((row) => fromRow(table, row) ?? []);
    const missing = asked.filter((id) => !read.some((record) => record.id === id.toLowerCase()));
    if (missing.length > 0) await assertNotHidden(connection, table, missing, signal);
    records.push(...read);
  }
  return records;
}

async function assertNotHidden(
  connection: SupabaseConnection,
  table: SyncTable,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const hidden = idList.safeParse(await connection.call('angles_existing', { p_table: table, p_ids: ids }, signal));
  if (hidden.success && hidden.data.length === 0) return;
  const count = hidden.success ? hidden.data.length : 'some';
  throw new AppError('remote.forbidden', `The policies of ${table} hide ${count} rows that were seen before.`, {
    hint: 'Look at the policies of this table, at the owner_id of its rows, and at who signs in.',
  });
}
