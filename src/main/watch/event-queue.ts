import { joinPath, splitPath, topmost } from '../path-names.ts';
import type { IndexedFile } from '../store/captures.ts';
import { capturePaths } from './capture-paths.ts';
import type { DuePath } from './coalesce.ts';
import { mustHold } from './hold.ts';
import { isGone } from './read-paths.ts';
import type { RootContext } from './root-context.ts';

/** Turns the events of one root into captures, when they are ripe and one batch after the other. */
export type EventQueue = {
  /** Something happened to a path. */
  readonly note: (path: string) => void;
  /** Something happened below a folder, by no name. */
  readonly noteFolder: (dir: string, deep: boolean) => void;
  /** The coalescer was given something by others. */
  readonly wake: () => void;
  /** Ends after the batch that is being captured; what waits is found by the next start. */
  readonly stop: () => Promise<void>;
};

export type EventQueueOptions = {
  /** Whether the root is the folder that is watched; when not, nothing may count as deleted. */
  readonly isThere: () => boolean;
  readonly isHeld: () => boolean;
  readonly scanFolders: (dirs: readonly string[], deep: boolean) => void;
  /** These paths could not be captured; they are tried again. */
  readonly onFailure: (cause: unknown, paths: readonly string[]) => void;
  /** These paths were looked at and what they hold is durable, or waits for its writer. */
  readonly onDone: (paths: readonly string[]) => void;
  /** After a failure (a full disk) the same paths are tried again this much later. */
  readonly retryMs: number;
};

/** Deletions count together over this time, as a big one comes in many small batches. */
const RECENT_DELETES_MS = 60_000;
/** So many changed files within the quiet time are a burst: the workers start while it goes on. */
const BURST_FILES = 256;
/** A name no file can have: stands in the coalescer for "scan this folder". */
const SHALLOW = '\0';
const DEEP = '\0\0';
/** ... and for "decide about what is gone": deletions come last, as a rename is one too and a big one takes its time. */
const DELETIONS = '\0\0\0';

export function createEventQueue(context: RootContext, options: EventQueueOptions): EventQueue {
  const { parts, rootId, coalescer } = context;
  let timer: NodeJS.Timeout | null = null;
  let timerDueMs = 0;
  let isArming = false;
  let isStopped = false;
  let capturing: Promise<void> | null = null;
  /** Files that are gone and may still turn out to be renamed. */
  const gone = new Map<string, IndexedFile>();
  let recentDeletes: { readonly atMs: number; readonly count: number }[] = [];

  const arm = (): void => {
    isArming = false;
    if (isStopped || capturing !== null) return;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const dueMs = coalescer.nextDueMs();
    timerDueMs = dueMs ?? 0;
    if (dueMs !== null) timer = setTimeout(run, Math.max(1, dueMs - parts.monotonicMs()));
  };

  const note = (path: string): void => {
    const dueMs = coalescer.note(path, parts.monotonicMs());
    if (coalescer.size() === BURST_FILES) parts.pool.warm();
    // A timer that fires before this path is due arms itself again.
    if (timer !== null && timerDueMs <= dueMs) return;
    wake();
  };

  const run = (): void => {
    timer = null;
    const due = coalescer.take(parts.monotonicMs());
    capturing = capture(due).finally(() => {
      capturing = null;
      arm();
    });
  };

  const capture = async (due: readonly DuePath[]): Promise<void> => {
    const { paths, shallow, deep, deletions } = sortDue(due);
    try {
      if (due.length > 0 && !options.isThere()) return;
      await capturePathsOf(paths);
      if (deletions) recordDeletions();
      // All in one scan: each begins a thread, and a burst may have made hundreds of folders.
      if (deep.length > 0) options.scanFolders(deep, true);
      if (shallow.length > 0) options.scanFolders(shallow, false);
      options.onDone(due.map(({ path }) => path));
    } catch (cause) {
      const untilMs = parts.monotonicMs() + options.retryMs;
      for (const { path, firstMs } of due) coalescer.postpone(path, firstMs, untilMs);
      options.onFailure(
        cause,
        due.map(({ path }) => path),
      );
    }
  };

  const capturePathsOf = async (paths: readonly DuePath[]): Promise<void> => {
    const free = paths.filter(({ path, firstMs }) => {
      if (!context.reading.has(path)) return true;
      coalescer.postpone(path, firstMs, parts.monotonicMs() + parts.limits().quietMs);
      return false;
    });
    if (free.length === 0) return;
    const before = gone.size;
    const rulesChangedIn = await capturePaths(context, free, gone);
    for (const dir of rulesChangedIn) noteFolder(dir, true);
    if (gone.size > before || (gone.size > 0 && !coalescer.has(DELETIONS))) note(DELETIONS);
  };

  const recordDeletions = (): void => {
    const deleted = [...gone.keys()].filter((path) => isGone(context.rootPath, path));
    if (deleted.length === 0) {
      gone.clear();
      return;
    }
    const nowMs = parts.monotonicMs();
    recentDeletes = recentDeletes.filter((each) => nowMs - each.atMs < RECENT_DELETES_MS);
    const recent = recentDeletes.reduce((sum, each) => sum + each.count, 0);
    const total = parts.captures.countPresent(rootId) + recent;
    const { holdOver, holdShare } = parts.limits();
    const facts = { deletes: deleted.length + recent, total, identityChanged: false };
    if (options.isHeld() || mustHold(facts, { over: holdOver, share: holdShare })) {
      // A scan of the whole counts what is gone in all, and holds it.
      gone.clear();
      options.scanFolders([''], true);
      return;
    }
    context.commit(deleted.map((path) => ({ kind: 'gone', ...splitPath(path) })));
    // After it is durable: a full disk must not forget what is gone.
    gone.clear();
    recentDeletes.push({ atMs: nowMs, count: deleted.length });
  };

  const noteFolder = (dir: string, deep: boolean): void => note(joinPath(dir, deep ? DEEP : SHALLOW));

  const wake = (): void => {
    if (isArming) return;
    isArming = true;
    queueMicrotask(arm);
  };

  return {
    note,
    noteFolder,
    wake,
    stop: async () => {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
      await capturing;
    },
  };
}

function sortDue(due: readonly DuePath[]): { paths: DuePath[]; shallow: string[]; deep: string[]; deletions: boolean } {
  const paths: DuePath[] = [];
  const shallow: string[] = [];
  const deep: string[] = [];
  let deletions = false;
  for (const each of due) {
    const { dir, name } = splitPath(each.path);
    if (name === DELETIONS) deletions = true;
    else if (name === DEEP) deep.push(dir);
    else if (name === SHALLOW) shallow.push(dir);
    else paths.push(each);
  }
  return { paths, shallow, deep: topmost(deep), deletions };
}
