/**
 * A remote in memory that keeps every promise of `sync/connector.ts`: rows with versions that are compared before they
 * are set, change numbers, tombstones, an identity. People edit it by hand, and it fails when it is told to.
 * As `supabase` each row carries our id; as `notion` a row that a person made carries none.
 */
import {
  type Connector,
  type FieldProblem,
  type Fields,
  MERGED_FIELDS,
  type OutgoingRecord,
  type PushOutcome,
  type RemoteRecord,
  type SyncTable,
} from '../../src/main/sync/connector.ts';
import { isSame } from '../../src/main/sync/merge.ts';
import { checkRemote, isMerged } from '../../src/main/sync/record-check.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { Remote } from '../../src/shared/model.ts';

export type MemoryRow = {
  table: SyncTable;
  /** Our id, as the row carries it. */
  id: string | null;
  remoteId: string;
  fields: Fields;
  version: number;
  editedAtMs: number;
  problems: readonly FieldProblem[];
};

export type FaultOp = 'identity' | 'push' | 'pull' | 'read';
/** `down`: nothing happened. `lost`: it happened, and the answer did not come. An error: thrown, nothing happened. */
export type Fault = 'down' | 'lost' | AppError | null;

export type MemoryRemote = {
  readonly remote: Remote;
  /** A new connection; each device has its own. */
  readonly connect: () => Connector;
  readonly rows: (table?: SyncTable) => readonly MemoryRow[];
  /** A person writes a row by hand; gives its id over there. */
  readonly create: (table: SyncTable, fields: Fields, id?: string | null) => string;
  readonly edit: (remoteId: string, fields: Fields, problems?: readonly FieldProblem[]) => void;
  /** Gone for good. */
  readonly remove: (remoteId: string) => void;
  /** The same, and no trace of it is left. */
  readonly forget: (remoteId: string) => void;
  /** What happens to the next calls; null lets all succeed. */
  setFault: (fault: ((op: FaultOp) => Fault) | null) => void;
  /** Refuses single records. */
  setRefusal: (refuse: ((record: OutgoingRecord) => AppError | null) | null) => void;
  /** The state of everything, to come back to: a restored backup of the remote. */
  readonly snapshot: () => () => void;
  /** Another, empty remote in its place. */
  readonly recreate: () => void;
  /** Rows that pushes wrote, calls that pushed, hand-made values that a push replaced. */
  readonly stats: () => { readonly written: number; readonly pushCalls: number; readonly created: number };
};

export type MemoryOptions = {
  readonly remote: Remote;
  readonly tables?: readonly SyncTable[];
  readonly nowMs: () => number;
  readonly pageSize?: number;
  readonly batchSize?: number;
  readonly parallelPushes?: number;
};

let remotesMade = 0;

