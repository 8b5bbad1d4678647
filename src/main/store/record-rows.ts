import { AppError } from '../../shared/errors.ts';
import type { EditableRecord } from '../../shared/model.ts';
import type { Db } from './database.ts';
import type { EditableTable } from './record-fields.ts';

type SqlValue = string | number | null;
type Row = Readonly<Record<string, SqlValue>>;

/** Column of each field, in the order of the table. */
const COMMON = {
  sourcePath: 'source_path',
  sourceSha256: 'source_sha256',
  supersedes: 'supersedes',
  origin: 'origin',
  createdAtMs: 'created_at_ms',
  updatedAtMs: 'updated_at_ms',
  deletedAtMs: 'deleted_at_ms',
  deviceId: 'device_id',
  ownerId: 'owner_id',
  changeSeq: 'change_seq',
} as const;
const COLUMNS: Readonly<Record<EditableTable, Readonly<Record<string, string>>>> = {
  decision_vault: {
    id: 'id',
    title: 'title',
    decision: 'decision',
    type: 'type',
    category: 'category',
    status: 'status',
    priority: 'priority',
    tags: 'tags',
    date: 'date',
    ...COMMON,
  },
  memories: {
    id: 'id',
    title: 'title',
    content: 'content',
    kind: 'kind',
    category: 'category',
    status: 'status',
    tags: 'tags',
    ...COMMON,
  },
};

/** The rows of one table of records. */
export type RecordRows = {
  readonly get: (id: string) => EditableRecord | undefined;
  /** Writes the whole row, new or not. */
  readonly save: (record: EditableRecord) => void;
  /** Newest change first; `where` is made of our own text, values come through `values`. */
  readonly select: (where: string, values: readonly SqlValue[], limit: number) => EditableRecord[];
  /** Those whose id begins or ends like this. */
  readonly like: (part: string, limit: number) => EditableRecord[];
  /** The newest record that replaces this one. */
  readonly supersededBy: (id: string) => string | null;
  /** Those that are not retired. */
  readonly count: () => number;
};

export function prepareRows(db: Db, table: EditableTable): RecordRows {
  const fields = Object.entries(COLUMNS[table]);
  const names = fields.map(([, column]) => column);
  const columns = names.join(', ');
  const toRecord = (row: Row): EditableRecord => {
    const values = fields.map(([field, column]) => [field, column === 'tags' ? readTags(row) : row[column]]);
    // STRICT columns and their CHECKs hold what the model says.
    return { ...Object.fromEntries(values), table } as EditableRecord;
  };
  const get = db.prepare<[string], Row>(`SELECT ${columns} FROM ${table} WHERE id = ?`);
  const save = db.prepare<SqlValue[]>(
    `INSERT INTO ${table} (${columns}) VALUES (${names.map(() => '?').join(', ')})
     ON CONFLICT (id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
  );
  const like = db.prepare<[{ part: string; limit: number }], Row>(
    `SELECT ${columns} FROM ${table}
     WHERE substr(id, 1, length(@part)) = @part OR substr(id, -length(@part)) = @part
     ORDER BY change_seq DESC LIMIT @limit`,
  );
  const supersededBy = db.prepare<[string], { id: string }>(
    `SELECT id FROM ${table} WHERE supersedes = ? ORDER BY change_seq DESC LIMIT 1`,
  );
  const count = db.prepare<[], { count: number }>(`SELECT count(*) AS count FROM ${table} WHERE deleted_at_ms IS NULL`);
  return {
    get: (id) => {
      const row = get.get(id);
      return row === undefined ? undefined : toRecord(row);
    },
    save: (record) => {
      const values: Readonly<Record<string, unknown>> = record;
      save.run(...fields.map(([field]) => toSql(values[field])));
    },
    select: (where, values, limit) =>
      db
        .prepare<SqlValue[], Row>(`SELECT ${columns} FROM ${table} WHERE ${where} ORDER BY change_seq DESC LIMIT ?`)
        .all(...values, limit)
        .map(toRecord),
    like: (part, limit) => like.all({ part, limit }).map(toRecord),
    supersededBy: (id) => supersededBy.get(id)?.id ?? null,
    count: () => count.get()?.count ?? 0,
  };
}

function readTags(row: Row): unknown {
  return JSON.parse(String(row.tags));
}

function toSql(value: unknown): SqlValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (Array.isArray(value)) return JSON.stringify(value);
  throw new AppError('record.invalid', `A field of a record cannot be a ${typeof value}.`);
}
