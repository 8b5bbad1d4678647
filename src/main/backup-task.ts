/** The task that makes one backup beside the agent: it reads the vault over a connection of its own, and then ends. */
import { AppError, toWireError } from '../shared/errors.ts';
import { createRepository } from './backup/open-repository.ts';
import type { BackupResult, BackupSecret } from './backup/repository-types.ts';
import { createRepositoryWriter } from './backup/repository-writer.ts';
import type { BackupJobMessage, FromBackupTask, ToBackupTask } from './backup-process.ts';
import { type TaskPort, taskPort } from './task.ts';
import { lookAtFolders } from './watch/look-at-folders.ts';

// Without its agent it must not write on: the next agent begins anew, as after any crash.
const port = taskPort(() => process.exit(0));
if (port !== null) run(port);

function run(port: TaskPort): void {
  const abort = new AbortController();
  const tell = (message: FromBackupTask): void => port.send(message);
  port.onMessage((received) => {
    const message = received as ToBackupTask;
    if (message.type === 'cancel') abort.abort();
    else
      void makeBackup(message.job, abort.signal, tell)
        .then(
          (result) => tell({ type: 'done', result }),
          (cause: unknown) => tell({ type: 'failed', ...describe(cause) }),
        )
        .finally(() => port.close());
  });
  tell({ type: 'ready' });
}

async function makeBackup(
  job: BackupJobMessage,
  signal: AbortSignal,
  tell: (message: FromBackupTask) => void,
): Promise<BackupResult> {
  const { gitFolder, deviceId, branch, roots } = job;
  const writer = createRepositoryWriter(createRepository({ gitFolder, secret: secretOf(job), deviceId, branch }), {
    dataFolder: job.dataFolder,
    agentVersion: job.agentVersion,
    nowMs: () => job.nowMs,
    settings: () => job.settings,
    branch,
    lookAtFolders: ({ rootId }) => {
      const root = roots.find((each) => each.rootId === rootId);
      if (root === undefined) return null;
      return lookAtFolders({ rootPath: root.path, exclude: root.exclude, respectGitignore: root.respectGitignore });
    },
  });
  try {
    return await writer.backup({
      reason: job.reason,
      tag: job.tag,
      signal,
      onProgress: (progress) => tell({ type: 'progress', progress }),
    });
  } finally {
    writer.close();
  }
}

function secretOf({ secret }: BackupJobMessage): BackupSecret {
  return secret.kind === 'key' ? { kind: 'key', key: Buffer.from(secret.hex, 'hex') } : secret;
}

function describe(cause: unknown): Omit<Extract<FromBackupTask, { type: 'failed' }>, 'type'> {
  if (cause instanceof AppError) return { error: toWireError(cause), bug: null };
  return { error: null, bug: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) };
}
