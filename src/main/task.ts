/**
 * Long work beside the agent, in a process of its own where that can be had: its memory goes back to the system when
 * it ends, which that of a thread mostly does not (glibc keeps a thread's heap). In Electron, whose programs may not
 * run as plain Node, it is a thread.
 */
import { fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { type WorkerName, workerUrl } from './worker-url.ts';

/** The agent's side. Messages are plain values. */
export type Task = {
  readonly send: (message: unknown) => void;
  readonly onMessage: (listener: (message: unknown) => void) => void;
  /** Called once, with what went wrong or null. */
  readonly onEnd: (listener: (failure: Error | null) => void) => void;
  readonly kill: () => void;
};

export type TaskOptions = { readonly data: unknown; readonly maxHeapMb: number };

const DATA = 'ANGLES_TASK';

export function startTask(name: WorkerName, options: TaskOptions): Task {
  return process.versions.electron === undefined ? startProcess(name, options) : startThread(name, options);
}

function startProcess(name: WorkerName, { data, maxHeapMb }: TaskOptions): Task {
  const child = fork(fileURLToPath(workerUrl(name)), {
    execArgv: ['--max-semi-space-size=2', `--max-old-space-size=${maxHeapMb}`, '--disable-warning=ExperimentalWarning'],
    env: { ...process.env, [DATA]: JSON.stringify(data) },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return {
    send: (message) => {
      if (child.connected) child.send(message as string);
    },
    onMessage: (listener) => void child.on('message', listener),
    onEnd: (listener) => {
      let isOver = false;
      const end = (failure: Error | null): void => {
        if (!isOver) listener(failure);
        isOver = true;
      };
      child.on('error', end);
      child.on('exit', (code, signal) =>
        end(code === 0 ? null : new Error(`the ${name} ended with ${signal ?? code}`)),
      );
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function startThread(name: WorkerName, { data, maxHeapMb }: TaskOptions): Task {
  const worker = new Worker(workerUrl(name), {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: 2 },
  });
  return {
    send: (message) => worker.postMessage(message),
    onMessage: (listener) => void worker.on('message', listener),
    onEnd: (listener) => {
      let failure: Error | null = null;
      worker.on('error', (error) => {
        failure = error instanceof Error ? error : new Error(String(error));
      });
      worker.on('exit', () => listener(failure));
    },
    kill: () => void worker.terminate(),
  };
}

/** The task's side; null when the file was not started as a task. */
export type TaskPort = {
  readonly data: unknown;
  readonly send: (message: unknown) => void;
  readonly onMessage: (listener: (message: unknown) => void) => void;
  /** Nothing more will be sent: the task ends when its own work does. */
  readonly close: () => void;
};

/** @param onOrphan called when the agent is gone: nothing may be written after it */
export function taskPort(onOrphan: () => void): TaskPort | null {
  if (parentPort !== null) {
    const port = parentPort;
    return {
      data: workerData,
      send: (message) => port.postMessage(message),
      onMessage: (listener) => void port.on('message', listener),
      close: () => port.close(),
    };
  }
  const text = process.env[DATA];
  if (text === undefined || process.send === undefined) return null;
  // The terminal's Ctrl-C reaches the whole group; the agent decides when its tasks end.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', onOrphan);
  yieldToOthers();
  return {
    data: JSON.parse(text),
    send: (message) => {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => void process.on('message', listener),
    close: () => {
      process.off('disconnect', onOrphan);
      if (process.connected) process.disconnect();
    },
  };
}

/** A third of the weight of others: what is durable comes first, and on a busy machine the task still gets on. */
const NICENESS = 5;

function yieldToOthers(): void {
  try {
    setPriority(NICENESS);
  } catch {
    // The system does not let us: then both share.
  }
}
