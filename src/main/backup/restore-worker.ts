/** One thread of a restore: reads contents from the repository, proves them, and writes them into the staging folder. */
import { closeSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError } from '../../shared/errors.ts';
import { writeAll } from '../durable.ts';
import { afterContent } from './collect.ts';
import { openGitObjects } from './git-objects.ts';
import { createBackupObjects } from './repository-reader.ts';
import { dress, hashAt, NEW_FILE } from './restore-bytes.ts';
import type { LaneAnswer, LaneData, LaneFailure, LaneFile, LaneJob } from './restore-lanes.ts';
import { readsDifferently } from './restore-staging.ts';
import { openPlace, type SafeFolder } from './safe-folder.ts';

const { repository, staging } = workerData as LaneData;
const backups = createBackupObjects(openGitObjects(repository.gitFolder), {
  id: repository.repositoryId,
  keys: repository.keys,
});
const folders = new Map<number, SafeFolder>();
for (const { rootId, place, name } of staging) folders.set(rootId, openPlace(place).open(name, null));

/** Equal files lie one after the other: they have one content. */
let latest: { readonly oid: string; readonly content: Buffer } = { oid: '', content: Buffer.alloc(0) };

parentPort?.on('message', ({ id, work, files }: LaneJob) => {
  let failure: LaneFailure | null = null;
  try {
    for (const file of files) {
      if (work === 'write') write(file);
      else prove(file);
    }
  } catch (cause) {
    failure = toFailure(cause);
  }
  parentPort?.postMessage({ id, failure } satisfies LaneAnswer);
});

function pathOf({ rootId, name }: LaneFile): string | Buffer {
  const folder = folders.get(rootId);
  if (folder === undefined) throw new Error(`the root ${rootId} has no staging folder`);
  return folder.at(name);
}

function write(file: LaneFile): void {
  const { oid, sha256, sizeBytes } = file;
  if (latest.oid !== oid) {
    latest = { oid, content: backups.content(oid, sha256, sizeBytes) };
    afterContent();
  }
  const descriptor = openSync(pathOf(file), NEW_FILE, 0o600);
  try {
    writeAll(descriptor, latest.content);
    dress(descriptor, file);
  } finally {
    closeSync(descriptor);
  }
}

function prove(file: LaneFile): void {
  if (hashAt(pathOf(file)) === file.sha256) return;
  throw readsDifferently(`File ${file.name} of the restore`);
}

function toFailure(cause: unknown): LaneFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof AppError) return { code: cause.code, errno: null, message };
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : null;
  return { code: null, errno, message };
}
