import { z } from 'zod';
import { displayPath } from '../../shared/display.ts';
import type { Db } from './database.ts';
import type { Carved } from './recover-carve.ts';

const lostSnapshot = z.object({
  path: z.string(),
  /** Null when only the path is known. */
  capturedAtMs: z.number().nullable(),
  why: z.string(),
});
type LostSnapshot = z.infer<typeof lostSnapshot>;

/** The exact statement of what a recovery found and what it could not. */
export const recoveryReport = z.object({
  whenMs: z.number(),
  /** The folder with the damaged files; they are kept until a person deletes them. */
  movedTo: z.string(),
  reason: z.string(),
  /** Rows in the new vault. `lost` is 0 when every row is accounted for; what is known of an `unknown` loss is listed. */
  tables: z.array(
    z.object({ name: z.string(), recovered: z.number(), lost: z.union([z.number(), z.literal('unknown')]) }),
  ),
  /** Versions of files that cannot be read any more. */
  lostSnapshots: z.array(lostSnapshot),
  /** Ids of decisions and memories that are known to have existed and could not be brought back. */
  lostRecords: z.array(z.string()),
  /** Rows that were kept although a text in them has damaged characters. */
  suspectRows: z.number(),
  unreadablePages: z.number(),
  /** Lines of the journal of decisions and memories that do not match their checksum. */
  damagedJournalLines: z.number(),
  currentFilesSafe: z.string(),
  /** All of it, for people. */
  text: z.string(),
});
export type RecoveryReport = z.infer<typeof recoveryReport>;

const CURRENT_FILES =
  'The files in your watched folders are not touched by this. Each is read again at this start, so the present ' +
  'state of every file is in the vault as soon as the first scan is done.';

export type ReportContext = { readonly whenMs: number; readonly movedTo: string; readonly reason: string };

/** Reads the statement out of the new vault; call it after everything was brought back. */
export function makeReport(
  db: Db,
  carved: Carved & { readonly damagedLines: number },
  context: ReportContext,
): RecoveryReport {
  const lostSnapshots = listLostSnapshots(db);
  const lostRecords = listLostRecords(db);
  const isAccounted = carved.isWhole && carved.unreadablePages === 0 && carved.brokenRows === 0;
  const tables = TABLES.map((name) => {
    const recovered = db.prepare<[], { count: number }>(`SELECT count(*) AS count FROM ${name}`).get()?.count ?? 0;
    return { name, recovered, lost: isAccounted ? 0 : ('unknown' as const) };
  });
  const report = {
    ...context,
    tables,
    lostSnapshots,
    lostRecords,
    suspectRows: carved.suspectRows,
    unreadablePages: carved.unreadablePages,
    damagedJournalLines: carved.damagedLines,
    currentFilesSafe: CURRENT_FILES,
  };
  return { ...report, text: describe(report) };
}

const TABLES = [
  'decision_vault',
  'memories',
  'record_history',
  'roots',
  'files',
  'file_snapshots',
  'contents',
  'activities',
  'outbox',
  'links',
  'remotes',
  'remote_state',
  'conflicts',
  'system_logs',
  'run_artifacts',
] as const;

const WHY_CONTENT = 'its content could not be read';
const WHY_RETURNS = 'its content could not be read; it comes back when the file on the disk is still the same';
const WHY_ROW = 'its entry could not be read';

function listLostSnapshots(db: Db): LostSnapshot[] {
  return db
    .prepare<[], LostSnapshot>(
      `SELECT s.path, s.captured_at_ms AS capturedAtMs, iif(f.id IS NULL, '${WHY_CONTENT}', '${WHY_RETURNS}') AS why
       FROM file_snapshots AS s LEFT JOIN files AS f ON f.snapshot_id = s.id AND f.state = 'present'
       WHERE s.sha256 IS NOT NULL AND s.sha256 NOT IN (SELECT sha256 FROM contents)
       UNION ALL
       SELECT a.path, a.occurred_at_ms, '${WHY_ROW}' FROM activities AS a
       WHERE a.snapshot_id IS NOT NULL AND a.path IS NOT NULL AND a.snapshot_id NOT IN (SELECT id FROM file_snapshots)
       UNION ALL
       SELECT p.path, NULL, '${WHY_ROW}' FROM seen_paths AS p
       WHERE p.change_seq NOT IN (SELECT change_seq FROM file_snapshots)
         AND NOT EXISTS (SELECT 1 FROM activities AS a WHERE a.change_seq = p.change_seq + 1 AND a.path = p.path)
       ORDER BY 1, 2`,
    )
    .all();
}

