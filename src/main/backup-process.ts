/** Makes, proves and tries backups in a task of its own, so that the agent goes on with what people wait for. */
import { fromWireError, type WireError } from '../shared/errors.ts';
import type { BackupSecret } from './backup/repository-types.ts';
import type { ArchiveJob, BackupJob, BackupTasks, PlaceJob, TaskOptions } from './backup/tasks.ts';
import { startTask } from './task.ts';

/** A root as the task looks at its folders. */
export type TaskRoot = {
  readonly rootId: number;
  readonly path: string;
  readonly exclude: readonly string[];
  readonly respectGitignore: boolean;
};

/** Keys as text: messages between processes are JSON. */
export type SentSecret =
  | { readonly kind: 'key'; readonly hex: string }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

/** What the task is to do; plain values. It has the key in it: it goes from process to process, and nowhere else. */
export type TaskWork =
  | ({
      readonly kind: 'backup';
      readonly secret: SentSecret;
      readonly roots: readonly TaskRoot[];
      readonly reason: Parameters<BackupTasks['backup']>[1]['reason'];
      readonly tag: string | null;
    } & Omit<BackupJob, 'secret'>)
  /** `hide`: values that are taken out of what anybody may read. */
  | ({ readonly kind: 'archive'; readonly secret: SentSecret; readonly hide: readonly string[] } & Omit<
      ArchiveJob,
      'secret'
    >)
  | ({ readonly kind: 'verify'; readonly secret: SentSecret | null } & Omit<PlaceJob, 'secret'>)
  | ({ readonly kind: 'drill'; readonly secret: SentSecret | null; readonly nowMs: number } & Omit<PlaceJob, 'secret'>);

export type ToBackupTask = { readonly type: 'begin'; readonly work: TaskWork } | { readonly type: 'cancel' };
export type FromBackupTask =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: unknown }
  | { readonly type: 'done'; readonly result: unknown }
  /** Something expected, or a bug with its stack. */
  | { readonly type: 'failed'; readonly error: WireError | null; readonly bug: string | null };

const MAX_HEAP_MB: Readonly<Record<TaskWork['kind'], number>> = { backup: 256, archive: 512, verify: 512, drill: 768 };
/** The work looks for a cancellation after every few files; what takes longer than this hangs. */
const CANCEL_MS = 10_000;

export function createBackupProcess(deps: {
  /** As they are watched when a backup begins. */
  readonly roots: () => readonly TaskRoot[];
  /** Values that must not be in a readable archive, now. */
  readonly hide: () => readonly string[];
}): BackupTasks {
  return {
    backup: ({ secret, ...job }, { reason, tag = null, signal, onProgress }) =>
      runInTask(
        { kind: 'backup', ...job, reason, tag, roots: deps.roots(), secret: sent(secret) },
        { signal, onProgress },
      ),
    archive: ({ secret, ...job }, options) =>
      runInTask({ kind: 'archive', ...job, hide: job.isEncrypted ? [] : deps.hide(), secret: sent(secret) }, options),
    verify: ({ secret, ...job }, options) =>
      runInTask({ kind: 'verify', ...job, secret: secret === null ? null : sent(secret) }, options),
    drill: ({ secret, ...job }, options) =>
      runInTask({ kind: 'drill', ...job, secret: secret === null ? null : sent(secret) }, options),
  };
}

function sent(secret: BackupSecret): SentSecret {
  return secret.kind === 'key' ? { kind: 'key', hex: secret.key.toString('hex') } : secret;
}

/** The one place where what comes from the task gets its type: both sides are of one build. */
function runInTask<Result, Progress>(work: TaskWork, { signal, onProgress }: TaskOptions<Progress>): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    signal?.throwIfAborted();
    const task = startTask('backup-task', { data: null, maxHeapMb: MAX_HEAP_MB[work.kind] });
    let end: { readonly result: Result } | { readonly failure: unknown } | null = null;
    let timer: NodeJS.Timeout | null = null;
    const cancel = (): void => {
      task.send({ type: 'cancel' } satisfies ToBackupTask);
      timer ??= setTimeout(task.kill, CANCEL_MS);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    task.onMessage((received) => {
      const message = received as FromBackupTask;
      if (message.type === 'progress') onProgress?.(message.progress as Progress);
      else if (message.type === 'done') end = { result: message.result as Result };
      else if (message.type === 'failed') end = { failure: failureOf(message) };
      else task.send({ type: 'begin', work } satisfies ToBackupTask);
    });
    task.onEnd((failure) => {
      signal?.removeEventListener('abort', cancel);
      if (timer !== null) clearTimeout(timer);
      if (end !== null && 'result' in end) resolve(end.result);
      else if (signal?.aborted === true) reject(signal.reason as Error);
      else reject(end?.failure ?? failure ?? new Error('the task of the backup ended without an answer'));
    });
  });
}

function failureOf({ error, bug }: Extract<FromBackupTask, { type: 'failed' }>): Error {
  return error === null ? new Error(bug ?? 'the task of the backup failed') : fromWireError(error);
}
