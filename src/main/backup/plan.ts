/** What a restore would do, as a value: made from a backup and the state of its target, with no effect. */
import { createHash } from 'node:crypto';
import { displayPath, formatBytes } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { targetNameTrouble } from './entry-names.ts';
import { entryKey, type SourceEntry, type SourceInfo } from './source.ts';

export type RestoreTarget =
  /** Over the originals. */
  | { readonly kind: 'in-place' }
  /** Into this folder, absolute; one folder below it for each root when there is more than one. */
  | { readonly kind: 'folder'; readonly folder: string };

export type ExactPath = { readonly rootId: number; readonly path: string };

export type RestoreRequest = {
  readonly target: RestoreTarget;
  /** Paths or globs, relative to a root or absolute; a folder means everything below it. Empty: everything. */
  readonly only: readonly string[];
  /** Files and folders of a root exactly as they are called; `''` is the whole root. */
  readonly paths?: readonly ExactPath[];
  /** Names of tables; null: all that can be restored; empty: none. */
  readonly tables: readonly string[] | null;
  readonly withFiles: boolean;
  /** A redacted copy may replace an original. */
  readonly allowRedacted: boolean;
  /** Rows of an older shape may be carried over. */
  readonly autoMigrate: boolean;
};

/** What lies at a place now. */
export type TargetEntry = {
  readonly kind: 'file' | 'folder' | 'symlink' | 'other';
  readonly mode: number;
  readonly mtimeUs: number;
  readonly ctimeUs: number;
  readonly inode: number;
  readonly sizeBytes: number;
  /** Hex; null when it was not needed, because something else differs already. */
  readonly sha256: string | null;
  /** Of a symbolic link. */
  readonly target: string | null;
};

export type TargetState = {
  /** By {@link entryKey}; what is not there has no entry. */
  readonly entries: ReadonlyMap<string, TargetEntry>;
  /** Keys of entries that cannot be reached, and why: a file or a link lies where a folder must be. */
  readonly blocked: ReadonlyMap<string, string>;
  /** What lies beside the files of the backup and is not in it. */
  readonly extra: readonly { readonly rootId: number; readonly path: string; readonly sizeBytes: number }[];
  readonly freeTargetBytes: number;
  readonly freeDataBytes: number;
  readonly isSameDisk: boolean;
  /** Why nothing can be written there; null when it can. */
  readonly unwritable: string | null;
};

export type Place = { readonly rootId: number; readonly folder: string };

/** `touch`: the same bytes, other mode or time. */
export type FileAction = 'create' | 'overwrite' | 'touch' | 'same';

export type PlannedFile = {
  readonly entry: SourceEntry;
  readonly action: FileAction;
  readonly was: TargetEntry | null;
};

export type PlannedTable = {
  readonly table: string;
  readonly insert: number;
  readonly update: number;
  readonly same: number;
  /** Rows that cannot be taken, and why the first of them. */
  readonly refused: number;
  readonly reason: string | null;
};

export type PlanProblem = {
  readonly code: 'restore.target' | 'restore.redacted' | 'restore.schema' | 'data.full' | 'file.exists';
  readonly message: string;
};

export type PlanCount = { readonly files: number; readonly bytes: number };

export type RestorePlan = {
  readonly backup: SourceInfo;
  readonly target: RestoreTarget;
  readonly places: readonly Place[];
  /** In the order of the request's backup; without those that stay as they are. */
  readonly files: readonly PlannedFile[];
  readonly counts: Readonly<Record<FileAction | 'extra', PlanCount>>;
  readonly extra: TargetState['extra'];
  readonly tables: readonly PlannedTable[];
  /** Space that is taken in the target while it runs, and for the safety copies in the data folder. */
  readonly needs: { readonly targetBytes: number; readonly safetyBytes: number };
  /** The contents alone, as a person counts them. */
  readonly writeBytes: number;
  /** A plan with problems is not applied. */
  readonly problems: readonly PlanProblem[];
  readonly warnings: readonly string[];
  /** Changes when anything above does: what a person confirmed is what is applied. */
  readonly fingerprint: string;
};

export type PlanInput = {
  readonly info: SourceInfo;
  readonly request: RestoreRequest;
  readonly entries: readonly SourceEntry[];
  readonly places: readonly Place[];
  readonly state: TargetState;
  readonly tables: readonly PlannedTable[];
  readonly platform: NodeJS.Platform;
};

export function planRestore(input: PlanInput): RestorePlan {
  const { info, request, entries, places, state } = input;
  // Into a new folder nothing is looked up.
  const isNew = state.entries.size === 0;
  const all = entries.map((entry) => planEntry(entry, isNew ? null : (state.entries.get(entryKey(entry)) ?? null)));
  const files = all.filter(({ action }) => action !== 'same');
  const needs = {
    targetBytes: sum(files.map(({ entry }) => roundUp(entry.sizeBytes))),
    safetyBytes: sum(files.map(({ was }) => (was?.kind === 'file' ? roundUp(was.sizeBytes) : 0))),
  };
  const counts = {
    create: countOf(all, 'create'),
    overwrite: countOf(all, 'overwrite'),
    touch: countOf(all, 'touch'),
    same: countOf(all, 'same'),
    extra: { files: state.extra.length, bytes: sum(state.extra.map(({ sizeBytes }) => sizeBytes)) },
  };
  const problems = findProblems(input, files, needs);
  const body = { places, files, counts, tables: input.tables, problems };
  return {
    backup: info,
    target: request.target,
    ...body,
    extra: state.extra,
    needs,
    writeBytes: sum(files.map(({ entry }) => entry.sizeBytes)),
    warnings: info.warnings,
    fingerprint: fingerprintOf(info, request, body),
  };
}