function listLostRecords(db: Db): string[] {
  const rows = db.prepare<[], { id: string }>(
    `SELECT DISTINCT id FROM (
       SELECT table_name, record_id AS id FROM record_history
       UNION SELECT table_name, record_id FROM links
       UNION SELECT table_name, record_id FROM outbox
       UNION SELECT record_table, record_id FROM activities WHERE record_id IS NOT NULL)
     WHERE table_name IN ('decision_vault', 'memories')
       AND id NOT IN (SELECT id FROM decision_vault) AND id NOT IN (SELECT id FROM memories)
     ORDER BY id`,
  );
  const known = db
    .prepare<[], { id: string }>('SELECT id FROM decision_vault UNION SELECT id FROM memories')
    .all()
    .map((row) => row.id);
  // An id with one wrong character was never an id: the row that tells of it is damaged, and its record is there.
  return rows
    .all()
    .map((row) => row.id)
    .filter((id) => !known.some((other) => isOneCharacterOff(id, other)));
}

function isOneCharacterOff(id: string, other: string): boolean {
  if (id.length !== other.length) return false;
  let differences = 0;
  for (let index = 0; index < id.length && differences < 2; index += 1) {
    if (id[index] !== other[index]) differences += 1;
  }
  return differences === 1;
}

function describe(report: Omit<RecoveryReport, 'text'>): string {
  const { lostSnapshots, lostRecords, tables, suspectRows, damagedJournalLines } = report;
  const lines = [
    `The vault was found damaged on ${new Date(report.whenMs).toISOString()}: ${report.reason}.`,
    `The damaged files are kept unchanged in ${displayPath(report.movedTo)}.`,
    'A new vault was made of everything that could be read:',
    '',
    ...tables.map(({ name, recovered }) => `  ${name.padEnd(16)} ${recovered} ${recovered === 1 ? 'row' : 'rows'}`),
    '',
    describeUnknown(report),
  ];
  if (suspectRows > 0)
    lines.push(`${suspectRows} rows were found with damaged characters; what else is left of them was kept.`);
  if (damagedJournalLines > 0)
    lines.push(`${damagedJournalLines} lines of the journal of decisions and memories could not be read.`);
  lines.push('', describeRecords(lostRecords), '', describeSnapshots(lostSnapshots));
  lines.push(...lostSnapshots.map(describeLost), '', report.currentFilesSafe);
  return `${lines.join('\n')}\n`;
}

function describeUnknown({ tables, unreadablePages }: Omit<RecoveryReport, 'text'>): string {
  if (tables.every((table) => table.lost === 0)) return 'Every row that was in the damaged files could be read.';
  const pages = unreadablePages === 0 ? '' : ` (${unreadablePages} pages of the file)`;
  return `Some parts could not be read${pages}. What is known to have been in them is listed below; there may have been more.`;
}

function describeRecords(ids: readonly string[]): string {
  if (ids.length === 0) return 'No decision and no memory is known to be lost.';
  return `Decisions and memories that could not be brought back: ${ids.length}\n${ids.map((id) => `  ${id}`).join('\n')}`;
}

function describeSnapshots(lost: readonly LostSnapshot[]): string {
  if (lost.length === 0) return 'No version of a file is known to be lost.';
  return `Versions of files that cannot be read any more: ${lost.length}`;
}

function describeLost({ path, capturedAtMs, why }: LostSnapshot): string {
  const when = capturedAtMs === null ? 'time unknown' : new Date(capturedAtMs).toISOString();
  return `  ${displayPath(path)} (${when}): ${why}`;
}
