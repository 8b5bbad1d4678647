/** What is told of sync besides the records: recorded runs, lines of the log for Supabase, summaries in Notion. */
import type { SyncPlan } from '../../shared/contract-sync.ts';
import type { LogLevel } from '../../shared/model.ts';
import { uuidv7 } from '../store/ids.ts';
import { createLogSender, type LogService } from './log-sender.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import { createSummaries, type NoteService } from './summaries.ts';

export type ReportSettings = {
  readonly logLevel: LogLevel | 'off';
  readonly runPages: boolean;
  readonly dayPages: boolean;
  readonly timeZone: string;
};

export type Reporting = {
  readonly start: () => void;
  /** A run that somebody started has ended: it is recorded, and told where that is asked for. */
  readonly ran: (plans: readonly SyncPlan[], startedAtMs: number) => void;
  readonly tidy: (beforeMs: number) => void;
  readonly stop: () => Promise<void>;
};

export type ReportingParts = {
  readonly stores: SyncStores;
  readonly shell: SyncShell;
  readonly settings: () => ReportSettings;
  readonly device: string;
  readonly monotonicMs: () => number;
  /** Null while nothing can or may be sent there. */
  readonly logs: () => LogService | null;
  readonly notes: () => NoteService | null;
};

const RUN_KIND = 'sync';

export function createReporting({ stores, shell, ...parts }: ReportingParts): Reporting {
  const { meta, activities, runs, logs, outbox } = stores;
  const memory = (key: string) => ({ get: () => meta.get(key), set: (value: string) => meta.set(key, value) });
  const sender = createLogSender({
    service: parts.logs,
    level: () => parts.settings().logLevel,
    logs: (afterSeq, level, limit) => logs.list({ afterSeq, level, limit }),
    newestLogSeq: logs.newestSeq,
    runs: runs.after,
    redact: shell.redact,
    memory: memory('sync.logs'),
    log: shell.log,
    random: shell.random,
    monotonicMs: parts.monotonicMs,
  });
  const summaries = createSummaries({
    service: parts.notes,
    settings: () => {
      const { runPages, dayPages, timeZone } = parts.settings();
      return { runs: runPages, days: dayPages, timeZone };
    },
    device: parts.device,
    nowMs: shell.nowMs,
    countSince: activities.countSince,
    eventsSince: (afterSeq, kinds, limit) =>
      activities.list({ kinds: [...kinds], limit }).activities.filter((one) => one.changeSeq > afterSeq),
    newestSeq: activities.newestSeq,
    waiting: () =>
      outbox
        .summary()
        .filter(({ configured }) => configured)
        .map(({ remote, pending, leased }) => ({ remote, count: pending + leased })),
    openConflicts: stores.conflicts.countOpen,
    redact: shell.redact,
    memory: memory('sync.summaries'),
    log: shell.log,
  });
  return {
    start: () => {
      sender.start();
      summaries.start();
    },
    ran: (plans, startedAtMs) => {
      try {
        record(startedAtMs, plans);
        summaries.ran(plans, startedAtMs);
      } catch (cause) {
        // A full disk, say: what was synced is synced.
        shell.log.warn('A run of sync could not be recorded.', { error: cause });
      }
      void summaries.write(true);
      void sender.send();
    },
    tidy: (beforeMs) => void runs.prune(RUN_KIND, beforeMs),
    stop: async () => {
      await Promise.all([sender.stop(), summaries.stop()]);
    },
  };

  function record(startedAtMs: number, plans: readonly SyncPlan[]): void {
    if (plans.length === 0) return;
    const finishedMs = shell.nowMs();
    runs.add({
      id: uuidv7(finishedMs),
      kind: RUN_KIND,
      startedMs: startedAtMs,
      finishedMs,
      outcome: plans.every(({ problem }) => problem === null) ? 'ok' : 'failed',
      data: {
        remotes: plans.map(({ remote, tables, problem, hold }) => ({
          remote,
          tables,
          problem: problem === null ? null : { code: problem.code, message: problem.message },
          held: hold?.kind ?? null,
        })),
      },
    });
  }
}
