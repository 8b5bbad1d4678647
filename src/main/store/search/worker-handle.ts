import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../worker-url.ts';
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
  /** Called once, when the thread is gone and its connections are closed. */
  readonly onEnd: (outcome: WorkerOutcome) => void;
};

/** A step takes a fraction of a second; one that takes longer than this hangs. */
const LONGEST_STEP_MS = 10_000;

export function startIndexWorker(dataFolder: string, idleMs: number, listeners: WorkerListeners): WorkerHandle {
  const data: IndexWorkerData = { dataFolder, vaultFile: VAULT_FILE, idleMs };
  const worker = new Worker(workerUrl('index-worker'), {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 },
  });
  let failure: WorkerOutcome['failure'] = null;
  worker.on('message', (message: FromIndexWorker) => {
    if (message.type === 'progress') listeners.onProgress();
    else if (message.type === 'problem') listeners.onProblem(message.message);
    else failure = { message: message.message, damaged: message.damaged };
  });
  worker.on('error', (error) => {
    failure = { message: error instanceof Error ? error.message : String(error), damaged: false };
  });
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      resolve();
      listeners.onEnd({ failure });
    });
  });
  const send = (message: ToIndexWorker): void => worker.postMessage(message);
  return {
    wake: () => send('wake'),
    stop: async () => {
      send('stop');
      const timer = setTimeout(() => void worker.terminate(), LONGEST_STEP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
