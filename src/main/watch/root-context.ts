/** What the parts of one root's watch share. */
import type { CaptureCounts, Captures } from '../store/captures.ts';
import type { IndexReader } from '../store/index-reader.ts';
import type { RootStore } from '../store/roots.ts';
import type { Coalescer } from './coalesce.ts';
import type { HashPool } from './hash-pool.ts';
import type { IgnoreOptions, IgnoreRules } from './ignore-rules.ts';
import type { WriterProbe } from './open-writers.ts';

/** The settings that matter here, read at each use so that a change takes effect while running. */
export type WatchLimits = {
  readonly quietMs: number;
  readonly maxWaitMs: number;
  readonly openFileWaitMs: number;
  readonly maxFileBytes: number;
  readonly rescanMs: number;
  readonly holdOver: number;
  readonly holdShare: number;
};

/** As much of a logger as the watch needs. */
export type WatchLog = {
  readonly info: (message: string, data?: Record<string, unknown>) => void;
  readonly warn: (message: string, data?: Record<string, unknown>) => void;
  readonly error: (message: string, data?: Record<string, unknown>) => void;
};

/** Parts that all roots use together. */
export type WatchParts = {
  readonly dataFolder: string;
  readonly captures: Captures;
  readonly roots: RootStore;
  readonly index: IndexReader;
  readonly pool: HashPool;
  readonly writers: WriterProbe;
  readonly log: WatchLog;
  readonly limits: () => WatchLimits;
  /** Wall clock for what people see. */
  readonly wallMs: () => number;
  /** Monotonic clock for all waiting: a wall clock that jumps changes nothing. */
  readonly monotonicMs: () => number;
  /** A number in [0, 1): for jitter. */
  readonly random: () => number;
  readonly platform: NodeJS.Platform;
};

export type RootContext = {
  readonly parts: WatchParts;
  readonly rootId: number;
  readonly rootPath: string;
  readonly ignoreOptions: IgnoreOptions;
  readonly ignore: IgnoreRules;
  readonly coalescer: Coalescer;
  /** Paths that are being read right now, by events or a scan: the other one leaves them alone. */
  readonly reading: Set<string>;
  /** To be called after the coalescer was given something directly: it may be due before the timer. */
  readonly wake: () => void;
  /** Records what was seen; counts and tells the listeners. */
  readonly commit: (seen: Parameters<Captures['apply']>[1]) => CaptureCounts;
};
