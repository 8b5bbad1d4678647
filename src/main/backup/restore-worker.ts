/** One thread of a restore: reads contents from the repository, proves them, and writes them into the staging folder. */
import { parentPort, workerData } from 'node:worker_threads';
import { AppError } from '../../shared/errors.ts';
import { afterContent } from './collect.ts';
import { createContentReader } from './content-reader.ts';
import { openGitObjects } from './git-objects.ts';
import { writeProven } from './restore-bytes.ts';
import type { LaneAnswer, LaneData, LaneFailure, LaneFile, LaneJob } from './restore-lanes.ts';
import { openPlace, type SafeFolders } from './safe-folder.ts';

const { repository, staging } = workerData as LaneData;
const { content } = createContentReader(
  openGitObjects(repository.gitFolder, { isSealed: repository.keys !== null }),
  repository.keys,
);
const places = new Map<number, SafeFolders>();
for (const { rootId, place, name } of staging) places.set(rootId, openPlace(`${place}/${name}`));

/** Equal files lie one after the other: they have one content. */
let latest: { readonly oid: string; readonly content: Buffer } = { oid: '', content: Buffer.alloc(0) };

parentPort?.on('message', ({ id, files }: LaneJob) => {
  let failure: LaneFailure | null = null;
  try {
    for (const file of files) write(file);
  } catch (cause) {
    failure = toFailure(cause);
  }
  parentPort?.postMessage({ id, failure } satisfies LaneAnswer);
});

function write(file: LaneFile): void {
  const { rootId, dir, name, oid, sha256, sizeBytes } = file;
  if (latest.oid !== oid) {
    latest = { oid, content: content(oid, sha256, sizeBytes) };
    afterContent();
  }
  const folders = places.get(rootId);
  if (folders === undefined) throw new Error(`the root ${rootId} has no staging folder`);
  writeProven(folders.open(dir, null).at(name), latest.content, file, `File ${name} of the restore`);
}

function toFailure(cause: unknown): LaneFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof AppError) return { code: cause.code, errno: null, message };
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : null;
  return { code: null, errno, message };
}
