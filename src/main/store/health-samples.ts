/** What is remembered of how the agent was doing, minute by minute, and of its backups: bounded, for charts. */
import type { Store } from './database.ts';

/** A minute of the agent, or less when it was stopped within it. */
export type HealthSample = {
  /** The end of it. */
  readonly atMs: number;
  /** How long it was, by the clock that stands still while the machine sleeps. */
  readonly spanMs: number;
  /** CPU time that the process used in it, all of its threads together. */
  readonly cpuMs: number;
  /** What the process held of the machine's memory at its end. */
  readonly memoryBytes: number;
  /** Changes that waited at its end: to be captured, or to be sent. */
  readonly queued: number;
  /** Records that remotes acknowledged in it, and how long these had waited. */
  readonly sent: number;
  readonly latencySumMs: number;
  readonly latencyMaxMs: number;
};

export type BackupSample = {
  readonly atMs: number;
  readonly durationMs: number;
  readonly writtenBytes: number;
  readonly repositoryBytes: number;
  readonly files: number;
};

/** Several samples as one point of a chart. */
export type HealthPoint = {
  /** The beginning of its bucket. */
  readonly atMs: number;
  /** CPU time by wall time: 1 is one core all the time. */
  readonly cpuShare: number;
  /** The most of the bucket. */
  readonly memoryBytes: number;
  readonly queued: number;
  readonly sent: number;
  /** null when nothing was sent in it. */
  readonly latencyMs: number | null;
  readonly latencyMaxMs: number | null;
};

export type HealthSamples = {
  /** Adds samples in one transaction, and drops what is too old. A second one of the same moment replaces the first. */
  readonly add: (samples: readonly HealthSample[]) => void;
  readonly addBackup: (sample: BackupSample) => void;
  /** Oldest first; buckets in which no agent ran are left out. */
  readonly points: (sinceMs: number, bucketMs: number) => readonly HealthPoint[];
  /** Oldest first, the newest `limit` of them. */
  readonly backups: (sinceMs: number, limit: number) => readonly BackupSample[];
};

const DAY_MS = 86_400_000;
export const KEPT_MS = 7 * DAY_MS;
export const BACKUPS_KEPT_MS = 90 * DAY_MS;
/** Backups follow changes, so a busy day has many: the newest of them are enough for a chart. */
const MOST_BACKUPS = 5_000;

type PointRow = {
  at: number;
  cpu: number;
  span: number;
  memory: number;
  queued: number;
  sent: number;
  latency_sum: number;
  latency_max: number;
};
type BackupRow = {
  at_ms: number;
  duration_ms: number;
  written_bytes: number;
  repository_bytes: number;
  files: number;
};

export function createHealthSamples(store: Store): HealthSamples {
  const { db } = store;
  const add = db.prepare(
    `INSERT OR REPLACE INTO health_samples
       (at_ms, span_ms, cpu_ms, memory_bytes, queued, sent, latency_sum_ms, latency_max_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  // Rows of a clock that was ahead go, too: they would stay for as long as it was wrong.
  const prune = db.prepare<[number, number]>('DELETE FROM health_samples WHERE at_ms < ? OR at_ms > ?');
  const addBackup = db.prepare(
    `INSERT OR REPLACE INTO backup_samples (at_ms, duration_ms, written_bytes, repository_bytes, files)
     VALUES (?, ?, ?, ?, ?)`,
  );
  const pruneBackups = db.prepare<[number, number, number]>(
    `DELETE FROM backup_samples WHERE at_ms < ? OR at_ms > ?
       OR at_ms <= (SELECT at_ms FROM backup_samples ORDER BY at_ms DESC LIMIT 1 OFFSET ?)`,
  );
  const points = db.prepare<[{ since: number; bucket: number }], PointRow>(
    // A number that is handed in is a real one, which would divide into fractions.
    `SELECT (at_ms - 1) - (at_ms - 1) % CAST(@bucket AS INTEGER) AS at, sum(cpu_ms) AS cpu, sum(span_ms) AS span,
       max(memory_bytes) AS memory, max(queued) AS queued, sum(sent) AS sent,
       sum(latency_sum_ms) AS latency_sum, max(latency_max_ms) AS latency_max
     FROM health_samples WHERE at_ms > @since GROUP BY at ORDER BY at`,
  );
  const backups = db.prepare<[number, number], BackupRow>(
    'SELECT * FROM backup_samples WHERE at_ms > ? ORDER BY at_ms DESC LIMIT ?',
  );
  return {
    add: (samples) => {
      const nowMs = store.nowMs();
      store.write(() => {
        for (const one of samples)
          add.run(
            one.atMs,
            Math.round(one.spanMs),
            Math.round(one.cpuMs),
            one.memoryBytes,
            one.queued,
            one.sent,
            Math.round(one.latencySumMs),
            Math.round(one.latencyMaxMs),
          );
        prune.run(nowMs - KEPT_MS, nowMs + DAY_MS);
      });
    },
    addBackup: (one) => {
      const nowMs = store.nowMs();
      store.write(() => {
        addBackup.run(one.atMs, Math.round(one.durationMs), one.writtenBytes, one.repositoryBytes, one.files);
        pruneBackups.run(nowMs - BACKUPS_KEPT_MS, nowMs + DAY_MS, MOST_BACKUPS);
      });
    },
    points: (sinceMs, bucketMs) => points.all({ since: sinceMs, bucket: bucketMs }).map(toPoint),
    backups: (sinceMs, limit) =>
      backups
        .all(sinceMs, limit)
        .reverse()
        .map((row) => ({
          atMs: row.at_ms,
          durationMs: row.duration_ms,
          writtenBytes: row.written_bytes,
          repositoryBytes: row.repository_bytes,
          files: row.files,
        })),
  };
}

function toPoint(row: PointRow): HealthPoint {
  return {
    atMs: row.at,
    cpuShare: row.span === 0 ? 0 : row.cpu / row.span,
    memoryBytes: row.memory,
    queued: row.queued,
    sent: row.sent,
    latencyMs: row.sent === 0 ? null : row.latency_sum / row.sent,
    latencyMaxMs: row.sent === 0 ? null : row.latency_max,
  };
}
