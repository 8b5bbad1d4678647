import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import { errorClassOf, MERGED_FIELDS, type OutgoingRecord, type PushOutcome, type SyncTable } from '../connector.ts';
import { causeOf } from './answer-error.ts';
import { type BatchSize, cutBatches } from './batch-size.ts';
import type { SupabaseConnection } from './client.ts';
import { uploadLongText } from './contents.ts';
import { columnDrift, fromRow } from './from-row.ts';
import { sizeOfRow, toRow, type WireRow } from './to-row.ts';

type Item = { readonly record: OutgoingRecord; readonly row: WireRow };

const answerSchema = z.object({
  done: z.array(z.tuple([z.string(), z.number()])),
  rest: z.array(
    z.object({
      id: z.string(),
      outcome: z.enum(['done', 'changed', 'gone', 'denied', 'again']),
      version: z.number().nullish(),
      row: z.unknown().optional(),
    }),
  ),
});

/**
 * Writes records, a batch at a time; see `push` of {@link Connector}. A batch that is refused because of one row is
 * halved until the row stands alone. A table whose shape is wrong fails its own records and no others.
 */
export async function pushRecords(
  connection: SupabaseConnection,
  size: BatchSize,
  records: readonly OutgoingRecord[],
  signal: AbortSignal,
): Promise<readonly PushOutcome[]> {
  const outcomes: PushOutcome[] = [];
  let wasTried = false;
  for (const [table, own] of byTable(records)) {
    const prepared = await prepareItems(connection, own, signal, outcomes);
    const result = await pushTable(connection, size, table, prepared, signal);
    outcomes.push(...result.outcomes);
    wasTried ||= result.wasTried;
    // Nothing more can be said to a service that does not answer, or does not let us in.
    if (result.stoppedBy !== null) return endEarly(records, outcomes, result.stoppedBy, wasTried);
  }
  const [first] = outcomes;
  if (!wasTried && first?.kind === 'failed' && outcomes.every((each) => each.kind === 'failed')) throw first.error;
  return outcomes;
}

type TableResult = {
  readonly outcomes: readonly PushOutcome[];
  /** Whether the service has judged any row. */
  readonly wasTried: boolean;
  readonly stoppedBy: AppError | null;
};

async function pushTable(
  connection: SupabaseConnection,
  size: BatchSize,
  table: SyncTable,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<TableResult> {
  const outcomes: PushOutcome[] = [];
  let wasTried = false;
  const queue = cutBatches(items, ({ row }) => sizeOfRow(row), { rows: size.rows(), bytes: size.maxBytes() });
  for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
    try {
      outcomes.push(...(await pushBatch(connection, table, batch, signal)));
      size.succeeded(batch.length);
      wasTried = true;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const fate = fateOf(error, batch.length);
      if (fate === 'halve') {
        if (isTooMuch(error)) size.tooMuch(batch.length);
        const middle = Math.ceil(batch.length / 2);
        queue.unshift(batch.slice(0, middle), batch.slice(middle));
        continue;
      }
      wasTried ||= fate === 'one' || isOfThisTable(error);
      const lost = fate === 'one' ? batch : [batch, ...queue.splice(0)].flat();
      outcomes.push(...lost.map(({ record }) => failed(record, error)));
      if (fate === 'stop') return { outcomes, wasTried, stoppedBy: error };
    }
  }
  return { outcomes, wasTried, stoppedBy: null };
}

function endEarly(
  records: readonly OutgoingRecord[],
  outcomes: readonly PushOutcome[],
  error: AppError,
  wasTried: boolean,
): readonly PushOutcome[] {
  if (!wasTried) throw error;
  const known = new Set(outcomes.map(({ id }) => id));
  return [...outcomes, ...records.filter(({ id }) => !known.has(id)).map((record) => failed(record, error))];
}

const failed = ({ id }: OutgoingRecord, error: AppError): PushOutcome => ({ kind: 'failed', id, error });

