import { causeOf } from './answer-error.ts';
import { type BatchSize, createBatchSize, cutBatches } from './batch-size.ts';
import type { SupabaseConnection } from './client.ts';
import { encodeJson } from './wire-text.ts';
import { timeToWire } from './wire-time.ts';

/** A line of the log, redacted already. */
export type OutgoingLog = {
  readonly table: 'system_logs';
  readonly seq: number;
  readonly timeMs: number;
  readonly level: string;
  readonly component: string;
  readonly message: string;
  readonly runId: string | null;
  readonly durationMs: number | null;
  readonly data: Readonly<Record<string, unknown>>;
};

/** A recorded execution; sent again when it has ended. */
export type OutgoingRun = {
  readonly table: 'run_artifacts';
  readonly id: string;
  readonly kind: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly outcome: string | null;
  readonly data: Readonly<Record<string, unknown>>;
};

export type Logs = {
  /** Sends lines and runs. Safe to repeat: each is known by device and number, or by its id. Throws as a call does. */
  readonly pushLogs: (rows: readonly (OutgoingLog | OutgoingRun)[], signal: AbortSignal) => Promise<void>;
};

const KEYS = { system_logs: 'device_id,time,seq', run_artifacts: 'id' } as const;

export function createSupabaseLogs(parts: {
  readonly connection: SupabaseConnection;
  readonly deviceId: string;
}): Logs {
  const size = createBatchSize(500);
  return {
    pushLogs: async (rows, signal) => {
      for (const table of ['system_logs', 'run_artifacts'] as const) {
        const wire = rows.filter((row) => row.table === table).map((row) => toWire(row, parts.deviceId));
        await upsertAll(parts.connection, table, wire, size, signal);
      }
    },
  };
}

async function upsertAll(
  connection: SupabaseConnection,
  table: keyof typeof KEYS,
  rows: readonly object[],
  size: BatchSize,
  signal: AbortSignal,
): Promise<void> {
  const sizeOf = (row: object): number => JSON.stringify(row).length;
  const queue = cutBatches(rows, sizeOf, { rows: size.rows(), bytes: size.maxBytes() });
  for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
    const values = batch;
    try {
      // A line never changes; a run does.
      const options = { onConflict: KEYS[table], ignoreDuplicates: table === 'system_logs' };
      await connection.table(table, (query) => query.upsert(values, options), signal);
      size.succeeded(batch.length);
    } catch (error) {
      if (causeOf(error)?.code !== '57014' || batch.length === 1) throw error;
      size.tooMuch(batch.length);
      const middle = Math.ceil(batch.length / 2);
      queue.unshift(batch.slice(0, middle), batch.slice(middle));
    }
  }
}

function toWire(row: OutgoingLog | OutgoingRun, deviceId: string): object {
  if (row.table === 'run_artifacts') {
    const { id, kind, startedAtMs, finishedAtMs, outcome, data } = row;
    const ended = finishedAtMs === null ? null : timeToWire(finishedAtMs);
    return encodeJson({
      id,
      device_id: deviceId,
      kind,
      started_at: timeToWire(startedAtMs),
      finished_at: ended,
      outcome,
      data,
    }) as object;
  }
  const { seq, timeMs, level, component, message, runId, durationMs, data } = row;
  const line = {
    seq,
    time: timeToWire(timeMs),
    level,
    component,
    message,
    run_id: runId,
    duration_ms: durationMs,
    data,
  };
  return encodeJson({ ...line, device_id: deviceId }) as object;
}
