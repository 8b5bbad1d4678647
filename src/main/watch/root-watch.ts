import { AppError, ERROR_CATALOGUE, type ErrorCode } from '../../shared/errors.ts';
import type { RootHold, RootState, ScanProgress, ScanResult } from '../../shared/model.ts';
import type { CaptureCounts, Seen } from '../store/captures.ts';
import { createCoalescer } from './coalesce.ts';
import { createEventQueue } from './event-queue.ts';
import { createIgnoreRules } from './ignore-rules.ts';
import type { RootContext, WatchParts } from './root-context.ts';
import { folderIdentity } from './root-path.ts';
import { scanRoot } from './root-scan.ts';
import type { ScanEnd } from './scan.ts';
import { createTreeWatcher, type TreeWatcher } from './tree-watcher.ts';
import { type Trouble, toTrouble } from './trouble.ts';

/** Watches one root: events become captures, scans find what events missed, deletions en masse are held. */
export type RootWatch = {
  readonly rootId: number;
  readonly path: string;
  /** Watches and does the first scan; resolves when everything of the downtime is durable, or the root has a reason. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Scans all of it. Scans of one root follow each other. */
  readonly scan: (options: { readonly acceptDeletes: boolean }) => Promise<ScanResult>;
  readonly condition: () => RootCondition;
  /** Changed files that are not captured yet. */
  readonly waiting: () => number;
  readonly progress: () => ScanProgress | null;
  /** When the next safety scan begins (wall clock); null when none is planned. */
  readonly nextScanAtMs: () => number | null;
  readonly folders: () => number;
  /** Stops watching and waits for what runs; nothing is scanned by itself until {@link RootWatch.resume}. */
  readonly pause: () => Promise<void>;
  /** Watches again and finds what changed meanwhile; resolves when it is durable. */
  readonly resume: () => Promise<void>;
};

export type RootCondition = {
  readonly state: RootState;
  readonly code: ErrorCode | null;
  readonly detail: string | null;
  readonly hold: RootHold | null;
};

export type RootWatchOptions = {
  readonly rootId: number;
  readonly path: string;
  readonly exclude: readonly string[];
  readonly respectGitignore: boolean;
  readonly parts: WatchParts;
  /** False for a command that only scans. */
  readonly isWatching: boolean;
  readonly onEvent: () => void;
  readonly onCaptured: (counts: CaptureCounts) => void;
  readonly onCondition: () => void;
  readonly onProgress: (progress: ScanProgress) => void;
};

/** How often a root that is not there, or a full disk, is looked at again. */
const RETRY_MS = 10_000;
/** How often it is asked whether the folder is still the same: mounting over it, or taking it away, sends no event. */
const LOOK_MS = 10_000;
/** Without enough watches, a scan follows the last one after this many times the length of its listing, within bounds. */
const LIMITED_FACTOR = 50;
const LIMITED_MIN_MS = 10_000;
const LIMITED_MAX_MS = 300_000;

