/** The backup repository of this agent: made or opened when it is first needed, whatever key it was left with. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import type { Log } from '../log/log.ts';
import { readBranches } from './git-repository.ts';
import type { KeySource } from './key-source.ts';
import type { Memory } from './memory.ts';
import { createRepository, freshGitFolder, openRepository, startNewBranch } from './open-repository.ts';
import type { BackupSecret, RepositoryReader, RepositoryWriter } from './repository-types.ts';
import { createRepositoryWriter, type WriterDeps } from './repository-writer.ts';
import type { BackupTasks } from './tasks.ts';

export type VaultRepository = {
  readonly gitFolder: () => string;
  /** `device/<id>`, or what was started beside it. */
  readonly branch: () => string;
  readonly exists: () => boolean;
  /**
   * Opens it, and makes key and repository when they are not there. A key that came into the environment since takes
   * over from the one in the data folder. Throws `backup.key_wrong` and what opening throws.
   */
  readonly writer: () => Promise<RepositoryWriter>;
  /** Null when there is no repository yet; nothing is made. */
  readonly reader: () => Promise<RepositoryReader | null>;
  /** Repositories from before "a fresh one", which are only read. Those that this key does not open are left out. */
  readonly older: () => readonly RepositoryReader[];
  readonly startBranch: () => Promise<string>;
  readonly startRepository: () => Promise<string>;
  /** Ends what is open; the next use opens it again. */
  readonly close: () => void;
};

export type VaultRepositoryDeps = {
  readonly dataFolder: string;
  readonly deviceId: string;
  readonly agentVersion: string;
  readonly nowMs: () => number;
  readonly logger: ReturnType<Log['component']>;
  readonly memory: Memory;
  readonly keys: KeySource;
  /** The name in the settings. */
  readonly name: () => string;
  readonly storedSettings: WriterDeps['settings'];
  readonly lookAtFolders: NonNullable<WriterDeps['lookAtFolders']>;
  /** null: backups are made here, as for a command without an agent. */
  readonly tasks: BackupTasks | null;
};

export const BACKUPS_FOLDER = 'backups';

export function createVaultRepository(deps: VaultRepositoryDeps): VaultRepository {
  const { dataFolder, deviceId, memory, keys, logger } = deps;
  const all = join(dataFolder, BACKUPS_FOLDER);
  let open: { readonly writer: RepositoryWriter; readonly gitFolder: string; readonly key: string } | null = null;
  let old: { readonly readers: readonly RepositoryReader[] } | null = null;
  const gitFolder = (): string => join(all, `${memory.read().repository ?? deps.name()}.git`);
  const branch = (): string => memory.read().branch ?? `device/${deviceId}`;
  const exists = (): boolean => existsSync(join(gitFolder(), 'HEAD'));

  const openWith = (secret: BackupSecret): RepositoryWriter => {
    const repository = createRepository({ gitFolder: gitFolder(), secret, deviceId, branch: branch() });
    return createRepositoryWriter(repository, {
      dataFolder,
      agentVersion: deps.agentVersion,
      nowMs: deps.nowMs,
      settings: deps.storedSettings,
      lookAtFolders: deps.lookAtFolders,
      branch: branch(),
    });
  };
  /** The key of the environment took the place of the one in the data folder: the repository is wrapped with it. */
  const adopt = async (cause: unknown, secret: BackupSecret): Promise<RepositoryWriter> => {
    const former = keys.inFile();
    const isOther = cause instanceof AppError && cause.code === 'backup.key_wrong';
    if (!isOther || former === null || isSame(former, secret)) throw cause;
    const writer = openWith(former);
    try {
      await writer.rotateKey(secret, () => undefined);
      logger.info('The key in the environment opens the backups from now on.', { fingerprint: writer.fingerprint() });
    } finally {
      writer.close();
    }
    return openWith(secret);
  };
  /** The same writer, but that its backups are made beside this process. */
  const beside = (writer: RepositoryWriter, secret: BackupSecret): RepositoryWriter => {
    const { tasks, agentVersion } = deps;
    if (tasks === null) return writer;
    const place = { gitFolder: gitFolder(), branch: branch(), deviceId, dataFolder, agentVersion, secret };
    return {
      ...writer,
      backup: async (request) => {
        const job = { ...place, nowMs: Math.trunc(deps.nowMs()), settings: deps.storedSettings() };
        try {
          return await tasks.backup(job, request);
        } finally {
          writer.reader.refresh();
        }
      },
    };
  };
  const writer = async (): Promise<RepositoryWriter> => {
    const { secret } = keys.ensure();
    const key = nameOf(secret);
    if (open !== null && open.gitFolder === gitFolder() && open.key === key) return open.writer;
    close();
    mkdirSync(all, { recursive: true, mode: 0o700 });
    let made: RepositoryWriter;
    try {
      made = openWith(secret);
    } catch (cause) {
      made = await adopt(cause, secret);
    }
    const writer = beside(made, secret);
    open = { writer, gitFolder: gitFolder(), key };
    return writer;
  };
  const closeOld = (): void => {
    for (const reader of old?.readers ?? []) reader.close();
    old = null;
  };
  const close = (): void => {
    open?.writer.close();
    open = null;
    closeOld();
  };
  return {
    gitFolder,
    branch,
    exists,
    writer,
    reader: async () => (exists() ? (await writer()).reader : null),
    older: () => {
      old ??= { readers: openOlder(all, basename(gitFolder()), keys.current()?.secret ?? null) };
      return old.readers;
    },
    startBranch: async () => {
      await writer();
      if (!readBranches(gitFolder()).has(branch()))
        throw new AppError('not_found.backup', 'There is no backup yet that another branch could go on from.');
      const next = startNewBranch(gitFolder(), branch());
      close();
      memory.update({ branch: next });
      return next;
    },
    startRepository: async () => {
      await writer();
      const next = basename(freshGitFolder(gitFolder()), '.git');
      // Another row of commits cannot go on where the old one is on a server: it gets a branch of its own.
      const number = /-(\d+)$/.exec(next)?.[1] ?? '2';
      close();
      memory.update({ repository: next, branch: `device/${deviceId}.r${number}`, coveredChange: 0 });
      await writer();
      return next;
    },
    close,
  };
}

function isSame(a: BackupSecret, b: BackupSecret): boolean {
  return nameOf(a) === nameOf(b);
}

function nameOf(secret: BackupSecret): string {
  return secret.kind === 'key' ? secret.key.toString('hex') : `passphrase ${secret.passphrase}`;
}

function openOlder(folder: string, current: string, secret: BackupSecret | null): RepositoryReader[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.git') && name !== current)
    .flatMap((name) => {
      try {
        return [openRepository({ gitFolder: join(folder, name), secret })];
      } catch (cause) {
        // Empty, or of another key: nothing of it can be shown.
        if (cause instanceof AppError) return [];
        throw cause;
      }
    });
}
