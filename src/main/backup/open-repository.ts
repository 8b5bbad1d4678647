/** Opens and makes backup repositories. */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { FORMAT_FILE, parse } from './format.ts';
import { type GitObjects, openGitObjects } from './git-objects.ts';
import { findGitFolder, initRepository, readBranches, updateRef, writeDurably } from './git-repository.ts';
import { createFormat, type FormatFile, formatFile, type Unlocked, unlock } from './keys.ts';
import { createReader } from './reader.ts';
import { type BackupObjects, createBackupObjects, readFormat } from './repository-reader.ts';
import type { BackupSecret, RepositoryReader } from './repository-types.ts';

export type OpenRepository = {
  readonly gitFolder: string;
  readonly indexFile: string;
  readonly objects: GitObjects;
  readonly backups: BackupObjects;
  readonly unlocked: Unlocked;
  /** What the next commit says about keys. */
  readonly format: () => FormatFile;
  readonly setFormat: (format: FormatFile) => void;
  readonly reader: RepositoryReader;
};

/** Beside git's own files: the keys of a repository that has no commit yet. */
const FIRST_FORMAT = 'angles-format.json';

/**
 * Makes a repository whose own key is wrapped by the secret; null makes one without encryption. Safe to repeat: an
 * existing one is opened. `branch` is where HEAD points, so that a clone finds it.
 */
export function createRepository(options: {
  readonly gitFolder: string;
  readonly secret: BackupSecret | null;
  readonly deviceId: string;
  /** `device/<device id>` when left out. */
  readonly branch?: string;
}): OpenRepository {
  const { gitFolder, secret, deviceId } = options;
  const formatPath = join(gitFolder, FIRST_FORMAT);
  if (!existsSync(join(gitFolder, 'HEAD')) || !existsSync(formatPath)) {
    initRepository(gitFolder, options.branch ?? `device/${deviceId}`);
    const { unlocked: _, ...format } = createFormat(randomUUID(), secret);
    if (readBranches(gitFolder).size === 0) writeDurably(formatPath, `${JSON.stringify(format, null, 2)}\n`);
  }
  return openOwnRepository(options);
}

/** Opens the repository of this device, to write into it. Throws as {@link openRepository} does. */
export function openOwnRepository(options: {
  readonly gitFolder: string;
  readonly secret: BackupSecret | null;
  readonly deviceId: string;
  /** `device/<device id>` when left out. */
  readonly branch?: string;
}): OpenRepository {
  const gitFolder = findGitFolder(options.gitFolder);
  const objects = openGitObjects(gitFolder);
  try {
    const tip = readBranches(gitFolder).get(options.branch ?? `device/${options.deviceId}`);
    let format =
      tip === undefined
        ? parse(formatFile, readFileSync(join(gitFolder, FIRST_FORMAT)), FORMAT_FILE)
        : readFormat(objects, tip);
    assertEncryption(format, options.secret);
    const unlocked = unlock(format, options.secret);
    const backups = createBackupObjects(objects, { id: format.repository, keys: unlocked.keys });
    return {
      gitFolder,
      indexFile: join(dirname(gitFolder), `${basename(gitFolder, '.git')}.index.db`),
      objects,
      backups,
      unlocked,
      format: () => format,
      setFormat: (next) => {
        format = next;
      },
      reader: createReader({ gitFolder, objects, secret: options.secret, opened: [{ format, unlocked, backups }] }),
    };
  } catch (cause) {
    objects.close();
    throw cause;
  }
}

/**
 * Opens any repository to read it: ours, a clone, one of another device. Nothing is read before the key fits.
 * Throws `backup.foreign`, `backup.key_missing`, `backup.key_wrong`, `backup.from_future`, `backup.damaged`.
 */
export function openRepository(options: {
  readonly gitFolder: string;
  readonly secret: BackupSecret | null;
}): RepositoryReader {
  const gitFolder = findGitFolder(options.gitFolder);
  const objects = openGitObjects(gitFolder);
  try {
    const { secret } = options;
    const opened = new Map<string, OpenedKeys>();
    let failure: unknown = null;
    for (const tip of readBranches(gitFolder).values()) {
      try {
        const format = readFormat(objects, tip);
        assertEncryption(format, secret);
        if (opened.has(format.repository)) continue;
        const unlocked = unlock(format, secret);
        const backups = createBackupObjects(objects, { id: format.repository, keys: unlocked.keys });
        opened.set(format.repository, { format, unlocked, backups });
      } catch (cause) {
        if (!(cause instanceof AppError)) throw cause;
        // A branch of another device may have another key, a branch of somebody else is no backup.
        if (failure === null || cause.code !== 'backup.foreign') failure = cause;
      }
    }
    if (opened.size === 0) throw failure ?? new AppError('not_found.backup', `${options.gitFolder} has no backup.`);
    return createReader({ gitFolder, objects, secret, opened: [...opened.values()] });
  } catch (cause) {
    objects.close();
    throw cause;
  }
}

export type OpenedKeys = {
  readonly format: FormatFile;
  readonly unlocked: Unlocked;
  readonly backups: BackupObjects;
};

/** Where a fresh repository goes beside one that became too large: `local.git`, `local-2.git`, ... */
export function freshGitFolder(gitFolder: string): string {
  const name = basename(gitFolder, '.git').replace(/-\d+$/, '');
  for (let number = 2; ; number += 1) {
    const fresh = join(dirname(gitFolder), `${name}-${number}.git`);
    if (!existsSync(fresh)) return fresh;
  }
}

/**
 * A branch beside that of this device, for when somebody else moved the one on the server: it begins where this one
 * is, and later backups go on there. Returns its name; pass it as `branch` from then on.
 */
export function startNewBranch(gitFolder: string, branch: string): string {
  const branches = readBranches(gitFolder);
  const tip = branches.get(branch);
  if (tip === undefined) throw new AppError('not_found.backup', `There is no branch ${branch}.`);
  for (let number = 2; ; number += 1) {
    const name = `${branch.replace(/\.\d+$/, '')}.${number}`;
    if (branches.has(name)) continue;
    updateRef(gitFolder, `refs/heads/${name}`, tip, null);
    return name;
  }
}

/** Who gives a key expects encryption: something plain in its place was put there by somebody. */
function assertEncryption(format: FormatFile, secret: BackupSecret | null): void {
  if (secret === null || format.slots.length > 0) return;
  throw new AppError('backup.damaged', 'A key was given, and the repository is not encrypted.', {
    hint: 'Open it without a key, if you know that it is meant to be readable by anybody.',
  });
}