export function createMemoryRemote(options: MemoryOptions): MemoryRemote {
  const { remote, nowMs } = options;
  const tables = options.tables ?? ['decision_vault', 'memories', 'activities', 'file_snapshots'];
  const hasOwnIds = remote === 'supabase';
  let rows = new Map<string, MemoryRow>();
  let tombstones: { table: SyncTable; id: string | null; remoteId: string; version: number }[] = [];
  let counter = 0;
  remotesMade += 1;
  let identity = `memory-${remotesMade}`;
  let fault: ((op: FaultOp) => Fault) | null = null;
  let refuse: ((record: OutgoingRecord) => AppError | null) | null = null;
  const stats = { written: 0, pushCalls: 0, created: 0 };
  const hints = new Set<() => void>();
  const tell = (): void => {
    for (const hint of hints) hint();
  };
  const toRemote = (row: MemoryRow): RemoteRecord => {
    const broken = new Set(row.problems.map((problem) => problem.field));
    return {
      table: row.table,
      id: row.id,
      remoteId: row.remoteId,
      fields: Object.fromEntries(Object.entries(row.fields).filter(([field]) => !broken.has(field))),
      problems: row.problems,
      version: `v${row.version}`,
      editedAtMs: row.editedAtMs,
    };
  };
  const failing = async <T>(op: FaultOp, signal: AbortSignal, work: () => T): Promise<T> => {
    await Promise.resolve();
    signal.throwIfAborted();
    const what = fault?.(op) ?? null;
    if (what instanceof AppError) throw what;
    if (what === 'down') throw new AppError('remote.unreachable', 'The remote is down.');
    const result = work();
    if (what === 'lost') throw new AppError('remote.unreachable', 'The answer was lost.');
    return result;
  };
  const find = (record: OutgoingRecord): MemoryRow | undefined =>
    (record.remoteId === null ? undefined : rows.get(record.remoteId)) ??
    (hasOwnIds
      ? rows.get(record.id)
      : [...rows.values()].find((row) => row.table === record.table && row.id === record.id));
  const agreed = (table: SyncTable, fields: Fields): Fields | null =>
    isMerged(table) ? Object.fromEntries(MERGED_FIELDS[table].map((field) => [field, fields[field] ?? null])) : null;

  const pushOne = (record: OutgoingRecord): PushOutcome => {
    const { id, table } = record;
    const error = refuse?.(record) ?? null;
    if (error !== null) return { kind: 'failed', id, error };
    const [nonsense] = isMerged(table) ? checkRemote(table, { fields: record.fields, problems: [] }).problems : [];
    if (nonsense !== undefined)
      return { kind: 'failed', id, error: new AppError('remote.rejected', `${nonsense.field}: ${nonsense.reason}`) };
    const row = find(record);
    if (row === undefined) {
      if (record.baseVersion !== null) return { kind: 'gone', id };
      const made: MemoryRow = {
        table,
        id,
        remoteId: hasOwnIds ? id : `page-${identity}-${++counter}`,
        fields: record.fields,
        version: ++counter,
        editedAtMs: Number(record.fields.updatedAtMs ?? nowMs()),
        problems: [],
      };
      rows.set(made.remoteId, made);
      stats.written += 1;
      stats.created += 1;
      return done(made);
    }
    if (!isMerged(table)) return done(row);
    const isNewer = record.baseVersion !== `v${row.version}`;
    const differs = MERGED_FIELDS[table].filter(
      (field) =>
        (isNewer || !isSame(field, record.fields[field], record.base?.[field])) &&
        !isSame(field, record.fields[field], row.fields[field]),
    );
    if (isNewer && (differs.length > 0 || row.problems.length > 0))
      return { kind: 'changed', id, current: toRemote(row) };
    if (differs.length > 0 || row.id !== id) {
      const change = Object.fromEntries(differs.map((field) => [field, record.fields[field] ?? null]));
      Object.assign(row, {
        id,
        fields: { ...row.fields, ...change, updatedAtMs: record.fields.updatedAtMs ?? nowMs() },
        version: ++counter,
        editedAtMs: Number(record.fields.updatedAtMs ?? nowMs()),
        problems: row.problems.filter((problem) => !differs.includes(problem.field as never)),
      });
      stats.written += 1;
    }
    return done(row);
  };
  const done = (row: MemoryRow): PushOutcome => ({
    kind: 'done',
    id: row.id ?? '',
    remoteId: row.remoteId,
    version: `v${row.version}`,
    base: agreed(row.table, row.fields),
  });
  const page = (
    from: number,
  ): { version: number; row: MemoryRow | null; stone: (typeof tombstones)[number] | null }[] =>
    [
      ...[...rows.values()].map((row) => ({ version: row.version, row, stone: null })),
      ...tombstones.map((stone) => ({ version: stone.version, row: null, stone })),
    ]
      .filter((one) => one.version > from)
      .sort((a, b) => a.version - b.version);

  const readLinked: NonNullable<Connector['readLinked']> = (linked, signal) =>
    failing('read', signal, () => ({
      records: linked.flatMap(({ remoteId }) => rows.get(remoteId) ?? []).map(toRemote),
      gone: linked.filter(({ remoteId }) => !rows.has(remoteId)),
      cursor: '',
      hasMore: false,
    }));

  const connect = (): Connector => ({
    remote,
    tables,
    identity: (signal) => failing('identity', signal, () => identity),
    batchSize: () => options.batchSize ?? 50,
    parallelPushes: options.parallelPushes ?? 1,
    push: (records, signal) =>
      failing('push', signal, () => {
        stats.pushCalls += 1;
        const outcomes = records.map(pushOne);
        tell();
        return outcomes;
      }),
    pull: (cursor, signal) =>
      failing('pull', signal, () => {
        const from = cursor === null ? 0 : Number(cursor);
        if (from > counter) throw new AppError('remote.replaced', 'The remote is older than what was read of it.');
        const all = page(from);
        const some = all.slice(0, options.pageSize ?? 20);
        return {
          records: some.flatMap(({ row }) => (row === null ? [] : [toRemote(row)])),
          gone: some.flatMap(({ stone }) => (stone === null ? [] : [stone])),
          cursor: String(some.at(-1)?.version ?? from),
          hasMore: all.length > some.length,
        };
      }),
    read: (table, ids, signal) =>
      failing('read', signal, () =>
        [...rows.values()]
          .filter((row) => row.table === table && row.id !== null && ids.includes(row.id))
          .map(toRemote),
      ),
    ...(hasOwnIds ? {} : { readLinked }),
    check: async () => [
      { id: 'key', title: 'Key', verdict: 'ok', detail: 'It is accepted.', fix: null, canPrepare: false, code: null },
    ],
    prepare: async () => ({ steps: [], apply: async () => undefined }),
    listen: (onHint) => {
      hints.add(onHint);
      return () => hints.delete(onHint);
    },
    close: async () => undefined,
  });

  const rowOf = (remoteId: string): MemoryRow => {
    const row = rows.get(remoteId);
    if (row === undefined) throw new Error(`no row ${remoteId}`);
    return row;
  };
  return {
    remote,
    connect,
    rows: (table) => [...rows.values()].filter((row) => table === undefined || row.table === table),
    create: (table, fields, id = null) => {
      const remoteId = hasOwnIds ? (id ?? crypto.randomUUID()) : `page-${identity}-${++counter}`;
      const version = ++counter;
      rows.set(remoteId, {
        table,
        id: hasOwnIds ? remoteId : id,
        remoteId,
        fields,
        version,
        editedAtMs: nowMs(),
        problems: [],
      });
      tell();
      return remoteId;
    },
    edit: (remoteId, fields, problems = []) => {
      const row = rowOf(remoteId);
      Object.assign(row, { fields: { ...row.fields, ...fields }, version: ++counter, editedAtMs: nowMs(), problems });
      tell();
    },
    remove: (remoteId) => {
      const { table, id } = rowOf(remoteId);
      rows.delete(remoteId);
      tombstones.push({ table, id, remoteId, version: ++counter });
      tell();
    },
    forget: (remoteId) => {
      rows.delete(remoteId);
    },
    setFault: (next) => {
      fault = next;
    },
    setRefusal: (next) => {
      refuse = next;
    },
    snapshot: () => {
      const kept = new Map([...rows].map(([key, row]) => [key, { ...row }]));
      const stones = [...tombstones];
      const at = counter;
      return () => {
        rows = new Map([...kept].map(([key, row]) => [key, { ...row }]));
        tombstones = [...stones];
        counter = at;
      };
    },
    recreate: () => {
      remotesMade += 1;
      identity = `memory-${remotesMade}`;
      rows = new Map();
      tombstones = [];
      counter = 0;
    },
    stats: () => ({ ...stats }),
  };
}
