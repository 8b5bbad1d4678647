/** Listings that are read page by page while somebody scrolls. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EventName } from '../../shared/contract.ts';
import { useApp } from '../app-context.ts';
import { useRefresh } from './query.ts';
import { useStore } from './store.ts';

/** A list that was scrolled further than this stays as it is until it is opened again. */
const FRESH_ROWS = 3_000;

export type Pages<T> = {
  readonly items: readonly T[];
  readonly total: number | null;
  readonly error: unknown;
  readonly loading: boolean;
  /** There is more to read after what is here. */
  readonly more: boolean;
  readonly readMore: () => void;
  readonly reload: () => void;
};

export type Page<T> = { readonly items: readonly T[]; readonly next: string | null; readonly total?: number };

type PagesState<T> = {
  readonly key: string;
  readonly items: readonly T[];
  readonly next: string | null;
  readonly total: number | null;
  readonly error: unknown;
  readonly loading: boolean;
};

/**
 * Reads a listing page by page. `key` names what is listed: another key starts over. `join` merges a fresh first page
 * into what is loaded; without it a refresh reads from the start.
 */
export function usePages<T>(
  key: string,
  read: (cursor: string | null) => Promise<Page<T>>,
  refreshOn: readonly EventName[] = [],
  join?: (fresh: readonly T[], loaded: readonly T[]) => { readonly items: readonly T[]; readonly touched: boolean },
): Pages<T> {
  const { client } = useApp();
  const { reads } = useStore(client.connection);
  const start = (): PagesState<T> => ({ key, items: [], next: null, total: null, error: null, loading: true });
  const [kept, setState] = useState(start);
  const state = kept.key === key ? kept : start();
  const latest = useRef(state);
  latest.current = state;
  const turn = useRef(0);
  const reading = useRef(false);

  const fetchPage = (cursor: string | null): void => {
    turn.current += 1;
    const mine = turn.current;
    reading.current = true;
    const wanted = cursor === null && join === undefined ? latest.current.items.length : 0;
    readAtLeast(wanted, cursor, read).then(
      (page) => {
        if (mine !== turn.current) return;
        reading.current = false;
        setState(afterPage(latest.current, page, cursor, join));
      },
      (error: unknown) => {
        if (mine !== turn.current) return;
        reading.current = false;
        setState({ ...latest.current, key, error, loading: false });
      },
    );
  };
  useEffect(() => {
    fetchPage(null);
    return () => {
      turn.current += 1;
      reading.current = false;
    };
  }, [key, reads, client]);
  useRefresh(refreshOn, () => {
    if (latest.current.items.length <= FRESH_ROWS) fetchPage(null);
  });

  return {
    items: state.items,
    total: state.total,
    error: state.error,
    loading: state.loading,
    more: state.next !== null,
    readMore: () => {
      if (latest.current.next !== null && !reading.current) fetchPage(latest.current.next);
    },
    reload: () => fetchPage(null),
  };
}

/** Reads on until `wanted` rows are there, so that a refresh does not take away what somebody scrolled to. */
async function readAtLeast<T>(
  wanted: number,
  cursor: string | null,
  read: (cursor: string | null) => Promise<Page<T>>,
): Promise<Page<T>> {
  let page = await read(cursor);
  while (page.items.length < wanted && page.next !== null) {
    const more = await read(page.next);
    page = { ...more, items: [...page.items, ...more.items] };
  }
  return page;
}

function afterPage<T>(
  state: PagesState<T>,
  page: Page<T>,
  cursor: string | null,
  join: Parameters<typeof usePages<T>>[3],
): PagesState<T> {
  const total = page.total ?? null;
  const done = { key: state.key, total, error: null, loading: false };
  if (cursor !== null) return { ...done, items: [...state.items, ...page.items], next: page.next };
  if (join === undefined || state.items.length === 0) return { ...done, items: page.items, next: page.next };
  const joined = join(page.items, state.items);
  return { ...done, items: joined.items, next: joined.touched ? state.next : page.next };
}
