/** The task that works on backups beside the agent: it reads the vault over a connection of its own, and then ends. */
import { AppError, toWireError } from '../shared/errors.ts';
import { openArchive } from './backup/archive-read.ts';
import { writeArchive } from './backup/archive-write.ts';
import { drillBackup } from './backup/drill.ts';
import { archiveKeyOf, fernetTextOf } from './backup/key-source.ts';
import { createRepository, openRepository } from './backup/open-repository.ts';
import { openRepositorySource } from './backup/repository-source.ts';
import type { BackupSecret } from './backup/repository-types.ts';
import { createRepositoryWriter } from './backup/repository-writer.ts';
import type { BackupSource } from './backup/source.ts';
import type { PlaceJob } from './backup/tasks.ts';
import type { FromBackupTask, SentSecret, TaskWork, ToBackupTask } from './backup-process.ts';
import { createRedactor } from './privacy/redactor.ts';
import { openVaultContents } from './store/vault-contents.ts';
import { type TaskPort, taskPort } from './task.ts';
import { lookAtFolders } from './watch/look-at-folders.ts';

// Without its agent it must not write on: the next agent begins anew, as after any crash.
const port = taskPort(() => process.exit(0));
if (port !== null) run(port);

type Told = { readonly signal: AbortSignal; readonly onProgress: (progress: unknown) => void };

function run(port: TaskPort): void {
  const abort = new AbortController();
  const tell = (message: FromBackupTask): void => port.send(message);
  port.onMessage((received) => {
    const message = received as ToBackupTask;
    if (message.type === 'cancel') abort.abort();
    else
      void work(message.work, {
        signal: abort.signal,
        onProgress: (progress) => tell({ type: 'progress', progress }),
      })
        .then(
          (result) => tell({ type: 'done', result }),
          (cause: unknown) => tell({ type: 'failed', ...describe(cause) }),
        )
        .finally(() => port.close());
  });
  tell({ type: 'ready' });
}

function work(job: TaskWork, told: Told): Promise<unknown> {
  switch (job.kind) {
    case 'backup':
      return makeBackup(job, told);
    case 'archive':
      return makeArchive(job, told);
    case 'verify':
      return verify(job, told);
    case 'drill':
      return drill(job, told);
  }
}

async function makeBackup(job: TaskWork & { kind: 'backup' }, { signal, onProgress }: Told): Promise<unknown> {
  const { gitFolder, deviceId, branch, roots } = job;
  const secret = toSecret(job.secret);
  const writer = createRepositoryWriter(createRepository({ gitFolder, secret, deviceId, branch }), {
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
    return await writer.backup({ reason: job.reason, tag: job.tag, signal, onProgress });
  } finally {
    writer.close();
  }
}

async function makeArchive(job: TaskWork & { kind: 'archive' }, { signal, onProgress }: Told): Promise<unknown> {
  const { dataFolder, agentVersion, nowMs, state, secret, hide, kind: _, ...request } = job;
  const redact = request.isEncrypted ? null : createRedactor({ secrets: () => hide }).redact;
  return writeArchive(
    { ...request, key: archiveKeyOf(toSecret(secret)), redact, signal, onProgress },
    { dataFolder, agentVersion, nowMs: () => nowMs, state: () => state },
  );
}

async function verify(job: TaskWork & { kind: 'verify' }, { signal, onProgress }: Told): Promise<unknown> {
  const { place } = job;
  if (place.kind === 'archive') {
    // Opening an archive proves every byte of it.
    await (await openPlace(job)).close();
    return null;
  }
  const secret = job.secret === null ? null : toSecret(job.secret);
  const reader = openRepository({ gitFolder: place.gitFolder, secret });
  try {
    return await reader.verify(place.commit, { signal, onProgress: (done, all) => onProgress([done, all]) });
  } finally {
    reader.close();
  }
}

async function drill(job: TaskWork & { kind: 'drill' }, { signal, onProgress }: Told): Promise<unknown> {
  const vault = openVaultContents(job.dataFolder);
  try {
    const source = await openPlace(job);
    try {
      const deps = {
        dataFolder: job.dataFolder,
        nowMs: () => job.nowMs,
        vaultContent: vault.stream,
        scratchFolder: null,
      };
      return await drillBackup(source, deps, { signal, onProgress });
    } finally {
      await source.close();
    }
  } finally {
    vault.close();
  }
}

async function openPlace(
  job: Omit<PlaceJob, 'secret'> & { readonly secret: SentSecret | null },
): Promise<BackupSource> {
  const { place, dataFolder } = job;
  const secret = job.secret === null ? null : toSecret(job.secret);
  if (place.kind === 'archive')
    return openArchive(place.file, {
      key: secret === null ? null : archiveKeyOf(secret),
      fernetKey: secret === null ? null : fernetTextOf(secret),
      dataFolder,
      verify: 'all',
    });
  const reader = openRepository({ gitFolder: place.gitFolder, secret });
  const source = openRepositorySource(reader, reader.find(place.commit));
  return { ...source, close: async () => reader.close() };
}

function toSecret(secret: SentSecret): BackupSecret {
  return secret.kind === 'key' ? { kind: 'key', key: Buffer.from(secret.hex, 'hex') } : secret;
}

function describe(cause: unknown): Omit<Extract<FromBackupTask, { type: 'failed' }>, 'type'> {
  if (cause instanceof AppError) return { error: toWireError(cause), bug: null };
  return { error: null, bug: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) };
}
