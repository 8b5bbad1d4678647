import { startTask } from '../../task.ts';
import { VAULT_FILE } from '../database.ts';
import type { FromIndexWorker, IndexWorkerData, ToIndexWorker } from './index-worker.ts';

export type WorkerOutcome = { readonly failure: { readonly message: string; readonly damaged: boolean } | null };

export type WorkerHandle = {
  /** There may be more to do. */
  readonly wake: () => void;
  /** Ends it after the step it is in; safe to repeat. */
  readonly stop: () => Promise<void>;
};

export type WorkerListeners = {
  readonly onProgress: () => void;
  readonly onProblem: (message: string) => void;
  /** Called once, when the task is gone and its connections are closed. */
  readonly onEnd: (outcome: WorkerOutcome) => void;
};

/** A step takes a fraction of a second; one that takes longer than this hangs. */
const LONGEST_STEP_MS = 10_000;

export function startIndexWorker(dataFolder: string, idleMs: number, listeners: WorkerListeners): WorkerHandle {
  const data: IndexWorkerData = { dataFolder, vaultFile: VAULT_FILE, idleMs };
  const task = startTask('index-worker', { data, maxHeapMb: 96 });
  let failure: WorkerOutcome['failure'] = null;
  task.onMessage((received) => {
    const message = received as FromIndexWorker;
    if (message.type === 'progress') listeners.onProgress();
    else if (message.type === 'problem') listeners.onProblem(message.message);
    else failure = { message: message.message, damaged: message.damaged };
  });
  const ended = new Promise<void>((resolve) => {
    task.onEnd((cause) => {
      resolve();
      listeners.onEnd({ failure: failure ?? (cause === null ? null : { message: cause.message, damaged: false }) });
    });
  });
  return {
    wake: () => task.send('wake' satisfies ToIndexWorker),
    stop: async () => {
      task.send('stop' satisfies ToIndexWorker);
      const timer = setTimeout(task.kill, LONGEST_STEP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
