/**
 * Whether everything that a device holds is accounted for: each change is acknowledged, waits, or was set aside with a
 * reason, and what was acknowledged is over there. Reads the vault by its own SQL, also while an agent works on it.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** What a remote has, read after the vault was. */
export type RowsThere = {
  readonly remote: string;
  readonly table: string;
  /** Ids over there of all rows, those that a person has deleted since included. */
  readonly ids: ReadonlySet<string>;
};

type Db = Database.Database;
type Sent = { readonly remote: string; readonly table: string; readonly recordId: string; readonly id: string };
type Audit = {
  readonly problems: readonly string[];
  /** What the device believes to be over there. */
  readonly acknowledged: readonly Sent[];
  readonly checked: number;
};

const TABLES = ['decision_vault', 'memories', 'file_snapshots', 'activities'] as const;

/** The vault as it is now. */
export function auditVault(dataFolder: string): Audit {
  const db = new Database(join(dataFolder, 'vault.db'), { readonly: true });
  try {
    // One state of it: the agent may be in the middle of its work.
    return db.transaction(() => audit(db))();
  } finally {
    db.close();
  }
}

/** What was acknowledged and is not there. */
export function missingThere({ acknowledged }: Audit, there: readonly RowsThere[]): string[] {
  return acknowledged.flatMap(({ remote, table, recordId, id }) => {
    const rows = there.find((one) => one.remote === remote && one.table === table);
    return rows === undefined || rows.ids.has(id)
      ? []
      : [`${table} ${recordId} was acknowledged by ${remote}, which has nothing of it`];
  });
}

function audit(db: Db): Audit {
  const problems: string[] = [];
  const acknowledged: Sent[] = [];
  let checked = 0;
  const remotes = db
    .prepare<[], { remote: string; tables_json: string | null; backlog_table: string | null }>(
      'SELECT remote, tables_json, backlog_table FROM remotes',
    )
    .all();
  for (const { remote, tables_json: json, backlog_table: backlog } of remotes) {
    const heard: readonly string[] = json === null ? TABLES : (JSON.parse(json) as string[]);
    for (const table of TABLES.filter((one) => heard.includes(one))) {
      checked += count(db, `SELECT count(*) AS count FROM ${table}`);
      // What the backlog has not reached yet is found by it.
      if (backlog === null) problems.push(...unaccounted(db, remote, table));
      acknowledged.push(...linked(db, remote, table));
    }
  }
  problems.push(...halfApplied(db));
  return { problems, acknowledged, checked };
}

function unaccounted(db: Db, remote: string, table: (typeof TABLES)[number]): string[] {
  // What a remote told need not go back there.
  const own = table === 'activities' ? `AND r.origin <> '${remote}'` : '';
  const rows = db
    .prepare<[string, string], { id: string; change_seq: number; seq: number | null; waits: number | null }>(
      `SELECT r.id, r.change_seq, l.acknowledged_seq AS seq, o.change_seq AS waits FROM ${table} AS r
       LEFT JOIN links AS l ON l.remote = ? AND l.table_name = '${table}' AND l.record_id = r.id
       LEFT JOIN outbox AS o ON o.remote = ? AND o.table_name = '${table}' AND o.record_id = r.id
       WHERE coalesce(l.acknowledged_seq, -1) < r.change_seq AND coalesce(o.change_seq, -1) < r.change_seq ${own}`,
    )
    .all(remote, remote);
  return rows.map(
    ({ id, change_seq: change, seq, waits }) =>
      `change ${change} of ${table} ${id} is neither acknowledged (${seq}) nor waiting (${waits}) for ${remote}`,
  );
}

function linked(db: Db, remote: string, table: string): Sent[] {
  return db
    .prepare<[string, string], { record_id: string; remote_id: string }>(
      `SELECT record_id, remote_id FROM links
       WHERE remote = ? AND table_name = ? AND remote_id IS NOT NULL AND acknowledged_seq > 0`,
    )
    .all(remote, table)
    .map(({ record_id: recordId, remote_id: id }) => ({ remote, table, recordId, id }));
}

/** A record that nothing waits for is what was agreed on with each remote: all of a pull was applied, or none of it. */
function halfApplied(db: Db): string[] {
  const problems: string[] = [];
  for (const table of ['decision_vault', 'memories']) {
    const rows = db
      .prepare<[], Record<string, unknown> & { id: string; remote: string; base_json: string }>(
        `SELECT r.*, l.remote, l.base_json FROM ${table} AS r
         JOIN links AS l ON l.table_name = '${table}' AND l.record_id = r.id AND l.base_json IS NOT NULL
         LEFT JOIN outbox AS o ON o.remote = l.remote AND o.table_name = '${table}' AND o.record_id = r.id
         WHERE o.record_id IS NULL AND l.acknowledged_seq >= r.change_seq`,
      )
      .all();
    for (const row of rows) {
      const base = JSON.parse(row.base_json) as Record<string, unknown>;
      for (const field of ['title', table === 'memories' ? 'content' : 'decision', 'category']) {
        const column = String(row[field] ?? '');
        const agreed = base[field] === undefined ? null : String(base[field] ?? '');
        if (agreed !== null && agreed !== column && !agreed.includes('[REDACTED:'))
          problems.push(`${field} of ${table} ${row.id} is "${column}", agreed with ${row.remote} is "${agreed}"`);
      }
    }
  }
  return problems;
}

function count(db: Db, sql: string): number {
  return db.prepare<[], { count: number }>(sql).get()?.count ?? 0;
}
