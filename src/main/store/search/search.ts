import type Database from 'better-sqlite3';
import type { MethodInput, MethodOutput } from '../../../shared/contract.ts';
import { type Store, translateSqliteError } from '../database.ts';
import { isDamage, openIndex, removeIndex, SOURCES } from './index-file.ts';
import { createIndexer, type Indexer } from './indexer.ts';
import { createIndexing, type Indexing } from './indexing.ts';
import { createFindMatches, type FindMatches } from './matches.ts';
import { parseQuery } from './parse-query.ts';
import { createShowMatches } from './results.ts';
import { startIndexWorker } from './worker-handle.ts';

/** Finds files and records by their words. The index lives beside the vault and follows it in the background. */
export type Search = {
  /**
   * Answers within the bounds that `matches.ts` and `results.ts` set, whatever was asked; no text is an error.
   * A damaged index answers with nothing, and everything waiting, while it is made again.
   * Throws `data.*` when it can be neither read nor made.
   */
  readonly query: (input: MethodInput<'search.query'>) => MethodOutput<'search.query'>;
  /** Changes of the vault that are not searchable yet. Never throws: without an index everything waits. */
  readonly waiting: () => number;
  /** To be called after each commit to the vault; many calls at once cost one. */
  readonly wake: () => void;
  /** Resolves when everything committed before this call is searchable. Rejects when it is stopped before. */
  readonly idle: () => Promise<void>;
  /** Opens the index, or makes it, and begins to follow the vault. Never throws: problems are reported. */
  readonly start: () => void;
  /** Ends the indexing after the step it is in, and closes the index. */
  readonly stop: () => Promise<void>;
};

export type SearchOptions = {
  readonly store: Store;
  /** Hears what went wrong in the background, once per message and hour. */
  readonly onProblem: (message: string) => void;
  readonly nowMs: () => number;
};

/** A worker without work ends after this long, so that an idle agent stays small. */
const WORKER_IDLE_MS = 10_000;

type Opened = { readonly index: Database.Database; readonly indexer: Indexer; readonly find: FindMatches };

export function createSearch(options: SearchOptions): Search {
  const { store } = options;
  const onProblem = quietly(options);
  const show = createShowMatches(store);
  const removedRoots = store.db.prepare<[], { id: number }>('SELECT id FROM roots WHERE removed_at_ms IS NOT NULL');
  const documents = (): number => countDocuments(store);
  let opened: Opened | null = null;

  const open = (): Opened => {
    if (opened !== null) return opened;
    try {
      const index = openIndex(store.dataFolder, vaultMark(store), onProblem);
      const indexer = createIndexer({ index, vault: store.db, dataFolder: store.dataFolder, onProblem });
      opened = { index, indexer, find: createFindMatches(index) };
      return opened;
    } catch (cause) {
      throw translateSqliteError(cause, store.dataFolder);
    }
  };
  const close = (): void => {
    opened?.index.close();
    opened = null;
  };
  const indexing: Indexing = createIndexing({
    startWorker: (listeners) => startIndexWorker(store.dataFolder, WORKER_IDLE_MS, listeners),
    indexer: () => open().indexer,
    newestChange: () => vaultMark(store).newestChange,
    remake: () => {
      close();
      removeIndex(store.dataFolder);
    },
    onProblem,
    nowMs: options.nowMs,
  });

  const query: Search['query'] = (input) => {
    const startedMs = performance.now();
    try {
      const { index, indexer, find } = open();
      const parsed = parseQuery(input.query, shortestPrefix(index));
      const found = find(parsed, { ...input, removedRoots: removedRoots.all().map((root) => root.id) });
      const hits = show(found.matches, parsed.kind === 'match' ? parsed.terms : []);
      return { hits, capped: found.capped, waiting: indexer.waiting(), tookMs: performance.now() - startedMs };
    } catch (cause) {
      if (!isDamage(cause)) throw translateSqliteError(cause, store.dataFolder);
      indexing.remake((cause as Error).message);
      return { hits: [], capped: false, waiting: documents(), tookMs: performance.now() - startedMs };
    }
  };
  const waiting = (): number => {
    try {
      return open().indexer.waiting();
    } catch (cause) {
      if (isDamage(cause)) indexing.remake((cause as Error).message);
      else onProblem((cause as Error).message);
      return documents();
    }
  };
  return {
    query,
    waiting,
    wake: indexing.wake,
    idle: indexing.idle,
    start: indexing.start,
    stop: async () => {
      await indexing.stop();
      close();
    },
  };
}

function vaultMark(store: Store): { deviceId: string; newestChange: number } {
  const row = store.db.prepare<[], { value: number }>("SELECT value FROM counters WHERE name = 'change'").get();
  return { deviceId: store.deviceId, newestChange: row?.value ?? 0 };
}

function countDocuments({ db }: Store): number {
  const counts = SOURCES.map((source) => `(SELECT count(*) FROM ${source})`).join(' + ');
  return db.prepare<[], { total: number }>(`SELECT ${counts} AS total`).get()?.total ?? 0;
}

/** Two letters begin so many words of a large index that looking them all up would be felt (measured). */
export function shortestPrefix(index: Database.Database): number {
  const pages = index.pragma('page_count', { simple: true }) as number;
  const megabytes = (pages * (index.pragma('page_size', { simple: true }) as number)) / 1_000_000;
  if (megabytes < 50) return 2;
  return megabytes < 500 ? 3 : 4;
}

const QUIET_MS = 3_600_000;

/** Says the same thing once an hour. */
function quietly({ onProblem, nowMs }: SearchOptions): (message: string) => void {
  const saidAtMs = new Map<string, number>();
  return (message) => {
    const now = nowMs();
    const last = saidAtMs.get(message);
    if (last !== undefined && Math.abs(now - last) < QUIET_MS) return;
    if (saidAtMs.size >= 1_000) saidAtMs.clear();
    saidAtMs.set(message, now);
    onProblem(message);
  };
}
