/** The rows of a remote next to those here and to what both last agreed on: values to compare. Reads only. */
import type { EditableRecord, Remote } from '../../shared/model.ts';
import {
  type Connector,
  type Fields,
  MERGED_FIELDS,
  type MergedTable,
  type PullPage,
  type RemoteRecord,
} from './connector.ts';
import { withDeadline } from './deadline.ts';
import { isSame } from './merge.ts';
import { mergedFields, parseBase, redactFields } from './outgoing.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import { recordIdOf } from './plan-change.ts';
import { checkRemote, isMerged } from './record-check.ts';

/** Equal texts are equal rows; null: it is not there, or retired. `base` is undefined when they never agreed. */
export type RowSides = {
  readonly table: MergedTable;
  readonly id: string;
  readonly here: string | null;
  readonly there: string | null;
  readonly base: string | null | undefined;
  /** Fields that differ between here and there. */
  readonly fields: readonly string[];
};

const PAGE_LIMIT_MS = 120_000;
const MERGED_TABLES = Object.keys(MERGED_FIELDS) as MergedTable[];

/**
 * Reads every row of a remote. Its cursor is left alone: the next pull reads what it would have read anyway. Throws what
 * the connector throws, also for a table that cannot be read.
 * @param records everything here, retired or not
 */
export async function compareRows(
  parts: { readonly stores: SyncStores; readonly shell: Pick<SyncShell, 'redact'> },
  remote: Remote,
  connector: Connector,
  records: (table: MergedTable) => Iterable<EditableRecord>,
  signal: AbortSignal,
): Promise<RowSides[]> {
  const { stores, shell } = parts;
  const theirs = await readAll(stores, remote, connector, signal);
  const sides: RowSides[] = [];
  for (const table of MERGED_TABLES) {
    if (!connector.tables.includes(table)) continue;
    const rest = theirs.get(table) ?? new Map<string, RemoteRecord>();
    for (const record of records(table)) {
      const values = mergedFields(table, record as unknown as Fields);
      const here = redactFields(table, values, shell.redact).fields;
      const there = rest.get(record.id);
      rest.delete(record.id);
      const link = stores.links.find(remote, table, record.id);
      sides.push(toSides(table, record.id, here, fieldsOf(table, there), parseBase(link)));
    }
    for (const [id, there] of rest) {
      const base = parseBase(stores.links.find(remote, table, id));
      sides.push(toSides(table, id, null, fieldsOf(table, there), base));
    }
  }
  return sides;
}

async function readAll(
  stores: SyncStores,
  remote: Remote,
  connector: Connector,
  signal: AbortSignal,
): Promise<Map<MergedTable, Map<string, RemoteRecord>>> {
  const all = new Map<MergedTable, Map<string, RemoteRecord>>(MERGED_TABLES.map((table) => [table, new Map()]));
  let cursor: string | null = null;
  for (let hasMore = true; hasMore; ) {
    const from: string | null = cursor;
    const page: PullPage = await withDeadline(PAGE_LIMIT_MS, signal, (limited) => connector.pull(from, limited));
    const [failed] = page.failed ?? [];
    if (failed !== undefined) throw failed.error;
    for (const { table, remoteId } of page.gone) {
      const id = isMerged(table) ? stores.links.findByRemoteId(remote, table, remoteId)?.recordId : undefined;
      if (isMerged(table) && id !== undefined) all.get(table)?.delete(id);
    }
    for (const record of page.records)
      if (isMerged(record.table)) all.get(record.table)?.set(recordIdOf(stores, remote, record), record);
    hasMore = page.hasMore;
    cursor = page.cursor;
  }
  return all;
}

function fieldsOf(table: MergedTable, record: RemoteRecord | undefined): Fields | null {
  return record === undefined ? null : checkRemote(table, record).fields;
}

/** Pure. What one side does not say of a field is not compared. */
export function toSides(
  table: MergedTable,
  id: string,
  mine: Fields | null,
  theirs: Fields | null,
  agreed: Fields | null,
): RowSides {
  const here = isThere(mine) ? mine : null;
  const there = isThere(theirs) ? theirs : null;
  const told = theirs === null ? MERGED_FIELDS[table] : MERGED_FIELDS[table].filter((field) => field in theirs);
  const differs = (one: Fields | null, other: Fields | null): readonly string[] =>
    one === null || other === null ? [] : told.filter((field) => !isSame(field, one[field], other[field]));
  const equal = (one: Fields | null, other: Fields | null): boolean =>
    one === null || other === null ? one === other : differs(one, other).length === 0;
  const base = agreed === null ? undefined : isThere(agreed) ? agreed : null;
  const nameOf = (side: Fields | null | undefined): string | null | undefined => {
    if (side === undefined || side === null) return side;
    if (here !== null && equal(side, here)) return 'here';
    return there !== null && equal(side, there) ? 'there' : 'base';
  };
  return {
    table,
    id,
    here: here === null ? null : 'here',
    there: nameOf(there) ?? null,
    base: nameOf(base),
    fields: differs(here, there),
  };
}

function isThere(fields: Fields | null): fields is Fields {
  return fields !== null && (fields.deletedAtMs ?? null) === null;
}
