/**
 * Sends lines of the log and recorded runs to where devices meet, for whoever looks after several of them. Beside sync
 * and never in its way: a little at a time, once a minute at most, and in silence. What cannot be sent waits in the
 * vault, as long as the vault keeps it.
 */
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import type { LogLevel, LogRecord } from '../../shared/model.ts';
import type { StoredRun } from '../store/runs.ts';
import { backoffMs } from './backoff.ts';
import { withDeadline } from './deadline.ts';
import type { Redaction, SyncLogger } from './parts.ts';

export type SentLog = { readonly table: 'system_logs' } & LogRecord;
export type SentRun = {
  readonly table: 'run_artifacts';
  readonly id: string;
  readonly kind: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly outcome: string | null;
  readonly data: Readonly<Record<string, unknown>>;
};
/** Takes them durably; safe to repeat. Errors are AppErrors. */
export type LogService = {
  readonly pushLogs: (rows: readonly (SentLog | SentRun)[], signal: AbortSignal) => Promise<void>;
};

export type LogSenderParts = {
  /** Null while there is nowhere to send to, or that place has trouble, or sending rests. */
  readonly service: () => LogService | null;
  /** The least level that is sent; `off` sends neither lines nor runs. */
  readonly level: () => LogLevel | 'off';
  /** Lines after this number, oldest first. */
  readonly logs: (afterSeq: number, level: LogLevel, limit: number) => readonly LogRecord[];
  readonly newestLogSeq: () => number;
  /** Runs after this number, oldest first. */
  readonly runs: (afterSeq: number, limit: number) => readonly (StoredRun & { readonly changeSeq: number })[];
  readonly redact: (text: string) => Redaction;
  readonly memory: { readonly get: () => string | null; readonly set: (value: string) => void };
  readonly log: SyncLogger;
  readonly random: () => number;
  readonly monotonicMs: () => number;
};

export type LogSender = {
  readonly start: () => void;
  /** Sends what there is, once; never rejects. */
  readonly send: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export const LOGS_EVERY_MS = 60_000;
const LIMIT_MS = 30_000;
const BATCH = 500;
/** Of one turn; the rest follows a minute later. */
const MOST_BATCHES = 10;
/** Older lines than these are not caught up with: whoever wants them has them in the vault. */
export const MOST_BEHIND = 20_000;

const stored = z.object({ logSeq: z.number(), runSeq: z.number() });
type Place = z.infer<typeof stored>;

export function createLogSender(parts: LogSenderParts): LogSender {
  let timer: NodeJS.Timeout | null = null;
  let failures = 0;
  let restUntilMs = 0;
  let turn: Promise<void> | null = null;
  const stopping = new AbortController();

  const readPlace = (): Place => {
    const parsed = stored.safeParse(JSON.parse(parts.memory.get() ?? 'null'));
    const { logSeq, runSeq } = parsed.success ? parsed.data : { logSeq: 0, runSeq: 0 };
    return { logSeq: Math.max(logSeq, parts.newestLogSeq() - MOST_BEHIND), runSeq };
  };
  const sendBatch = async (service: LogService, level: LogLevel, place: Place): Promise<Place | null> => {
    const logs = parts.logs(place.logSeq, level, BATCH);
    const runs = parts.runs(place.runSeq, BATCH);
    if (logs.length + runs.length === 0) return null;
    const rows = [
      ...logs.map((line) => redactedLog(parts.redact, line)),
      ...runs.map((run) => toSent(parts.redact, run)),
    ];
    await withDeadline(LIMIT_MS, stopping.signal, (signal) => service.pushLogs(rows, signal));
    const next = {
      logSeq: logs.at(-1)?.seq ?? place.logSeq,
      runSeq: runs.at(-1)?.changeSeq ?? place.runSeq,
    };
    parts.memory.set(JSON.stringify(next));
    return next;
  };
  const sendAll = async (): Promise<void> => {
    const service = parts.service();
    const level = parts.level();
    if (service === null || level === 'off' || restUntilMs > parts.monotonicMs()) return;
    try {
      let place: Place | null = readPlace();
      for (let batch = 0; place !== null && batch < MOST_BATCHES; batch += 1)
        place = await sendBatch(service, level, place);
      failures = 0;
    } catch (cause) {
      if (stopping.signal.aborted) return;
      failures += 1;
      restUntilMs = parts.monotonicMs() + Math.max(LOGS_EVERY_MS, backoffMs(failures, parts.random));
      // Said once: each line about it would be one more to send.
      if (failures === 1 || !(cause instanceof AppError))
        parts.log.warn('Lines of the log could not be sent; they are tried again.', { error: cause });
    }
  };
  const send = (): Promise<void> => {
    turn ??= sendAll().finally(() => {
      turn = null;
    });
    return turn;
  };
  return {
    start: () => {
      timer ??= setInterval(() => void send(), LOGS_EVERY_MS);
      timer.unref();
    },
    send,
    stop: async () => {
      if (timer !== null) clearInterval(timer);
      timer = null;
      stopping.abort(new AppError('remote.unavailable', 'The agent is stopping.'));
      await turn;
    },
  };
}

/** Lines were redacted when they were written; a secret that was not known then is found now. */
function redactedLog(redact: LogSenderParts['redact'], line: LogRecord): SentLog {
  return {
    table: 'system_logs',
    ...line,
    message: redact(line.message).text,
    data: redactedData(redact, line.data),
  };
}

function toSent(redact: LogSenderParts['redact'], run: StoredRun): SentRun {
  return {
    table: 'run_artifacts',
    id: run.id,
    kind: run.kind,
    startedAtMs: run.startedMs,
    finishedAtMs: run.finishedMs,
    outcome: run.outcome,
    data: redactedData(redact, run.data),
  };
}

type Data = Readonly<Record<string, unknown>>;
const redactedData = (redact: LogSenderParts['redact'], data: Data): Data => redactedValue(redact, data) as Data;

function redactedValue(redact: LogSenderParts['redact'], value: unknown): unknown {
  if (typeof value === 'string') return redact(value).text;
  if (Array.isArray(value)) return value.map((one) => redactedValue(redact, one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [redact(key).text, redactedValue(redact, one)]));
}
