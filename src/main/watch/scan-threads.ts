import { MessageChannel, Worker } from 'node:worker_threads';
import { AppError } from '../../shared/errors.ts';
import { workerUrl } from '../worker-url.ts';
import type { IgnoreOptions } from './ignore-rules.ts';
import type { ScanEnd, ScanFindings, ScanRequest } from './scan.ts';
import { createShareState, type ScanShareData } from './scan-share.ts';

export type ScanJob = {
  readonly dataFolder: string;
  readonly request: ScanRequest;
  readonly ignore: IgnoreOptions;
};
export type ScanWorkerData = ScanJob & { readonly share: ScanShareData | null };
export type ScanMessage =
  | { readonly kind: 'findings'; readonly findings: ScanFindings }
  | { readonly kind: 'end'; readonly end: ScanEnd };

export type ScanThreadsOptions = {
  readonly threads: 1 | 2;
  readonly report: (findings: ScanFindings) => void;
  readonly signal: AbortSignal;
  /** Called once before anything is listed, while the threads start. */
  readonly beforeListing?: (() => void) | undefined;
};

/**
 * Lists a tree in threads of their own: synchronous stats are five to fifteen times faster than asynchronous ones, and
 * they must not stop the agent. Rejects with `interrupted` after `signal`, and with what a thread or a listener threw;
 * then no thread goes on.
 */
export async function scanInThreads(job: ScanJob, options: ScanThreadsOptions): Promise<ScanEnd> {
  const workers = Array.from({ length: options.threads }, () => new Worker(workerUrl('scan-worker')));
  const ends = workers.map((worker) => follow(worker, options));
  try {
    options.beforeListing?.();
    send(workers, job);
    return (await Promise.all(ends)).reduce(together);
  } catch (cause) {
    // One that waits for the other would wait for ever.
    for (const worker of workers) void worker.terminate();
    await Promise.allSettled(ends);
    throw cause;
  }
}

function send(workers: readonly Worker[], job: ScanJob): void {
  const [first, second] = workers;
  if (second === undefined) {
    first?.postMessage({ ...job, share: null } satisfies ScanWorkerData);
    return;
  }
  const state = createShareState();
  const { port1, port2 } = new MessageChannel();
  first?.postMessage({ ...job, share: { state, port: port1, me: 0 } } satisfies ScanWorkerData, [port1]);
  second.postMessage({ ...job, share: { state, port: port2, me: 1 } } satisfies ScanWorkerData, [port2]);
}

function follow(worker: Worker, { report, signal }: ScanThreadsOptions): Promise<ScanEnd> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new AppError('interrupted', 'The scan was stopped.'));
      void worker.terminate();
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    worker.on('message', (message: ScanMessage) => {
      if (message.kind === 'end') {
        resolve(message.end);
        return;
      }
      try {
        report(message.findings);
      } catch (cause) {
        reject(cause);
        void worker.terminate();
      }
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('the scan worker ended early'));
    });
  });
}

function together(a: ScanEnd, b: ScanEnd): ScanEnd {
  return {
    folders: a.folders + b.folders,
    unreadable: [...a.unreadable, ...b.unreadable],
    durationMs: Math.max(a.durationMs, b.durationMs),
  };
}
