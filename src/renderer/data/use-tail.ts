import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { LogRecord } from '../../shared/model.ts';
import { useApp } from '../app-context.ts';
import { addLines, type LogFilter, passes } from './log-lines.ts';
import { useStore } from './store.ts';

const FIRST = 1_000;

export type Tail = {
  readonly lines: readonly LogRecord[];
  readonly components: readonly string[];
  readonly waiting: number;
  readonly paused: boolean;
  readonly loading: boolean;
  readonly error: unknown;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly reload: () => void;
};

/** Reads the last lines that pass, then takes in new ones as they are told, once each. */
export function useTail(filter: LogFilter): Tail {
  const { client } = useApp();
  const { reads } = useStore(client.connection);
  const [lines, setLines] = useState<readonly LogRecord[]>([]);
  const [held, setHeld] = useState<readonly LogRecord[]>([]);
  const [components, setComponents] = useState<readonly string[]>([]);
  const [paused, setPaused] = useState(false);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const { level, component, text: contains } = filter;
  const turn = useRef(0);
  // Read by the listener at the very moment a line comes in: a state would be a frame late.
  const pausedNow = useRef(false);

  const reload = useCallback(() => {
    turn.current += 1;
    const mine = turn.current;
    client
      .call('logs.list', {
        level,
        limit: FIRST,
        ...(component === '' ? {} : { component }),
        ...(contains === '' ? {} : { text: contains }),
      })
      .then(
        ({ records }) => {
          if (mine !== turn.current) return;
          const last = records.at(-1)?.seq ?? -1;
          const filter = { level, component, text: contains };
          setLines((known) =>
            addLines(
              records,
              known.filter((line) => line.seq > last && passes(line, filter)),
            ),
          );
          setHeld([]);
          setComponents((known) => [...new Set([...known, ...records.map((line) => line.component)])]);
          setError(null);
          setLoading(false);
        },
        (failure: unknown) => {
          if (mine !== turn.current) return;
          setError(failure);
          setLoading(false);
        },
      );
  }, [client, level, component, contains]);
  useEffect(reload, [reload, reads]);

  useEffect(() => {
    // Lines come in crowds: they are taken in once per frame.
    let crowd: LogRecord[] = [];
    let frame = 0;
    const flush = (): void => {
      const fresh = crowd;
      crowd = [];
      frame = 0;
      (pausedNow.current ? setHeld : setLines)((known) => addLines(known, fresh));
    };
    const stop = client.on('log', (line) => {
      if (!passes(line, { level, component, text: contains })) return;
      crowd.push(line);
      if (frame === 0) frame = requestAnimationFrame(flush);
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [client, level, component, contains]);

  return {
    lines,
    components,
    waiting: held.length,
    paused,
    loading,
    error,
    reload,
    pause: () => {
      pausedNow.current = true;
      setPaused(true);
    },
    resume: () => {
      pausedNow.current = false;
      setLines((known) => addLines(known, held));
      setHeld([]);
      setPaused(false);
    },
  };
}
