/**
 * What a restore is about to do and what it replaces, durable before it does anything: a killed restore goes on or
 * is taken back, and a finished one can be undone. One folder for each restore in `restores/` of the data folder.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { syncFolder, writeAll } from '../durable.ts';
import type { FileAction, Place, TargetEntry } from './plan.ts';
import type { SourceRow } from './source.ts';

/**
 * `staging`: nothing of the target was touched. `committing`: everything that is needed to go on, and to go back, is
 * durable. The others are ends, but `undoing`.
 */
export type RestoreState = 'staging' | 'committing' | 'done' | 'undoing' | 'undone' | 'rolled-back';

export type JournalHead = {
  readonly id: string;
  readonly startedAtMs: number;
  readonly backupId: string;
  readonly backupName: string;
  readonly inPlace: boolean;
  readonly places: readonly Place[];
  readonly fingerprint: string;
};

/** One change of one path. `n` names its files in the journal and in the staging folder. */
export type RestoreOp = {
  readonly n: number;
  readonly rootId: number;
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'symlink';
  readonly action: Exclude<FileAction, 'same'>;
  readonly sha256: string | null;
  readonly sizeBytes: number;
  readonly mode: number | null;
  readonly mtimeUs: number | null;
  readonly target: string | null;
  readonly was: TargetEntry | null;
  /**
   * The topmost folder above it, or the folder itself, that the target lacks: all of that is staged as it will be and
   * moved at once. Null when it is moved by itself; journals of earlier versions do not say.
   */
  readonly tree?: string | null;
};

export type RowChange = { readonly table: string; readonly row: SourceRow; readonly before: SourceRow | null };

export type Journal = {
  readonly folder: string;
  readonly head: JournalHead;
  readonly ops: readonly RestoreOp[];
  readonly rows: readonly RowChange[];
  readonly state: () => RestoreState;
  /** Durable when it returns. */
  readonly setState: (state: RestoreState) => void;
  /** Remembers folders before they are made, those above first: an undo removes them when they are empty. */
  readonly noteMade: (rootId: number, ...dirs: readonly string[]) => void;
  readonly made: () => readonly { readonly rootId: number; readonly dir: string }[];
  /** The bytes that a file had before. */
  readonly originalPath: (n: number) => string;
  /** Where an undo puts what came after. */
  readonly movedPath: (n: number) => string;
};

const FOLDER = 'restores';

/** Durable when it returns, in state `staging`. Throws `data.full`. */
export function createRestoreJournal(
  dataFolder: string,
  head: JournalHead,
  ops: readonly RestoreOp[],
  rows: readonly RowChange[],
): Journal {
  const all = join(dataFolder, FOLDER);
  const folder = join(all, head.id);
  try {
    mkdirSync(join(folder, 'originals'), { recursive: true, mode: 0o700 });
    writeLines(join(folder, 'files.jsonl'), ops);
    writeLines(join(folder, 'rows.jsonl'), rows);
    writeLines(join(folder, 'state'), ['staging']);
    // The head is last: a journal without it never began.
    writeLines(join(folder, 'head.json'), [head]);
    syncFolder(folder);
    syncFolder(all);
    syncFolder(dataFolder);
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    throw explain(cause);
  }
  return journalAt(folder, head, { ops, rows });
}

/** Oldest first; what never began is removed. */
export function readJournals(dataFolder: string): Journal[] {
  const all = join(dataFolder, FOLDER);
  if (!existsSync(all)) return [];
  return readdirSync(all)
    .filter((name) => name !== 'lock.db' && !name.startsWith('lock.db-'))
    .flatMap((name) => {
      const folder = join(all, name);
      const [head] = readLines<JournalHead>(join(folder, 'head.json'));
      if (head === undefined || !existsSync(join(folder, 'state'))) {
        rmSync(folder, { recursive: true, force: true });
        return [];
      }
      return [journalAt(folder, head, null)];
    })
    .sort((a, b) => a.head.startedAtMs - b.head.startedAtMs || (a.head.id < b.head.id ? -1 : 1));
}

export function removeJournal(journal: Journal): void {
  // The head first: half of a journal must not look like one.
  rmSync(join(journal.folder, 'head.json'), { force: true });
  rmSync(journal.folder, { recursive: true, force: true });
}

type Contents = { readonly ops: readonly RestoreOp[]; readonly rows: readonly RowChange[] };

/** @param known null reads them when they are first asked for: a large restore has many, and most only say how they ended */
function journalAt(folder: string, head: JournalHead, known: Contents | null): Journal {
  const madeFile = join(folder, 'made.jsonl');
  let { ops, rows }: Partial<Contents> = known ?? {};
  return {
    folder,
    head,
    get ops() {
      ops ??= readLines<RestoreOp>(join(folder, 'files.jsonl'));
      return ops;
    },
    get rows() {
      rows ??= readLines<RowChange>(join(folder, 'rows.jsonl'));
      return rows;
    },
    state: () => readLines<RestoreState>(join(folder, 'state'))[0] ?? 'staging',
    setState: (state) => {
      const next = join(folder, 'state.new');
      try {
        rmSync(next, { force: true });
        writeLines(next, [state]);
        renameSync(next, join(folder, 'state'));
        syncFolder(folder);
      } catch (cause) {
        throw explain(cause);
      }
    },
    noteMade: (rootId, ...dirs) => {
      const descriptor = openSync(madeFile, 'a', 0o600);
      try {
        writeAll(descriptor, Buffer.from(dirs.map((dir) => `${JSON.stringify({ rootId, dir })}\n`).join('')));
      } finally {
        closeSync(descriptor);
      }
    },
    made: () => readLines(madeFile),
    originalPath: (n) => join(folder, 'originals', String(n)),
    movedPath: (n) => join(folder, 'moved', String(n)),
  };
}

function writeLines(file: string, values: readonly unknown[]): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    for (let from = 0; from < values.length; from += 1_000) {
      const text = values.slice(from, from + 1_000).map((value) => `${JSON.stringify(value)}\n`);
      writeAll(descriptor, Buffer.from(text.join(''), 'utf8'));
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Whole lines only: the last one may have been cut by a crash. */
function readLines<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T);
}

function explain(cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('data.full', 'No space is left in the data folder for the journal of the restore.', {
      cause,
      retryable: true,
    });
  return cause;
}