function byTable(records: readonly OutgoingRecord[]): Map<SyncTable, OutgoingRecord[]> {
  const groups = new Map<SyncTable, OutgoingRecord[]>();
  for (const record of records) groups.set(record.table, [...(groups.get(record.table) ?? []), record]);
  // In one order everywhere: two devices that write the same rows never wait for each other in a circle.
  for (const group of groups.values()) group.sort((a, b) => (a.id < b.id ? -1 : 1));
  return groups;
}

/** Rows to send, with long texts uploaded; a text that cannot be uploaded fails its record alone. */
async function prepareItems(
  connection: SupabaseConnection,
  records: readonly OutgoingRecord[],
  signal: AbortSignal,
  outcomes: PushOutcome[],
): Promise<Item[]> {
  const items: Item[] = [];
  let down: AppError | null = null;
  for (const record of records) {
    try {
      if (down !== null && record.content?.kind === 'text') throw down;
      const contentObject = await uploadLongText(connection, record.content, signal);
      items.push({ record, row: toRow(record, contentObject) });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (errorClassOf(error.code) !== 'rejected') down = error;
      outcomes.push(failed(record, error));
    }
  }
  return items;
}

/** `halve`: one row may be at fault; `one`: it is this one; `table`: no row of this table can be written; `stop`: none. */
function fateOf(error: AppError, rows: number): 'halve' | 'one' | 'table' | 'stop' {
  const isAboutRows = errorClassOf(error.code) === 'rejected' || isTooMuch(error);
  if (isAboutRows) return rows > 1 ? 'halve' : 'one';
  return error.code === 'remote.schema' || error.code === 'remote.forbidden' ? 'table' : 'stop';
}

/** The other tables may well be whole. A function that is missing, or a right to call it, concerns all of them. */
const isOfThisTable = (error: AppError): boolean =>
  error.code === 'remote.schema' && /^42(703|P01|804)$/.test(causeOf(error)?.code ?? '');

const isTooMuch = (error: AppError): boolean => causeOf(error)?.code === '57014' || error.code === 'remote.too_large';

async function pushBatch(
  connection: SupabaseConnection,
  table: SyncTable,
  batch: readonly Item[],
  signal: AbortSignal,
): Promise<PushOutcome[]> {
  const data = await connection.call('angles_push', { p_table: table, p_rows: batch.map(({ row }) => row) }, signal);
  const answer = answerSchema.safeParse(data);
  if (!answer.success)
    throw new AppError('remote.bad_answer', 'The answer to a push is of another form.', { retryable: true });
  const versions = new Map(answer.data.done);
  const rest = new Map(answer.data.rest.map((each) => [each.id, each]));
  return batch.map(({ record }): PushOutcome => {
    const version =
      versions.get(record.id) ?? (rest.get(record.id)?.outcome === 'done' ? rest.get(record.id)?.version : undefined);
    if (version !== undefined && version !== null)
      return { kind: 'done', id: record.id, remoteId: null, version: String(version), base: baseOf(record) };
    const other = rest.get(record.id);
    const drift = other?.outcome === 'changed' ? columnDrift(table, other.row) : null;
    if (drift !== null) return failed(record, new AppError('remote.schema', `The table ${table} ${drift}.`));
    const current = other?.outcome === 'changed' ? fromRow(table, other.row) : null;
    if (current !== null) return { kind: 'changed', id: record.id, current };
    if (other?.outcome === 'gone') return { kind: 'gone', id: record.id };
    return failed(record, unwritten(table, other?.outcome));
  });
}

function unwritten(table: SyncTable, outcome: string | undefined): AppError {
  if (outcome === 'denied')
    return new AppError('remote.forbidden', `A row of ${table} with this id belongs to another user of the project.`, {
      hint: 'Sign in as the user who wrote it, or use a project of your own.',
    });
  return new AppError('remote.unavailable', `The row of ${table} was deleted in the moment it was written.`, {
    retryable: true,
  });
}

function baseOf({
  table,
  fields,
}: OutgoingRecord): PushOutcome extends infer Outcome ? (Outcome extends { base: infer Base } ? Base : never) : never {
  if (table !== 'decision_vault' && table !== 'memories') return null;
  return Object.fromEntries(MERGED_FIELDS[table].map((field) => [field, fields[field] ?? null]));
}
