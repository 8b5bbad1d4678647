import type { MethodInput } from '../../shared/contract.ts';
import { type LogLevel, type LogRecord, logLevel } from '../../shared/model.ts';
import type { Store } from './database.ts';

/** A record before it has its number. It must be redacted already: what comes in is kept as it is. */
export type NewLogRecord = Omit<LogRecord, 'seq'>;

export type LogStore = {
  /** Stores all of them or, when it throws (`data.full`, say), none. Returns them with their numbers, in order. */
  readonly append: (records: readonly NewLogRecord[]) => LogRecord[];
  /**
   * The newest that match, oldest first; with `afterSeq` the first that follow it, so that a follower misses none.
   * At most `limit` (200).
   */
  readonly list: (query: MethodInput<'logs.list'>) => LogRecord[];
  /** The number of the newest record; 0 when there is none. */
  readonly newestSeq: () => number;
  /** Deletes what is older than `beforeMs`, and the oldest beyond `maxRows`. Returns how many went. */
  readonly prune: (beforeMs: number, maxRows: number) => number;
};

type Row = {
  seq: number;
  time_ms: number;
  level: LogLevel;
  component: string;
  message: string;
  run_id: string | null;
  duration_ms: number | null;
  data_json: string;
};

export function createLogStore({ db, write }: Store): LogStore {
  const insert = db.prepare<unknown[]>(
    `INSERT INTO system_logs (time_ms, level, component, message, run_id, duration_ms, data_json)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const deleteOld = db.prepare<[number]>('DELETE FROM system_logs WHERE time_ms < ?');
  const newest = db.prepare<[], { seq: number }>('SELECT coalesce(max(seq), 0) AS seq FROM system_logs');
  const deleteBeyond = db.prepare<[number]>(
    'DELETE FROM system_logs WHERE seq <= (SELECT seq FROM system_logs ORDER BY seq DESC LIMIT 1 OFFSET ?)',
  );

  const insertOne = (record: NewLogRecord): LogRecord => {
    const { timeMs, level, component, message, runId, durationMs, data } = record;
    const row = insert.run(timeMs, level, component, message, runId, durationMs, JSON.stringify(data));
    return { seq: Number(row.lastInsertRowid), ...record };
  };

  return {
    append: (records) => (records.length === 0 ? [] : write(() => records.map(insertOne))),
    list: (query) => {
      const { where, values } = conditions(query);
      const following = query.afterSeq !== undefined;
      const sql = `SELECT * FROM system_logs ${where} ORDER BY seq ${following ? 'ASC' : 'DESC'} LIMIT ?`;
      const rows = db.prepare<unknown[], Row>(sql).all(...values, query.limit ?? 200);
      return (following ? rows : rows.reverse()).map(toRecord);
    },
    newestSeq: () => newest.get()?.seq ?? 0,
    prune: (beforeMs, maxRows) => write(() => deleteOld.run(beforeMs).changes + deleteBeyond.run(maxRows).changes),
  };
}

function conditions(query: MethodInput<'logs.list'>): { where: string; values: unknown[] } {
  const parts: string[] = [];
  const values: unknown[] = [];
  const add = (sql: string, ...bound: readonly unknown[]): void => {
    parts.push(sql);
    values.push(...bound);
  };
  if (query.component !== undefined) add('component = ?', query.component);
  if (query.level !== undefined) {
    const levels = logLevel.options.slice(logLevel.options.indexOf(query.level));
    add(`level IN (${levels.map(() => '?').join(', ')})`, ...levels);
  }
  if (query.sinceMs !== undefined) add('time_ms >= ?', query.sinceMs);
  if (query.runId !== undefined) add('run_id = ?', query.runId);
  if (query.text !== undefined && query.text !== '') {
    const pattern = `%${query.text.replace(/[\\%_]/g, '\\$&')}%`;
    add("(message LIKE ? ESCAPE '\\' OR data_json LIKE ? ESCAPE '\\')", pattern, pattern);
  }
  if (query.afterSeq !== undefined) add('seq > ?', query.afterSeq);
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values };
}

function toRecord(row: Row): LogRecord {
  return {
    seq: row.seq,
    timeMs: row.time_ms,
    level: row.level,
    component: row.component,
    message: row.message,
    runId: row.run_id,
    durationMs: row.duration_ms,
    data: JSON.parse(row.data_json) as LogRecord['data'],
  };
}