export function createRootWatch(options: RootWatchOptions): RootWatch {
  const { parts, rootId, path: rootPath } = options;
  const ignoreOptions = { rootPath, exclude: options.exclude, respectGitignore: options.respectGitignore };
  const abort = new AbortController();
  let watcher: TreeWatcher | null = null;
  /** The folder at the last scan that was not held: deletions are judged against it. */
  let identity = parts.roots.get(rootId)?.identity ?? null;
  /** The folder that is watched now, or was scanned where nothing is watched. */
  let watched: string | null = null;
  let hold = parts.roots.get(rootId)?.hold ?? null;
  let trouble: Trouble | null = null;
  let scanning = false;
  let isStarting = true;
  let isPaused = false;
  let progress: ScanProgress | null = null;
  let lastListingMs = 0;
  let nextScanAtMs: number | null = null;
  let retryTimer: NodeJS.Timeout | null = null;
  let rescanTimer: NodeJS.Timeout | null = null;
  let lookTimer: NodeJS.Timeout | null = null;
  let scans: Promise<unknown> = Promise.resolve();

  const context: RootContext = {
    parts,
    rootId,
    rootPath,
    ignoreOptions,
    ignore: createIgnoreRules(ignoreOptions),
    coalescer: createCoalescer(parts.limits),
    reading: new Set(),
    wake: () => events.wake(),
    commit: (seen: readonly Seen[]) => {
      const counts = parts.captures.apply(rootId, seen);
      options.onCaptured(counts);
      return counts;
    },
  };

  const setTrouble = (next: Trouble | null): void => {
    if (trouble?.code === next?.code && trouble?.detail === next?.detail) return;
    trouble = next;
    if (next !== null)
      parts.log.warn(ERROR_CATALOGUE[next.code].title, { root: rootPath, code: next.code, detail: next.detail });
    options.onCondition();
  };

  /** What the vault could not take yet: paths of events, and a scan. */
  const unsaved = new Set<string>();
  let hasUnsavedScan = false;
  const isTroubleOfVault = (): boolean => trouble?.code.startsWith('data.') === true;

  const explain = (cause: unknown): void => {
    if (cause instanceof AppError && cause.code === 'interrupted') return;
    const explained = toTrouble(cause);
    if (explained !== null) setTrouble(explained);
    else parts.log.error('Capturing failed in an unexpected way.', { root: rootPath, error: cause });
  };

  // ---- The folder itself -------------------------------------------------------------------------

  const isThere = (): boolean => {
    const now = folderIdentity(rootPath);
    if (now !== null && now === watched) return true;
    stopWatching();
    if (now === null) setTrouble({ code: 'root.missing', detail: `${rootPath} is not there.` });
    retryLater(now === null ? RETRY_MS : 0);
    return false;
  };

  const events = createEventQueue(context, {
    isThere,
    isHeld: () => hold !== null,
    scanFolders: (dirs, deep) => void scanPart(dirs, deep),
    onFailure: (cause, paths) => {
      if (cause instanceof AppError && cause.code.startsWith('data.')) for (const path of paths) unsaved.add(path);
      explain(cause);
    },
    onDone: (paths) => {
      for (const path of paths) unsaved.delete(path);
      // One save that fits says nothing of a full disk while others wait for space.
      if (isTroubleOfVault() && unsaved.size === 0 && !hasUnsavedScan) setTrouble(null);
    },
    retryMs: RETRY_MS,
  });

  /** Ready to be told; the scan that follows watches the folders. */
  const startWatching = (): void => {
    watched = folderIdentity(rootPath);
    watcher = createTreeWatcher({
      rootPath,
      platform: parts.platform,
      ignoresFolder: (dir, name) => context.ignore.ignores(dir, name, true),
      onEvent: options.onEvent,
      onPath: events.note,
      onFolder: events.noteFolder,
      onLimited: (code) => setTrouble({ code: 'watch.limited', detail: `The system answered ${code}.` }),
    });
  };

  /** Before a scan: also folders whose creation was never told, as an overflow loses any event. */
  const watchAll = (): void => {
    if (abort.signal.aborted) return;
    if (!options.isWatching || isPaused) {
      watched = folderIdentity(rootPath);
      return;
    }
    if (watcher !== null && folderIdentity(rootPath) !== watched) stopWatching();
    if (watcher === null) startWatching();
    watcher?.refresh();
  };

  const stopWatching = (): void => {
    watcher?.stop();
    watcher = null;
    watched = null;
  };

  const retryLater = (delayMs: number): void => {
    if (abort.signal.aborted || !options.isWatching || isPaused || retryTimer !== null) return;
    retryTimer = setTimeout(() => {
      retryTimer = null;
      void begin();
    }, delayMs);
  };

  /** Watches and scans; when that cannot be done it is tried again later. */
  const begin = async (): Promise<void> => {
    // Whoever paused it has it scanned at the end.
    if (isPaused) return;
    await scan({ acceptDeletes: false }).then(() => undefined, explain);
  };

  // ---- Scans ------------------------------------------------------------------------------------

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = scans.then(work, work);
    scans = next.catch(() => undefined);
    return next;
  };

  const scan = ({ acceptDeletes }: { readonly acceptDeletes: boolean }): Promise<ScanResult> =>
    inTurn(async () => {
      scanning = true;
      options.onCondition();
      try {
        const outcome = await scanRoot(context, {
          dirs: [''],
          deep: true,
          acceptDeletes,
          knownIdentity: identity,
          onProgress: report,
          signal: abort.signal,
          beforeListing: watchAll,
        });
        if (outcome.end.unreadable.includes('')) throw new AppError('root.unreadable', `${rootPath} cannot be read.`);
        settle(outcome.identity, outcome.hold, outcome.end);
        return outcome.result;
      } catch (cause) {
        if (cause instanceof AppError && cause.code.startsWith('data.')) hasUnsavedScan = true;
        if (cause instanceof AppError && cause.code.startsWith('root.')) stopWatching();
        retryLater(RETRY_MS);
        throw cause;
      } finally {
        scanning = false;
        progress = null;
        scheduleRescan();
        options.onCondition();
      }
    });

  const settle = (seenIdentity: string, seenHold: RootHold | null, { durationMs, unreadable }: ScanEnd): void => {
    lastListingMs = durationMs;
    const wasHeld = hold !== null;
    hold = seenHold === null ? null : { ...seenHold, sinceMs: hold?.sinceMs ?? seenHold.sinceMs };
    // A folder that was replaced stays suspect until its files are back, or a person accepts.
    if (hold === null) identity = seenIdentity;
    parts.roots.saveScan(rootId, { identity: identity ?? seenIdentity, hold });
    // What the vault could not take waits to be tried again: a scan passes it over and proves nothing.
    hasUnsavedScan = false;
    const isStillTroubled = isTroubleOfVault() && unsaved.size > 0;
    if (watcher?.isLimited() !== true && !isStillTroubled) setTrouble(null);
    else if (!isStillTroubled && trouble?.code !== 'watch.limited')
      setTrouble({ code: 'watch.limited', detail: 'Not all folders can be watched.' });
    if (unreadable.length > 0)
      parts.log.warn('Some folders cannot be read; what they hold is not captured.', {
        root: rootPath,
        folders: unreadable.slice(0, 20),
        count: unreadable.length,
      });
    if (hold !== null && !wasHeld)
      parts.log.warn(ERROR_CATALOGUE['root.held'].title, { root: rootPath, deletes: hold.deletes, total: hold.total });
  };

  const scanPart = (dirs: readonly string[], deep: boolean): Promise<void> => {
    if (dirs.includes('') && deep) return begin();
    return inTurn(async () => {
      if (!isThere()) return;
      const outcome = await scanRoot(context, {
        dirs,
        deep,
        acceptDeletes: false,
        knownIdentity: identity,
        onProgress: report,
        signal: abort.signal,
      });
      // What is gone in one part counts with the rest: the whole decides.
      if (outcome.hold !== null) void scanPart([''], true);
    }).catch((cause: unknown) => {
      if (cause instanceof AppError && cause.code.startsWith('data.')) hasUnsavedScan = true;
      explain(cause);
      // The whole then, as nobody else knows what was not looked at.
      retryLater(RETRY_MS);
    });
  };

  const report = (next: ScanProgress): void => {
    progress = next.phase === 'done' ? null : next;
    options.onProgress(next);
  };

  const scheduleRescan = (): void => {
    if (abort.signal.aborted || !options.isWatching) return;
    if (rescanTimer !== null) clearTimeout(rescanTimer);
    const everyMs =
      watcher?.isLimited() === true
        ? Math.min(LIMITED_MAX_MS, Math.max(LIMITED_MIN_MS, lastListingMs * LIMITED_FACTOR))
        : parts.limits().rescanMs;
    const inMs = everyMs * (0.75 + parts.random() / 2);
    nextScanAtMs = parts.wallMs() + inMs;
    rescanTimer = setTimeout(() => void begin(), inMs);
    rescanTimer.unref();
  };

  const state = (): RootState => {
    if (trouble?.code === 'root.missing') return 'missing';
    if (trouble?.code === 'root.unreadable') return 'unreadable';
    if (scanning) return 'scanning';
    if (hold !== null) return 'held';
    if (!options.isWatching) return 'stopped';
    if (isStarting) return 'starting';
    return watcher?.isLimited() === true ? 'limited' : 'watching';
  };

  return {
    rootId,
    path: rootPath,
    start: async () => {
      await begin();
      isStarting = false;
      lookTimer = setInterval(() => void (watcher === null || isThere()), LOOK_MS).unref();
      options.onCondition();
    },
    stop: async () => {
      abort.abort();
      stopWatching();
      for (const each of [retryTimer, rescanTimer, lookTimer]) if (each !== null) clearTimeout(each);
      await events.stop();
      await scans;
    },
    scan,
    condition: () => ({
      state: state(),
      code: trouble?.code ?? (hold === null ? null : 'root.held'),
      detail: trouble?.detail ?? null,
      hold,
    }),
    waiting: () =>
      context.coalescer.size() +
      context.reading.size +
      (progress === null ? 0 : progress.totalFiles - progress.doneFiles),
    progress: () => progress,
    nextScanAtMs: () => nextScanAtMs,
    folders: () => watcher?.folders() ?? 0,
    pause: async () => {
      isPaused = true;
      stopWatching();
      await scans;
    },
    resume: async () => {
      isPaused = false;
      await begin();
    },
  };
}
