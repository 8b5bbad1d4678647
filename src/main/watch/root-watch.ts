import { AppError, ERROR_CATALOGUE, type ErrorCode } from '../../shared/errors.ts';
import type { RootHold, RootState, ScanProgress, ScanResult } from '../../shared/model.ts';
import type { CaptureCounts, Seen } from '../store/captures.ts';
import { createCoalescer } from './coalesce.ts';
import { createEventQueue } from './event-queue.ts';
import { createIgnoreRules } from './ignore-rules.ts';
import type { RootContext, WatchParts } from './root-context.ts';
import { createRootFolder } from './root-folder.ts';
import { scanRoot } from './root-scan.ts';
import { createRootTrouble } from './root-trouble.ts';
import type { ScanEnd } from './scan.ts';

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
  /** The folder at the last scan that was not held: deletions are judged against it. */
  let identity = parts.roots.get(rootId)?.identity ?? null;
  let hold = parts.roots.get(rootId)?.hold ?? null;
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
  const trouble = createRootTrouble(context, options.onCondition);

  const isThere = (): boolean => {
    const found = folder.look();
    if (found === 'same') return true;
    folder.stop();
    if (found === 'missing') trouble.set({ code: 'root.missing', detail: `${rootPath} is not there.` });
    retryLater(found === 'missing' ? RETRY_MS : 0);
    return false;
  };

  const events = createEventQueue(context, {
    isThere,
    isHeld: () => hold !== null,
    scanFolders: (dirs, deep) => void scanPart(dirs, deep),
    onFailure: trouble.failed,
    onDone: trouble.done,
    retryMs: RETRY_MS,
  });
  const folder = createRootFolder(context, {
    onEvent: options.onEvent,
    onPath: events.note,
    onFolder: events.noteFolder,
    onLimited: (code) => trouble.set({ code: 'watch.limited', detail: `The system answered ${code}.` }),
  });

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
    await scan({ acceptDeletes: false }).then(() => undefined, trouble.explain);
  };

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
          beforeListing: () => {
            if (!abort.signal.aborted) folder.watchAll(options.isWatching && !isPaused);
          },
        });
        if (outcome.end.unreadable.includes('')) throw new AppError('root.unreadable', `${rootPath} cannot be read.`);
        settle(outcome.identity, outcome.hold, outcome.end);
        return outcome.result;
      } catch (cause) {
        trouble.scanFailed(cause);
        if (cause instanceof AppError && cause.code.startsWith('root.')) folder.stop();
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
    trouble.scanned(folder.isLimited());
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
      trouble.scanFailed(cause);
      trouble.explain(cause);
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
    const everyMs = folder.isLimited()
      ? Math.min(LIMITED_MAX_MS, Math.max(LIMITED_MIN_MS, lastListingMs * LIMITED_FACTOR))
      : parts.limits().rescanMs;
    const inMs = everyMs * (0.75 + parts.random() / 2);
    nextScanAtMs = parts.wallMs() + inMs;
    rescanTimer = setTimeout(() => void begin(), inMs);
    rescanTimer.unref();
  };

  const state = (): RootState => {
    const code = trouble.current()?.code;
    if (code === 'root.missing') return 'missing';
    if (code === 'root.unreadable') return 'unreadable';
    if (scanning) return 'scanning';
    if (hold !== null) return 'held';
    if (!options.isWatching) return 'stopped';
    if (isStarting) return 'starting';
    return folder.isLimited() ? 'limited' : 'watching';
  };

  return {
    rootId,
    path: rootPath,
    start: async () => {
      await begin();
      isStarting = false;
      lookTimer = setInterval(() => void (!folder.isWatched() || isThere()), LOOK_MS).unref();
      options.onCondition();
    },
    stop: async () => {
      abort.abort();
      folder.stop();
      for (const each of [retryTimer, rescanTimer, lookTimer]) if (each !== null) clearTimeout(each);
      await events.stop();
      await scans;
    },
    scan,
    condition: () => ({
      state: state(),
      code: trouble.current()?.code ?? (hold === null ? null : 'root.held'),
      detail: trouble.current()?.detail ?? null,
      hold,
    }),
    waiting: () =>
      context.coalescer.size() +
      context.reading.size +
      (progress === null ? 0 : progress.totalFiles - progress.doneFiles),
    progress: () => progress,
    nextScanAtMs: () => nextScanAtMs,
    folders: folder.folders,
    pause: async () => {
      isPaused = true;
      folder.stop();
      await scans;
    },
    resume: async () => {
      isPaused = false;
      await begin();
    },
  };
}
