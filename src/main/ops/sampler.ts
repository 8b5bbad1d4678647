/** Notes once a minute how the agent is doing. Between two minutes it costs nothing, and it keeps nothing awake. */
import type { HealthSample } from '../store/health-samples.ts';

export type SamplerParts = {
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** CPU time of the process so far, in milliseconds. */
  readonly cpuMs: () => number;
  readonly memoryBytes: () => number;
  /** Changes that wait: to be captured, or to be sent. */
  readonly queued: () => number;
  /** Keeps samples; may throw (a full disk), then they are given again. */
  readonly save: (samples: readonly HealthSample[]) => void;
  readonly onProblem: (cause: unknown) => void;
};

export type Sampler = {
  /** Calls `take` every minute from now on. */
  readonly start: () => void;
  /** Ends the present sample, and keeps it with the next ones. */
  readonly take: () => void;
  /** A remote acknowledged records that had waited for so long. */
  readonly noteSent: (waitedMs: readonly number[]) => void;
  /** Writes what is only in memory yet. */
  readonly flush: () => void;
  /** Takes and writes the last one. */
  readonly stop: () => void;
};

const EVERY_MS = 60_000;
/** Written together, so that an idle disk is woken every five minutes and not every one. */
const TOGETHER = 5;
/** While nothing can be written, the newest of an hour are kept. */
const MOST_WAITING = 60;
/** Shorter than this a span tells nothing: a stop just after a minute. */
const SHORTEST_MS = 1_000;

export function createSampler(parts: SamplerParts): Sampler {
  let timer: NodeJS.Timeout | null = null;
  let waiting: HealthSample[] = [];
  let sinceMs = parts.monotonicMs();
  let cpuBeforeMs = parts.cpuMs();
  let sent = { records: 0, sumMs: 0, maxMs: 0 };
  let isFailing = false;

  const take = (): void => {
    const untilMs = parts.monotonicMs();
    const cpuMs = parts.cpuMs();
    waiting.push({
      atMs: parts.nowMs(),
      spanMs: untilMs - sinceMs,
      cpuMs: cpuMs - cpuBeforeMs,
      memoryBytes: parts.memoryBytes(),
      queued: parts.queued(),
      sent: sent.records,
      latencySumMs: sent.sumMs,
      latencyMaxMs: sent.maxMs,
    });
    waiting = waiting.slice(-MOST_WAITING);
    sinceMs = untilMs;
    cpuBeforeMs = cpuMs;
    sent = { records: 0, sumMs: 0, maxMs: 0 };
  };
  const flush = (): void => {
    if (waiting.length === 0) return;
    try {
      parts.save(waiting);
      waiting = [];
      isFailing = false;
    } catch (cause) {
      if (!isFailing) parts.onProblem(cause);
      isFailing = true;
    }
  };
  return {
    start: () => {
      sinceMs = parts.monotonicMs();
      cpuBeforeMs = parts.cpuMs();
      timer = setInterval(() => {
        take();
        if (waiting.length >= TOGETHER) flush();
      }, EVERY_MS);
      timer.unref();
    },
    take,
    noteSent: (waitedMs) => {
      for (const ms of waitedMs) {
        const known = Math.max(0, ms);
        sent = { records: sent.records + 1, sumMs: sent.sumMs + known, maxMs: Math.max(sent.maxMs, known) };
      }
    },
    flush,
    stop: () => {
      if (timer === null) return;
      clearInterval(timer);
      timer = null;
      if (parts.monotonicMs() - sinceMs >= SHORTEST_MS) take();
      flush();
    },
  };
}
