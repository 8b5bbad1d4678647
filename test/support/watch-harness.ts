/** A vault and a watch over real folders, without the rest of the agent. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createActivityStore } from '../../src/main/store/activities.ts';
import { type Captures, createCaptures } from '../../src/main/store/captures.ts';
import { readContent } from '../../src/main/store/contents.ts';
import { openStore, type Store } from '../../src/main/store/database.ts';
import { createFileQueries, type FileQueries } from '../../src/main/store/file-queries.ts';
import { createIndexReader } from '../../src/main/store/index-reader.ts';
import { createOutbox } from '../../src/main/store/outbox.ts';
import { createRootStore, type RootStore } from '../../src/main/store/roots.ts';
import { createHashPool } from '../../src/main/watch/hash-pool.ts';
import { createWriterProbe } from '../../src/main/watch/open-writers.ts';
import type { WatchLimits } from '../../src/main/watch/root-context.ts';
import type { RootCondition } from '../../src/main/watch/root-watch.ts';
import { createWatchService, type WatchService } from '../../src/main/watch/watch-service.ts';
import type { ScanResult } from '../../src/shared/model.ts';

export type WatchHarness = {
  readonly root: string;
  readonly dataFolder: string;
  readonly store: Store;
  readonly captures: Captures;
  readonly roots: RootStore;
  readonly files: FileQueries;
  readonly watch: WatchService;
  readonly rootId: number;
  readonly log: { readonly level: string; readonly message: string }[];
  readonly start: () => Promise<void>;
  readonly scan: () => Promise<ScanResult>;
  readonly condition: () => RootCondition;
  /** Waits until `test` holds (polls; fails after ten seconds with what `describe` says). */
  readonly until: (test: () => boolean, describe: () => unknown) => Promise<void>;
  /** All versions of a path ever captured, oldest first, as text; null for a deletion. */
  readonly versions: (path: string) => (string | null)[];
  readonly present: () => string[];
  readonly stop: () => Promise<void>;
};

export const FAST_LIMITS: WatchLimits = {
  quietMs: 60,
  maxWaitMs: 600,
  openFileWaitMs: 5_000,
  maxFileBytes: 10_000_000,
  rescanMs: 3_600_000,
  holdOver: 50,
  holdShare: 0.2,
};

export function createWatchHarness(
  options: {
    readonly limits?: Partial<WatchLimits>;
    readonly root?: string;
    readonly dataFolder?: string;
    readonly exclude?: readonly string[];
    readonly isWatching?: boolean;
  } = {},
): WatchHarness {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'angles-watch-')));
  const root = options.root ?? join(base, 'root');
  const dataFolder = options.dataFolder ?? join(base, 'data');
  mkdirSync(root, { recursive: true });
  mkdirSync(dataFolder, { recursive: true });
  const store = openStore({ dataFolder, nowMs: Date.now });
  const outbox = createOutbox(store);
  const captures = createCaptures(store, { outbox, activities: createActivityStore(store, outbox) });
  const roots = createRootStore(store);
  const { rootId } = roots.ensure(root);
  const files = createFileQueries(store);
  const log: { level: string; message: string }[] = [];
  const note = (level: string) => (message: string, data?: Record<string, unknown>) =>
    void log.push({
      level,
      message: `${message} ${JSON.stringify(data ?? {}, (_, value: unknown) => (value instanceof Error ? value.stack : value))}`,
    });
  const limits = { ...FAST_LIMITS, ...options.limits };
  const watch = createWatchService({
    isWatching: options.isWatching ?? true,
    parts: {
      dataFolder,
      captures,
      roots,
      index: createIndexReader(store.db),
      pool: createHashPool({ dataFolder }),
      writers: createWriterProbe(process.platform),
      log: { info: note('info'), warn: note('warn'), error: note('error') },
      limits: () => limits,
      wallMs: Date.now,
      monotonicMs: () => performance.now(),
      random: () => 0.5,
      platform: process.platform,
    },
    onCaptured: () => undefined,
    onCondition: () => undefined,
    onProgress: () => undefined,
  });
  const content = (sha256: string | null): string | null =>
    sha256 === null ? null : readContent(store.db, dataFolder, Buffer.from(sha256, 'hex')).toString('latin1');
  const until: WatchHarness['until'] = async (test, describe) => {
    const endMs = performance.now() + 10_000;
    while (!test()) {
      if (performance.now() > endMs)
        throw new Error(`did not happen within 10 s: ${JSON.stringify(describe())} ${JSON.stringify(log)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return {
    root,
    dataFolder,
    store,
    captures,
    roots,
    files,
    watch,
    rootId,
    log,
    start: () => watch.start([{ rootId, path: root, exclude: options.exclude ?? [], respectGitignore: true }]),
    scan: () => watch.scan(rootId, { acceptDeletes: false }),
    condition: () => {
      const condition = watch.condition(rootId);
      if (condition === null) throw new Error('the root is not watched');
      return condition;
    },
    until,
    versions: (path) =>
      files
        .history(rootId, path, 1_000, null)
        .map((snapshot) => content(snapshot.sha256))
        .reverse(),
    present: () => files.list({ rootId }, 'path', 1_000, null).files.map((file) => file.path),
    stop: async () => {
      await watch.stop();
      store.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}
