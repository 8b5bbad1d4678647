/** Reading from the agent in views: the last answer stays on screen while a newer one is fetched. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { EventName, MethodInput, MethodName, MethodOutput } from '../../shared/contract.ts';
import { useApp } from '../app-context.ts';
import { useStore } from './store.ts';

const CACHE_SIZE = 60;
/** Events come in crowds; one reading answers all of a moment ... */
const SETTLE_MS = 200;
/** ... and while they keep coming, one a second is enough for an eye. */
const APART_MS = 1_000;
/** Places that ask the same at the same moment share one call. It is shorter than SETTLE_MS: no answer is older than its event. */
const SHARE_MS = 50;

/** The last answers, so that going back shows something at once. */
export type QueryCache = {
  readonly get: (key: string) => unknown;
  readonly put: (key: string, value: unknown) => void;
  /** Runs `read`, or joins the one of this key that began a moment ago. */
  readonly share: (key: string, read: () => Promise<unknown>) => Promise<unknown>;
};

export function createQueryCache(size = CACHE_SIZE, nowMs: () => number = () => performance.now()): QueryCache {
  const answers = new Map<string, unknown>();
  const running = new Map<string, { readonly answer: Promise<unknown>; readonly sinceMs: number }>();
  return {
    get: (key) => answers.get(key),
    put: (key, value) => {
      answers.delete(key);
      answers.set(key, value);
      const [oldest] = answers.keys();
      if (answers.size > size && oldest !== undefined) answers.delete(oldest);
    },
    share: (key, read) => {
      const known = running.get(key);
      if (known !== undefined && nowMs() - known.sinceMs < SHARE_MS) return known.answer;
      const mine = { answer: read(), sinceMs: nowMs() };
      running.set(key, mine);
      const leave = (): void => {
        if (running.get(key) === mine) running.delete(key);
      };
      mine.answer.then(leave, leave);
      return mine.answer;
    },
  };
}

export type Query<T> = {
  readonly data: T | undefined;
  /** The newest attempt failed; `data` is then of an earlier one. */
  readonly error: unknown;
  readonly loading: boolean;
  readonly reload: () => void;
};

type State<T> = {
  readonly key: string;
  readonly data: T | undefined;
  readonly error: unknown;
  readonly loading: boolean;
};

/**
 * Reads `method` and keeps it fresh: again when the input changes, after a reconnect, and when one of `refreshOn`
 * happens. A null input reads nothing.
 */
export function useQuery<M extends MethodName>(
  method: M,
  input: MethodInput<M> | null,
  refreshOn: readonly EventName[] = [],
): Query<MethodOutput<M>> {
  const { client, cache } = useApp();
  const { reads } = useStore(client.connection);
  const key = input === null ? '' : `${method} ${JSON.stringify(input)}`;
  const cached = (): State<MethodOutput<M>> => ({
    key,
    data: cache.get(key) as MethodOutput<M> | undefined,
    error: null,
    loading: key !== '',
  });
  const [kept, setState] = useState(cached);
  const state = kept.key === key ? kept : cached();
  const turn = useRef(0);

  const reload = useCallback(() => {
    if (input === null) return;
    turn.current += 1;
    const mine = turn.current;
    cache
      .share(key, () => client.call(method, input))
      .then(
        (answer) => {
          const data = answer as MethodOutput<M>;
          cache.put(key, data);
          if (mine === turn.current) setState({ key, data, error: null, loading: false });
        },
        (error: unknown) => {
          if (mine === turn.current) {
            setState({ key, data: cache.get(key) as MethodOutput<M> | undefined, error, loading: false });
          }
        },
      );
  }, [key, client]);

  useEffect(() => {
    reload();
    return () => {
      turn.current += 1;
    };
  }, [reload, reads]);
  useRefresh(refreshOn, reload);
  return { data: state.data, error: state.error, loading: state.loading, reload };
}

/**
 * Calls `task` soon after one of the events, once for a crowd of them. A page that nobody looks at waits until
 * somebody does.
 */
export function useRefresh(events: readonly EventName[], task: () => void): void {
  const { client } = useApp();
  const latest = useRef(task);
  latest.current = task;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let owed = false;
    let lastMs = Number.NEGATIVE_INFINITY;
    const run = (): void => {
      timer = null;
      owed = document.hidden;
      if (owed) return;
      lastMs = performance.now();
      latest.current();
    };
    const soon = (): void => {
      timer ??= setTimeout(run, Math.max(SETTLE_MS, lastMs + APART_MS - performance.now()));
    };
    const onSeen = (): void => {
      if (owed && timer === null) run();
    };
    document.addEventListener('visibilitychange', onSeen);
    const stops = events.map((event) => client.on(event, soon));
    return () => {
      for (const stop of stops) stop();
      document.removeEventListener('visibilitychange', onSeen);
      if (timer !== null) clearTimeout(timer);
    };
  }, [client, events.join(' ')]);
}
