import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import { type Db, openStore, type Store, VAULT_FILE } from './database.ts';
import { readJournal } from './journal-lines.ts';
import { readMigrations } from './migrate.ts';
import { type Carved, carve, UUID } from './recover-carve.ts';
import { judgeLog } from './recover-inspect.ts';
import { bringBackRecords } from './recover-journal.ts';
import { mendRelations } from './recover-mend.ts';
import { makeReport, type RecoveryReport, type ReportContext } from './recover-report.ts';
import { readShapes, type Shape } from './salvage-shapes.ts';
import { openSource } from './salvage-source.ts';

/**
 * Change numbers of the new vault begin this far above every one that could be read, because the newest ones
 * may be among what could not: remotes must never hear of two changes under one number.
 */
export const CHANGE_GAP = 1_000_000;
/** A stamp further ahead than this is damage, not a wrong clock. */
const FURTHEST_STAMP_MS = 10 * 366 * 86_400_000;

export type Build = { readonly file: string; readonly report: RecoveryReport };

/**
 * Makes a new vault, in a folder below `context.movedTo`, of the damaged files there and of the journal and the
 * objects in the data folder. Touches nothing else. What an interrupted build left there is thrown away.
 */
export function buildVault(dataFolder: string, context: ReportContext): Build {
  const folder = join(context.movedTo, 'rebuild');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  const store = openStore({ dataFolder: folder, nowMs: () => context.whenMs });
  try {
    const report = fill(store, dataFolder, context);
    store.db.pragma('journal_mode = WAL');
    return { file: join(folder, VAULT_FILE), report };
  } finally {
    store.close();
  }
}

function fill(store: Store, dataFolder: string, context: ReportContext): RecoveryReport {
  const { db } = store;
  // Nothing here has to survive a crash: the build is then begun again.
  db.pragma('journal_mode = MEMORY');
  db.pragma('synchronous = OFF');
  db.pragma('foreign_keys = OFF');
  const carved = salvage(db, context.movedTo, readShapes(readMigrations(join(packageRoot(), 'migrations', 'local'))));
  store.write(() => {
    mendRelations(db, dataFolder, context.whenMs);
    restoreDevice(db);
  });
  const journal = readJournal(dataFolder);
  const isMissingCommits = journal.entries.some(({ record }) => (record?.changeSeq ?? 0) > carved.counters.change);
  bringBackRecords(store, journal);
  store.write(() => raiseCounters(db, carved, context.whenMs));
  return makeReport(
    db,
    { ...carved, isWhole: carved.isWhole && !isMissingCommits, damagedLines: journal.damaged },
    context,
  );
}

function salvage(db: Db, folder: string, shapes: readonly Shape[]): Carved {
  const file = join(folder, VAULT_FILE);
  const whole = openSource(file, `${file}-wal`, true);
  try {
    const verdict = judgeLog(whole, shapes);
    const isLogWhole = verdict === null && (whole.log?.problem ?? null) === null;
    if (verdict?.isForeign !== true) return carve(whole, db, shapes, isLogWhole ? 'newest' : 'all');
  } finally {
    whole.close();
  }
  const alone = openSource(file, `${file}-wal`, false);
  try {
    // Commits of the vault's own log are not there, however whole the file is.
    return { ...carve(alone, db, shapes, 'newest'), isWhole: false };
  } finally {
    alone.close();
  }
}

/** The vault stays the same device: its rows carry the id, and the remotes know it. */
function restoreDevice(db: Db): void {
  const salvaged = db.prepare<[], { device_id: string }>('SELECT device_id FROM salvaged_device').get();
  const inRows = db
    .prepare<[], { device_id: string }>(
      'SELECT device_id FROM file_snapshots GROUP BY device_id ORDER BY count(*) DESC LIMIT 1',
    )
    .get();
  const deviceId = [salvaged, inRows].find((row) => row !== undefined && UUID.test(row.device_id))?.device_id;
  if (deviceId !== undefined) db.prepare("UPDATE meta SET value = ? WHERE key = 'device_id'").run(deviceId);
}

function raiseCounters(db: Db, { counters }: Carved, nowMs: number): void {
  const highest = db
    .prepare<[], { change: number; clock: number }>(
      `SELECT max(
         (SELECT value FROM counters WHERE name = 'change'),
         (SELECT coalesce(max(change_seq), 0) FROM files),
         (SELECT coalesce(max(change_seq), 0) FROM file_snapshots),
         (SELECT coalesce(max(change_seq), 0) FROM activities),
         (SELECT coalesce(max(change_seq), 0) FROM decision_vault),
         (SELECT coalesce(max(change_seq), 0) FROM memories),
         (SELECT coalesce(max(change_seq), 0) FROM record_history),
         (SELECT coalesce(max(change_seq), 0) FROM outbox),
         (SELECT coalesce(max(acknowledged_seq), 0) FROM links),
         (SELECT coalesce(max(change_seq), 0) FROM conflicts),
         (SELECT coalesce(max(change_seq), 0) FROM run_artifacts)) AS change,
       max((SELECT coalesce(max(clock), 0) FROM file_snapshots), (SELECT coalesce(max(clock), 0) FROM record_history)) AS clock`,
    )
    .get() ?? { change: 0, clock: 0 };
  const furthest = (nowMs + FURTHEST_STAMP_MS) * 1_024;
  const clocks = [counters.clock, highest.clock].filter((stamp) => stamp <= furthest);
  const save = db.prepare<[number, string]>('UPDATE counters SET value = ? WHERE name = ?');
  save.run(Math.max(counters.change, highest.change) + CHANGE_GAP, 'change');
  save.run(Math.max(nowMs * 1_024, ...clocks), 'clock');
}
