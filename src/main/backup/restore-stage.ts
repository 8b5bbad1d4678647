/** The steps of a restore before its target is touched: what will be replaced is kept, what is new lies beside its place. */
import { closeSync, existsSync, fstatSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { writeAll } from '../durable.ts';
import { fsPath, splitPath } from '../path-names.ts';
import { flushMany } from './flush-many.ts';
import { copyBytes, dress, dressOf, hashAt, NEW_FILE, READ_FILE } from './restore-bytes.ts';
import type { Journal, RestoreOp } from './restore-journal.ts';
import { type LaneFile, openLanes } from './restore-lanes.ts';
import {
  changed,
  eachPlace,
  openStaging,
  opsOf,
  readsDifferently,
  type Staging,
  type StepOptions,
  stagingName,
  turn,
} from './restore-staging.ts';
import { type BackupSource, entryKey, type SharedSource, type SourceEntry } from './source.ts';

/** Copies what will be replaced into the journal. Throws `restore.plan_changed` when it is not what the plan saw. */
export async function saveOriginals(journal: Journal, options: StepOptions): Promise<void> {
  const saved: string[] = [];
  await eachPlace(journal, async (folders, place) => {
    for (const op of opsOf(journal, place)) {
      if (op.was?.kind !== 'file' || op.kind === 'folder') continue;
      await turn(options);
      const { dir, name } = splitPath(op.path);
      copyOriginal(folders.open(dir, null).at(name), journal.originalPath(op.n), op);
      saved.push(journal.originalPath(op.n));
    }
  });
  if (saved.length > 0) await flushMany(journal.folder, [...saved, dirname(saved[0] ?? '')]);
}

function copyOriginal(from: string | Buffer, to: string, op: RestoreOp): void {
  const input = openSync(from, READ_FILE);
  try {
    const stat = fstatSync(input, { bigint: true });
    const isSame =
      stat.isFile() && Number(stat.size) === op.was?.sizeBytes && Number(stat.mtimeNs / 1_000n) === op.was.mtimeUs;
    if (!isSame) throw changed(op);
    rmSync(to, { force: true });
    copyBytes(input, to);
  } finally {
    closeSync(input);
  }
}

/**
 * Writes every new file into the staging folders, with its mode and time, makes all of it durable, and reads it back.
 * Nothing of the target is touched. Throws `backup.damaged`.
 */
export async function stageFiles(
  journal: Journal,
  source: BackupSource,
  options: StepOptions & { readonly lanesFrom?: number | undefined },
): Promise<void> {
  const files = journal.ops.filter((op) => op.kind === 'file');
  const staging = openStaging(journal, true);
  try {
    for (const op of journal.ops)
      if (op.kind === 'symlink') symlinkSync(fsPath(op.target ?? ''), staging.of(op.rootId).at(String(op.n)));
    // Made before threads look for them.
    for (const { rootId } of files) staging.of(rootId);
    const { shared } = source;
    if (shared !== undefined && files.length >= (options.lanesFrom ?? LANES_FROM))
      await stageInLanes({ journal, source, staging, files }, shared, options);
    else await stageHere({ journal, source, staging, files }, options);
  } finally {
    staging.close();
  }
}

/** Threads need a moment to begin: for fewer files they cost more than they save. */
const LANES_FROM = 400;

type Stage = {
  readonly journal: Journal;
  readonly source: BackupSource;
  readonly staging: Staging;
  readonly files: readonly RestoreOp[];
};

async function stageHere({ journal, source, staging, files }: Stage, options: StepOptions): Promise<void> {
  const wanted = byKey(files);
  if (wanted.size > 0)
    for await (const { entry, content } of source.contents((each) => wanted.has(entryKey(each)))) {
      const op = take(wanted, entry);
      await turn(options);
      const path = staging.of(op.rootId).at(String(op.n));
      if (content === null) await stageStream(path, op, source.stream(entry));
      else stageWhole(path, op, content);
      options.onFile?.();
    }
  assertAll(wanted);
  await flushStaged(journal, files);
  for (const op of files) {
    await turn(options);
    if (hashAt(staging.of(op.rootId).at(String(op.n))) !== op.sha256) throw readsDifferently(displayPath(op.path));
  }
}

/** Large files are written here: they are streams, and the threads do the others meanwhile. */
async function stageInLanes(
  { journal, source, staging, files }: Stage,
  shared: SharedSource,
  options: StepOptions,
): Promise<void> {
  const wanted = byKey(files);
  const small: LaneFile[] = [];
  const large: { readonly op: RestoreOp; readonly entry: SourceEntry }[] = [];
  for (const { entry, oid } of shared.places((each) => wanted.has(entryKey(each)))) {
    const op = take(wanted, entry);
    if (oid === null) large.push({ op, entry });
    else small.push(toLaneFile(op, oid));
    await turn(options);
  }
  assertAll(wanted);
  const places = journal.head.places.filter(({ rootId }) => files.some((op) => op.rootId === rootId));
  const lanes = openLanes({
    repository: shared.repository,
    staging: places.map(({ rootId, folder }) => ({ rootId, place: folder, name: stagingName(journal) })),
  });
  try {
    const tell = (count: number): void => {
      for (let each = 0; each < count; each += 1) options.onFile?.();
    };
    const writing = lanes.run('write', small, { signal: options.signal, onBatch: tell });
    try {
      for (const { op, entry } of large) {
        options.signal?.throwIfAborted();
        await stageStream(staging.of(op.rootId).at(String(op.n)), op, source.stream(entry));
        tell(1);
      }
    } finally {
      await writing;
    }
    await flushStaged(journal, files);
    const all = [...small, ...large.map(({ op }) => toLaneFile(op, ''))];
    await lanes.run('prove', all, { signal: options.signal });
  } finally {
    await lanes.close();
  }
}

function byKey(files: readonly RestoreOp[]): Map<string, RestoreOp> {
  return new Map(files.map((op) => [entryKey(op), op]));
}

function take(wanted: Map<string, RestoreOp>, entry: SourceEntry): RestoreOp {
  const op = wanted.get(entryKey(entry));
  if (op === undefined) throw new AppError('backup.damaged', `The backup has ${displayPath(entry.path)} twice.`);
  wanted.delete(entryKey(entry));
  return op;
}

function assertAll(wanted: ReadonlyMap<string, RestoreOp>): void {
  const [missing] = wanted.values();
  if (missing !== undefined)
    throw new AppError('backup.damaged', `The backup does not give ${displayPath(missing.path)}.`);
}

function toLaneFile(op: RestoreOp, oid: string): LaneFile {
  const { n, rootId, sha256, sizeBytes } = op;
  return { rootId, name: String(n), oid, sha256: sha256 ?? '', sizeBytes, ...dressOf(op) };
}

async function flushStaged(journal: Journal, files: readonly RestoreOp[]): Promise<void> {
  for (const { rootId, folder } of journal.head.places) {
    const staged = `${folder}/${stagingName(journal)}`;
    if (!existsSync(fsPath(staged))) continue;
    const own = files.filter((op) => op.rootId === rootId).map(({ n }) => `${staged}/${n}`);
    await flushMany(folder, [...own, staged, folder]);
  }
}

function stageWhole(path: string | Buffer, op: RestoreOp, content: Buffer): void {
  const descriptor = openSync(path, NEW_FILE, 0o600);
  try {
    writeAll(descriptor, content);
    dress(descriptor, dressOf(op));
  } finally {
    closeSync(descriptor);
  }
}

async function stageStream(path: string | Buffer, op: RestoreOp, content: AsyncIterable<Buffer>): Promise<void> {
  const descriptor = openSync(path, NEW_FILE, 0o600);
  try {
    for await (const piece of content) writeAll(descriptor, piece);
    dress(descriptor, dressOf(op));
  } finally {
    closeSync(descriptor);
  }
}