const FILES_A_PIECE = 500;

/** Piece by piece: the text of 100,000 files would take more memory than everything else of a plan. */
function fingerprintOf(
  { id }: SourceInfo,
  request: RestoreRequest,
  { files, ...rest }: Pick<RestorePlan, 'places' | 'files' | 'counts' | 'tables' | 'problems'>,
): string {
  const digest = createHash('sha256').update(JSON.stringify([id, request, rest]));
  for (let from = 0; from < files.length; from += FILES_A_PIECE) {
    let text = '';
    for (const { entry, action, was } of files.slice(from, from + FILES_A_PIECE)) {
      const { rootId, path, kind, sha256, sizeBytes, mode, mtimeUs, redactions, target } = entry;
      text += `\0${rootId} ${path}\0${action} ${kind} ${sha256} ${sizeBytes} ${mode} ${mtimeUs} ${redactions} ${target}`;
      if (was !== null) text += `\0${JSON.stringify(was)}`;
    }
    digest.update(text);
  }
  return digest.digest('hex');
}

function planEntry(entry: SourceEntry, was: TargetEntry | null): PlannedFile {
  if (was === null) return { entry, action: 'create', was };
  if (was.kind !== entry.kind) return { entry, action: 'overwrite', was };
  if (entry.kind === 'symlink') return { entry, action: was.target === entry.target ? 'same' : 'overwrite', was };
  const isDressedSame =
    (entry.mode === null || entry.mode === was.mode) && (entry.mtimeUs === null || entry.mtimeUs === was.mtimeUs);
  // The time of a folder changes with every file in it: only its mode is worth a change.
  if (entry.kind === 'folder')
    return { entry, action: entry.mode === null || entry.mode === was.mode ? 'same' : 'touch', was };
  if (was.sha256 !== entry.sha256) return { entry, action: 'overwrite', was };
  return { entry, action: isDressedSame ? 'same' : 'touch', was };
}

function findProblems(input: PlanInput, files: readonly PlannedFile[], needs: RestorePlan['needs']): PlanProblem[] {
  const { request, state, tables } = input;
  const problems: PlanProblem[] = [];
  if (state.unwritable !== null && files.length > 0)
    problems.push({ code: 'restore.target', message: state.unwritable });
  const add = (code: PlanProblem['code'], found: readonly string[], what: string): void => {
    if (found.length === 0) return;
    const shown = found.slice(0, 3).join('; ');
    problems.push({ code, message: `${what}: ${shown}${found.length > 3 ? ` and ${found.length - 3} more` : ''}.` });
  };
  add(
    'restore.target',
    files.flatMap(({ entry }) => {
      const known = state.blocked.size === 0 ? undefined : state.blocked.get(entryKey(entry));
      const reason = known ?? targetNameTrouble(entry.path, input.platform);
      return reason === null ? [] : [`${displayPath(entry.path)} ${reason}`];
    }),
    'These cannot be written',
  );
  add(
    'file.exists',
    files.flatMap(({ entry, was }) =>
      was !== null && was.kind !== entry.kind && !(was.kind === 'symlink' && entry.kind === 'file')
        ? [`${displayPath(entry.path)} is a ${was.kind} now`]
        : [],
    ),
    'Something else lies where these belong',
  );
  if (!request.allowRedacted)
    add(
      'restore.redacted',
      files.flatMap(({ entry, was }) => (entry.redactions > 0 && was !== null ? [displayPath(entry.path)] : [])),
      'Redacted copies would replace originals',
    );
  add(
    'restore.schema',
    tables.flatMap(({ table, reason, refused }) => (refused > 0 ? [`${table}: ${refused} rows, ${reason ?? ''}`] : [])),
    'These rows do not fit',
  );
  addSpace(problems, state, needs);
  return problems;
}

/** File systems need a little for themselves. */
const SPARE_BYTES = 8 * 1_048_576;

function addSpace(problems: PlanProblem[], state: TargetState, needs: RestorePlan['needs']): void {
  const both = needs.targetBytes + needs.safetyBytes;
  const target = state.isSameDisk ? both : needs.targetBytes;
  if (target > 0 && target + SPARE_BYTES > state.freeTargetBytes)
    problems.push({
      code: 'data.full',
      message: `It needs ${formatBytes(target + SPARE_BYTES)} in the target and ${formatBytes(state.freeTargetBytes)} are free.`,
    });
  if (!state.isSameDisk && needs.safetyBytes > 0 && needs.safetyBytes + SPARE_BYTES > state.freeDataBytes)
    problems.push({
      code: 'data.full',
      message: `The copies for undo need ${formatBytes(needs.safetyBytes + SPARE_BYTES)} in the data folder and ${formatBytes(state.freeDataBytes)} are free.`,
    });
}

/** Throws the first problem of a plan, with all of them in its message. */
export function assertApplicable(plan: RestorePlan): void {
  const [first] = plan.problems;
  if (first === undefined) return;
  throw new AppError(first.code, plan.problems.map(({ message }) => message).join(' '));
}

function countOf(files: readonly PlannedFile[], action: FileAction): PlanCount {
  const found = files.filter((file) => file.action === action);
  return { files: found.length, bytes: sum(found.map(({ entry }) => entry.sizeBytes)) };
}

const BLOCK = 4_096;
function roundUp(bytes: number): number {
  return Math.ceil(bytes / BLOCK) * BLOCK;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
