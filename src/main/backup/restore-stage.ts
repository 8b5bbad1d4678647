/** The steps of a restore before its target is touched: what will be replaced is kept, what is new lies beside its place. */
import { closeSync, existsSync, fstatSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { writeAll } from '../durable.ts';
import { fsPath, splitPath } from '../path-names.ts';
import { collect } from './collect.ts';
import { flushMany } from './flush-many.ts';
import type { PlannedFile } from './plan.ts';
import {
  copyBytes,
  dress,
  dressOf,
  hashAt,
  NEW_FILE,
  READ_FILE,
  readsDifferently,
  setFolderMode,
  writeProven,
} from './restore-bytes.ts';
import type { Journal, RestoreOp } from './restore-journal.ts';
import { type LaneFile, openLanes } from './restore-lanes.ts';
import {
  changed,
  eachPlace,
  openStaging,
  opsOf,
  type Staging,
  type StepOptions,
  stagedName,
  stagingName,
  TREES,
  turn,
} from './restore-staging.ts';
import { byTree, foldersOf, isOpen } from './restore-trees.ts';
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
 * Writes every new file into the staging folders, with its mode and time, and makes all of it durable. What was written
 * is read again before the file is closed. Nothing of the target is touched. Throws `backup.damaged`.
 * @param files what the ops of the journal were planned from, in their order
 */
export async function stageFiles(
  journal: Journal,
  source: BackupSource,
  files: readonly PlannedFile[],
  options: StepOptions & { readonly lanesFrom?: number | undefined },
): Promise<void> {
  const staging = openStaging(journal);
  const wanted = new Map<SourceEntry, RestoreOp>();
  for (const op of journal.ops) {
    const entry = files[op.n]?.entry;
    if (op.kind === 'file' && entry !== undefined) wanted.set(entry, op);
  }
  try {
    for (const { rootId } of journal.head.places) makeStaging(staging, rootId, journal.ops);
    for (const op of journal.ops) if (op.kind === 'symlink') symlinkSync(fsPath(op.target ?? ''), staging.at(op));
    const { shared } = source;
    if (shared !== undefined && wanted.size >= (options.lanesFrom ?? LANES_FROM))
      await stageInLanes({ journal, source, staging, wanted }, shared, options);
    else await stageHere({ journal, source, staging, wanted }, options);
    for (const op of journal.ops)
      if (op.kind === 'folder' && op.tree != null) setFolderMode(staging.at(op), modeInStaging(op.mode));
    await flushStaged(journal);
  } finally {
    staging.close();
  }
}

/** Threads need a moment to begin: for fewer files they cost more than they save. */
const LANES_FROM = 400;

/** Planning leaves much behind: for so many files it is as much as the threads need. */
const COLLECT_FROM = 20_000;

/** Made before threads look for them; a root of which nothing is restored has none. */
function makeStaging(staging: Staging, rootId: number, ops: readonly RestoreOp[]): void {
  const own = ops.filter((op) => op.rootId === rootId);
  if (own.length > 0)
    staging.make(
      rootId,
      [...byTree(own)].flatMap(([tree, all]) => foldersOf(tree, all)),
    );
}

/** One that could not be moved afterwards gets its mode there. */
function modeInStaging(mode: number | null): number {
  return mode === null ? 0o755 : isOpen(mode) ? mode : 0o700;
}

type Stage = {
  readonly journal: Journal;
  readonly source: BackupSource;
  readonly staging: Staging;
  readonly wanted: ReadonlyMap<SourceEntry, RestoreOp>;
};

async function stageHere({ source, staging, wanted }: Stage, options: StepOptions): Promise<void> {
  const byKey = new Map([...wanted].map(([entry, op]) => [entryKey(entry), op]));
  if (byKey.size > 0)
    for await (const { entry, content } of source.contents((each) => byKey.has(entryKey(each)))) {
      const op = byKey.get(entryKey(entry));
      if (op === undefined) throw new AppError('backup.damaged', `The backup has ${displayPath(entry.path)} twice.`);
      byKey.delete(entryKey(entry));
      await turn(options);
      if (content === null) await stageStream(staging.at(op), op, source.stream(entry));
      else writeProven(staging.at(op), content, dressOf(op), displayPath(op.path));
      options.onFile?.();
    }
  const [missing] = byKey.values();
  if (missing !== undefined)
    throw new AppError('backup.damaged', `The backup does not give ${displayPath(missing.path)}.`);
}

/** Large files are written here: they are streams, and the threads do the others meanwhile. */
async function stageInLanes(
  { journal, source, staging, wanted }: Stage,
  shared: SharedSource,
  options: StepOptions,
): Promise<void> {
  const placed = shared.places([...wanted.keys()]);
  const opOf = (entry: SourceEntry): RestoreOp => {
    const op = wanted.get(entry);
    if (op === undefined) throw new Error('the backup places a file that was not asked for');
    return op;
  };
  // One after the other, when a thread is ready for it: all at once they would take as much memory as the plan.
  function* small(): Generator<LaneFile> {
    for (const { entry, oid } of placed) if (oid !== null) yield toLaneFile(opOf(entry), oid);
  }
  const used = new Set(journal.ops.map(({ rootId }) => rootId));
  const places = journal.head.places.filter(({ rootId }) => used.has(rootId));
  if (wanted.size >= COLLECT_FROM) collect();
  const lanes = openLanes({
    repository: shared.repository,
    staging: places.map(({ rootId, folder }) => ({ rootId, place: folder, name: stagingName(journal) })),
  });
  try {
    const tell = (count: number): void => {
      for (let each = 0; each < count; each += 1) options.onFile?.();
    };
    const writing = lanes.run(small(), { signal: options.signal, onBatch: tell });
    try {
      for (const { entry, oid } of placed) {
        if (oid !== null) continue;
        const op = opOf(entry);
        options.signal?.throwIfAborted();
        await stageStream(staging.at(op), op, source.stream(entry));
        tell(1);
      }
    } finally {
      await writing;
    }
  } finally {
    await lanes.close();
  }
}

/** Everything that must be on the disk before the first file is moved. */
function* stagedPaths(folder: string, staged: string, own: readonly RestoreOp[]): Generator<string> {
  for (const op of own) {
    const { dir, name } = stagedName(op);
    if (op.kind === 'file') yield dir === '' ? `${staged}/${name}` : `${staged}/${dir}/${name}`;
  }
  for (const [tree, ops] of byTree(own)) for (const dir of foldersOf(tree, ops)) yield `${staged}/${TREES}/${dir}`;
  yield* [`${staged}/${TREES}`, staged, folder];
}

function toLaneFile(op: RestoreOp, oid: string): LaneFile {
  const { rootId, sha256, sizeBytes } = op;
  return { rootId, ...stagedName(op), oid, sha256: sha256 ?? '', sizeBytes, ...dressOf(op) };
}

async function flushStaged(journal: Journal): Promise<void> {
  for (const { rootId, folder } of journal.head.places) {
    const staged = `${folder}/${stagingName(journal)}`;
    if (!existsSync(fsPath(staged))) continue;
    const own = journal.ops.filter((op) => op.rootId === rootId);
    await flushMany(folder, { [Symbol.iterator]: () => stagedPaths(folder, staged, own) });
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
  if (hashAt(path) !== op.sha256) throw readsDifferently(displayPath(op.path));
}
