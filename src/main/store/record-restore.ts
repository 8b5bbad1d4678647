import { AppError } from '../../shared/errors.ts';
import { decisionRecord, type EditableRecord, memoryRecord } from '../../shared/model.ts';
import type { Store, Transaction } from './database.ts';
import type { EditableTable } from './record-fields.ts';
import { prepareRows } from './record-rows.ts';

/** Writes one record as every write of a record is done: row, history, activity, outbox and journal. */
export type RestoreSave = (
  tx: Transaction,
  order: {
    readonly kind: 'record.created' | 'record.edited' | 'record.retired';
    readonly before: EditableRecord | null;
    readonly after: EditableRecord;
    readonly origin: string;
  },
) => void;

type Row = Readonly<Record<string, unknown>>;

/** Decisions and memories as rows of a backup: what is missing is inserted, what differs is an ordinary edit. */
export type RecordRestore = {
  readonly describe: (table: string) => {
    readonly key: string;
    readonly columns: readonly string[];
    readonly compared: readonly string[];
    readonly isAppendOnly: boolean;
  } | null;
  readonly find: (table: string, ids: readonly string[]) => ReadonlyMap<string, Row>;
  /** One durable transaction. Throws `record.invalid`; then none of them was written. */
  readonly write: (table: string, rows: readonly Row[]) => void;
  readonly retire: (table: string, ids: readonly string[]) => void;
};

const ORIGIN = 'restore';
const KEPT = ['source_path', 'source_sha256', 'supersedes', 'deleted_at_ms'];
const COMMON = ['id', ...KEPT, 'origin', 'created_at_ms', 'updated_at_ms', 'device_id', 'owner_id', 'change_seq'];
const WRITTEN: Readonly<Record<EditableTable, readonly string[]>> = {
  decision_vault: ['title', 'decision', 'type', 'category', 'status', 'priority', 'tags', 'date'],
  memories: ['title', 'content', 'kind', 'category', 'status', 'tags'],
};
const SCHEMAS = { decision_vault: decisionRecord, memories: memoryRecord } as const;

export function createRecordRestore(store: Store, save: RestoreSave): RecordRestore {
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  return {
    describe: (table) =>
      isEditable(table)
        ? {
            key: 'id',
            columns: [...COMMON, ...WRITTEN[table]],
            compared: [...WRITTEN[table], ...KEPT],
            isAppendOnly: false,
          }
        : null,
    find: (table, ids) => {
      const found = new Map<string, Row>();
      if (!isEditable(table)) return found;
      for (const id of ids) {
        const record = rows[table].get(id);
        if (record !== undefined) found.set(id, toRow(record));
      }
      return found;
    },
    write: (table, given) => {
      if (!isEditable(table)) throw new AppError('restore.schema', `The table ${table} cannot be restored.`);
      store.write((tx) => {
        for (const row of given) {
          const before = rows[table].get(String(row.id)) ?? null;
          const after = toRecord(table, row, before, store.deviceId);
          save(tx, { kind: before === null ? 'record.created' : 'record.edited', before, after, origin: ORIGIN });
        }
      });
    },
    retire: (table, ids) => {
      if (!isEditable(table)) return;
      store.write((tx) => {
        for (const id of ids) {
          const before = rows[table].get(id);
          if (before === undefined || before.deletedAtMs !== null) continue;
          const after = { ...before, deletedAtMs: store.nowMs() };
          save(tx, { kind: 'record.retired', before, after, origin: ORIGIN });
        }
      });
    },
  };
}

function isEditable(table: string): table is EditableTable {
  return table === 'decision_vault' || table === 'memories';
}

/** Fields have the names of their columns, in another spelling. */
function toRow(record: EditableRecord): Row {
  const { table: _table, ...fields } = record;
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [
      field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      field === 'tags' ? JSON.stringify(value) : value,
    ]),
  );
}

function toRecord(table: EditableTable, row: Row, before: EditableRecord | null, deviceId: string): EditableRecord {
  const fields = Object.entries(row).map(([column, value]) => [
    column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    column === 'tags' && typeof value === 'string' ? parseTags(value) : value,
  ]);
  const base = before ?? {
    deviceId,
    changeSeq: 0,
    ownerId: null,
    date: null,
    supersedes: null,
    sourcePath: null,
    sourceSha256: null,
    deletedAtMs: null,
  };
  const candidate: Record<string, unknown> = { ...base, ...Object.fromEntries(fields), table };
  candidate.changeSeq = before?.changeSeq ?? 0;
  candidate.deviceId ??= deviceId;
  const parsed = SCHEMAS[table].safeParse(candidate);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new AppError(
    'record.invalid',
    `The row ${String(row.id)} of the backup has a value of ${where} that cannot be.`,
  );
}

function parseTags(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not a list: the check of the record says so.
    return text;
  }
}
