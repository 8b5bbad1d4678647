/** The steps of a restore before its target is touched: what will be replaced is kept, what is new lies beside its place. */
import { closeSync, existsSync, fstatSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { writeAll } from '../durable.ts';
import { fsPath, splitPath } from '../path-names.ts';
import { flushMany } from './flush-many.ts';
import { copyBytes, dress, NEW_FILE, READ_FILE } from './restore-bytes.ts';
import type { Journal, RestoreOp } from './restore-journal.ts';
import {
  changed,
  eachPlace,
  openStaging,
  opsOf,
  placeOf,
  type StepOptions,
  stagingName,
  turn,
} from './restore-staging.ts';
import { type BackupSource, entryKey } from './source.ts';

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
  if (saved.length > 0) flushMany(journal.folder, [...saved, dirname(saved[0] ?? '')]);
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

/** Writes every new file into the staging folders, proven and with its mode and time. Nothing of the target is touched. */
export async function stageFiles(journal: Journal, source: BackupSource, options: StepOptions): Promise<void> {
  const wanted = new Map(
    journal.ops.filter((op) => op.kind === 'file').map((op) => [entryKey({ rootId: op.rootId, path: op.path }), op]),
  );
  const staging = openStaging(journal, true);
  const written: string[] = [];
  try {
    for (const op of journal.ops) {
      if (op.kind !== 'symlink') continue;
      symlinkSync(fsPath(op.target ?? ''), staging.of(op.rootId).at(String(op.n)));
    }
    if (wanted.size > 0)
      for await (const { entry, content } of source.contents((each) => wanted.has(entryKey(each)))) {
        const op = wanted.get(entryKey(entry));
        if (op === undefined) continue;
        wanted.delete(entryKey(entry));
        await turn(options);
        const path = staging.of(op.rootId).at(String(op.n));
        if (content === null) await stageStream(path, op, source.stream(entry));
        else stageWhole(path, op, content);
        written.push(`${placeOf(journal, op.rootId)}/${stagingName(journal)}/${op.n}`);
      }
    const [missing] = wanted.values();
    if (missing !== undefined)
      throw new AppError('backup.damaged', `The backup does not give ${displayPath(missing.path)}.`);
  } finally {
    staging.close();
  }
  for (const { folder } of journal.head.places) {
    const own = written.filter((path) => path.startsWith(`${folder}/${stagingName(journal)}/`));
    if (existsSync(fsPath(folder))) flushMany(folder, [...own, `${folder}/${stagingName(journal)}`]);
  }
}

function stageWhole(path: string | Buffer, op: RestoreOp, content: Buffer): void {
  const descriptor = openSync(path, NEW_FILE, 0o600);
  try {
    writeAll(descriptor, content);
    dress(descriptor, op);
  } finally {
    closeSync(descriptor);
  }
}

async function stageStream(path: string | Buffer, op: RestoreOp, content: AsyncIterable<Buffer>): Promise<void> {
  const descriptor = openSync(path, NEW_FILE, 0o600);
  try {
    for await (const piece of content) writeAll(descriptor, piece);
    dress(descriptor, op);
  } finally {
    closeSync(descriptor);
  }
}
