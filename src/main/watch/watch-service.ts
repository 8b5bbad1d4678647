import type { ScanProgress, ScanResult } from '../../shared/model.ts';
import type { CaptureCounts } from '../store/captures.ts';
import { type BurstDetector, burstThreshold, createBurstDetector } from './burst.ts';
import type { WatchParts } from './root-context.ts';
import { createRootWatch, type RootCondition, type RootWatch } from './root-watch.ts';

/** Watches all roots. */
export type WatchService = {
  /** Resolves when every root is either captured up to date or has a reason why not. */
  readonly start: (roots: readonly WatchedRoot[]) => Promise<void>;
  /** Watches what is new, stops what is not listed any more, restarts what has other rules. */
  readonly setRoots: (roots: readonly WatchedRoot[]) => Promise<void>;
  readonly scan: (rootId: number, options: { readonly acceptDeletes: boolean }) => Promise<ScanResult>;
  readonly scanAll: () => Promise<readonly ScanResult[]>;
  readonly condition: (rootId: number) => RootCondition | null;
  readonly progress: () => readonly ScanProgress[];
  readonly waiting: () => number;
  /** Resolves when nothing waits any more, or after `atMostMs`. */
  readonly settled: (atMostMs: number) => Promise<void>;
  readonly nextScanAtMs: () => number | null;
  /** Watches that the system keeps for us. */
  readonly folders: () => number;
  /**
   * Stops watching until what it gives back is called: that watches again and captures what changed meanwhile. Scans
   * that somebody asks for work all the same.
   */
  readonly pause: () => Promise<() => Promise<void>>;
  readonly stop: () => Promise<void>;
};

export type WatchedRoot = {
  readonly rootId: number;
  readonly path: string;
  readonly exclude: readonly string[];
  readonly respectGitignore: boolean;
};

export type WatchServiceOptions = {
  /** False for a command that only scans: no folder is watched, no scan is planned. */
  readonly isWatching: boolean;
  readonly parts: WatchParts;
  readonly onCaptured: (counts: CaptureCounts) => void;
  readonly onCondition: () => void;
  readonly onProgress: (progress: ScanProgress) => void;
};

export function createWatchService(options: WatchServiceOptions): WatchService {
  const { parts } = options;
  const watches = new Map<number, { readonly root: WatchedRoot; readonly watch: RootWatch }>();
  const burst: BurstDetector = createBurstDetector({
    nowMs: parts.monotonicMs,
    threshold: burstThreshold(parts.platform),
    onQuietAgain: () => {
      parts.log.info('Very many changes at once: scanning, so that none is missed.');
      void scanAll();
    },
  });

  const add = async (root: WatchedRoot): Promise<void> => {
    const watch = createRootWatch({
      ...root,
      parts,
      onEvent: burst.event,
      onCaptured: options.onCaptured,
      isWatching: options.isWatching,
      onCondition: options.onCondition,
      onProgress: options.onProgress,
    });
    watches.set(root.rootId, { root, watch });
    if (options.isWatching) await watch.start();
  };

  const setRoots = async (roots: readonly WatchedRoot[]): Promise<void> => {
    const wanted = new Map(roots.map((root) => [root.rootId, root]));
    for (const [rootId, { root, watch }] of watches) {
      const next = wanted.get(rootId);
      if (next !== undefined && isSameRoot(root, next)) continue;
      watches.delete(rootId);
      await watch.stop();
    }
    // One after the other: two first scans at once would take twice the memory and no less time.
    for (const root of roots) if (!watches.has(root.rootId)) await add(root);
    options.onCondition();
  };

  const scan = (rootId: number, how: { readonly acceptDeletes: boolean }): Promise<ScanResult> => {
    const known = watches.get(rootId);
    if (known === undefined) return Promise.reject(new Error(`root ${rootId} is not watched`));
    return known.watch.scan(how);
  };

  const scanAll = async (): Promise<readonly ScanResult[]> => {
    const results: ScanResult[] = [];
    for (const { watch } of [...watches.values()]) {
      try {
        results.push(await watch.scan({ acceptDeletes: false }));
      } catch (cause) {
        parts.log.warn('A scan could not be done.', { root: watch.path, error: cause });
      }
    }
    return results;
  };

  const waiting = (): number => [...watches.values()].reduce((sum, { watch }) => sum + watch.waiting(), 0);

  return {
    start: setRoots,
    setRoots,
    scan,
    scanAll,
    condition: (rootId) => watches.get(rootId)?.watch.condition() ?? null,
    progress: () => [...watches.values()].flatMap(({ watch }) => watch.progress() ?? []),
    waiting,
    folders: () => [...watches.values()].reduce((sum, { watch }) => sum + watch.folders(), 0),
    nextScanAtMs: () => {
      const times = [...watches.values()].flatMap(({ watch }) => watch.nextScanAtMs() ?? []);
      return times.length === 0 ? null : Math.min(...times);
    },
    settled: async (atMostMs) => {
      const endMs = parts.monotonicMs() + atMostMs;
      while (waiting() > 0 && parts.monotonicMs() < endMs) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    pause: async () => {
      const paused = [...watches.values()].map(({ watch }) => watch);
      await Promise.all(paused.map((watch) => watch.pause()));
      return async () => {
        const still = new Set([...watches.values()].map(({ watch }) => watch));
        for (const watch of paused) if (still.has(watch)) await watch.resume();
      };
    },
    stop: async () => {
      burst.stop();
      const all = [...watches.values()];
      watches.clear();
      await Promise.all(all.map(({ watch }) => watch.stop()));
      await parts.pool.stop();
    },
  };
}

function isSameRoot(a: WatchedRoot, b: WatchedRoot): boolean {
  return (
    a.path === b.path && a.respectGitignore === b.respectGitignore && a.exclude.join('\n') === b.exclude.join('\n')
  );
}
