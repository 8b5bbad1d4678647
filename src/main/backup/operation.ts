/** What runs now, as faces see it: one operation with its progress, told at most four times a second. */
import type { BackupProgressView } from '../../shared/contract-backup.ts';

export type Operation = BackupProgressView['operation'];

export type Step = {
  readonly phase: string;
  readonly doneItems: number;
  readonly totalItems: number;
  readonly doneBytes?: number;
  readonly totalBytes?: number;
};

export type Operations = {
  readonly current: () => BackupProgressView | null;
  /** Runs work as the operation that is shown; what it reports replaces what was there. */
  readonly show: <T>(operation: Operation, work: (report: (step: Step) => void) => Promise<T>) => Promise<T>;
};

const TELL_EVERY_MS = 250;
/** An estimate is honest after so long, and so much. */
const HONEST_MS = 5_000;
const HONEST_SHARE = 0.05;

export function createOperations(parts: {
  readonly monotonicMs: () => number;
  readonly onProgress: (progress: BackupProgressView) => void;
  readonly onState: () => void;
}): Operations {
  /** The one that began last is shown; a push beside a backup does not hide it for good. */
  const running: { view: BackupProgressView }[] = [];
  let toldMs = 0;
  return {
    current: () => running.at(-1)?.view ?? null,
    show: async (operation, work) => {
      const startedMs = parts.monotonicMs();
      const mine = { view: viewOf(operation, { phase: 'starting', doneItems: 0, totalItems: 0 }, 0) };
      running.push(mine);
      parts.onState();
      try {
        return await work((step) => {
          const nowMs = parts.monotonicMs();
          mine.view = viewOf(operation, step, nowMs - startedMs);
          if (nowMs - toldMs < TELL_EVERY_MS) return;
          toldMs = nowMs;
          parts.onProgress(mine.view);
        });
      } finally {
        running.splice(running.indexOf(mine), 1);
        parts.onState();
      }
    },
  };
}

function viewOf(operation: Operation, step: Step, passedMs: number): BackupProgressView {
  const share = step.totalItems > 0 ? step.doneItems / step.totalItems : 0;
  const isHonest = passedMs >= HONEST_MS && share >= HONEST_SHARE;
  return {
    operation,
    phase: step.phase,
    doneItems: step.doneItems,
    totalItems: Math.max(step.totalItems, step.doneItems),
    doneBytes: step.doneBytes ?? 0,
    totalBytes: step.totalBytes ?? 0,
    etaMs: isHonest ? (passedMs / share) * (1 - share) : null,
  };
}
