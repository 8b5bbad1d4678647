/** Makes backups in a task of its own, so that the agent goes on with what people wait for. */
import { fromWireError, type WireError } from '../shared/errors.ts';
import type { BackupProgress, BackupReason, BackupResult } from './backup/repository-types.ts';
import type { BackupInTask } from './backup/vault-repository.ts';
import { startTask } from './task.ts';

/** A root as the task looks at its folders. */
export type TaskRoot = {
  readonly rootId: number;
  readonly path: string;
  readonly exclude: readonly string[];
  readonly respectGitignore: boolean;
};

/** What the task is to do; plain values. It has the key in it: it goes from process to process, and nowhere else. */
export type BackupJobMessage = {
  readonly gitFolder: string;
  readonly branch: string;
  readonly deviceId: string;
  readonly dataFolder: string;
  readonly agentVersion: string;
  readonly nowMs: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secret:
    | { readonly kind: 'key'; readonly hex: string }
    | { readonly kind: 'passphrase'; readonly passphrase: string };
  readonly reason: BackupReason;
  readonly tag: string | null;
  readonly roots: readonly TaskRoot[];
};

export type ToBackupTask = { readonly type: 'begin'; readonly job: BackupJobMessage } | { readonly type: 'cancel' };
export type FromBackupTask =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: BackupProgress }
  | { readonly type: 'done'; readonly result: BackupResult }
  /** Something expected, or a bug with its stack. */
  | { readonly type: 'failed'; readonly error: WireError | null; readonly bug: string | null };

const MAX_HEAP_MB = 256;
/** A backup looks for a cancellation after every few files; one that takes longer than this hangs. */
const CANCEL_MS = 10_000;

/** @param roots as they are watched when a backup begins */
export function createBackupProcess(roots: () => readonly TaskRoot[]): BackupInTask {
  return ({ secret, ...job }, { signal, onProgress, reason, tag = null }) =>
    new Promise<BackupResult>((resolve, reject) => {
      signal?.throwIfAborted();
      const task = startTask('backup-task', { data: null, maxHeapMb: MAX_HEAP_MB });
      let end: { readonly result: BackupResult } | { readonly failure: unknown } | null = null;
      let timer: NodeJS.Timeout | null = null;
      const cancel = (): void => {
        task.send({ type: 'cancel' } satisfies ToBackupTask);
        timer ??= setTimeout(task.kill, CANCEL_MS);
      };
      signal?.addEventListener('abort', cancel, { once: true });
      task.onMessage((received) => {
        const message = received as FromBackupTask;
        if (message.type === 'progress') onProgress?.(message.progress);
        else if (message.type === 'done') end = { result: message.result };
        else if (message.type === 'failed') end = { failure: failureOf(message) };
        else
          task.send({
            type: 'begin',
            job: {
              ...job,
              reason,
              tag,
              roots: roots(),
              secret: secret.kind === 'key' ? { kind: 'key', hex: secret.key.toString('hex') } : secret,
            },
          } satisfies ToBackupTask);
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
