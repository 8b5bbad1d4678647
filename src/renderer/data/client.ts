/** Picks the carrier: the desktop window's bridge when there is one, else loopback HTTP with a WebSocket for events. */
import type {
  AgentClient,
  EventName,
  EventPayload,
  MethodInput,
  MethodName,
  MethodOutput,
} from '../../shared/contract.ts';
import type {
  DesktopEventName,
  DesktopEvents,
  DesktopInput,
  DesktopMethodName,
  DesktopOutput,
} from '../../shared/desktop.ts';
import { AppError, fromWireError, type WireError } from '../../shared/errors.ts';
import { createHttpClient } from './http-client.ts';
import { createStore, type Store } from './store.ts';

/**
 * What the page knows about its agent. `reads` grows with every new connection: views read again when it does,
 * because events may have been lost in between.
 */
export type Connection =
  | { readonly state: 'connecting'; readonly reads: number }
  | { readonly state: 'live'; readonly reads: number }
  | { readonly state: 'lost'; readonly reads: number; readonly sinceMs: number }
  | { readonly state: 'signed-out'; readonly reads: number };

export type PageClient = AgentClient & {
  readonly connection: Store<Connection>;
  /** Tries to reach the agent now instead of at the next turn. */
  readonly retryNow: () => void;
  /** The shell around the page; null in a browser. */
  readonly desktop: DesktopClient | null;
};

export type DesktopClient = {
  /** Rejects with an AppError. */
  readonly call: <M extends DesktopMethodName>(method: M, input: DesktopInput<M>) => Promise<DesktopOutput<M>>;
  readonly on: <E extends DesktopEventName>(event: E, listener: (payload: DesktopEvents[E]) => void) => () => void;
};

/** What the preload script of the desktop window exposes: errors travel as values, because a bridge loses their class. */
export type AnglesBridge = {
  readonly call: (
    method: MethodName | DesktopMethodName,
    input: unknown,
  ) => Promise<{ value: unknown } | { error: WireError }>;
  readonly on: (event: EventName | DesktopEventName, listener: (payload: unknown) => void) => () => void;
};

declare global {
  interface Window {
    readonly angles?: AnglesBridge;
  }
}

export function createPageClient(): PageClient {
  if (window.angles !== undefined) return createBridgeClient(window.angles);
  // A window of the desktop app has a bridge, or something is broken; there is no server behind its address.
  if (/\bElectron\//.test(navigator.userAgent)) return createBrokenClient();
  return createHttpClient({
    fetch: (path, init) => fetch(path, init),
    openSocket: (path) => new WebSocket(new URL(path, location.href.replace(/^http/, 'ws'))),
    later: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    nowMs: Date.now,
  });
}

/** The agent lives in the same program as the window: the connection is always there. */
export function createBridgeClient(bridge: AnglesBridge): PageClient {
  const call = async (method: MethodName | DesktopMethodName, input: unknown): Promise<unknown> => {
    const answer = await bridge.call(method, input);
    if ('error' in answer) throw fromWireError(answer.error);
    return answer.value;
  };
  return {
    connection: createStore<Connection>({ state: 'live', reads: 1 }),
    retryNow: () => undefined,
    call: async <M extends MethodName>(method: M, input: MethodInput<M>) =>
      (await call(method, input)) as MethodOutput<M>,
    on: <E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void) =>
      bridge.on(event, (payload) => listener(payload as EventPayload<E>)),
    close: () => undefined,
    desktop: {
      call: async <M extends DesktopMethodName>(method: M, input: DesktopInput<M>) =>
        (await call(method, input)) as DesktopOutput<M>,
      on: <E extends DesktopEventName>(event: E, listener: (payload: DesktopEvents[E]) => void) =>
        bridge.on(event, (payload) => listener(payload as DesktopEvents[E])),
    },
  };
}

/** Says in every place what is wrong, instead of waiting for an agent that this page can never reach. */
function createBrokenClient(): PageClient {
  return {
    connection: createStore<Connection>({ state: 'live', reads: 1 }),
    retryNow: () => location.reload(),
    call: () => Promise.reject(new AppError('window.no_bridge', 'The preload script of this window did not run.')),
    on: () => () => undefined,
    close: () => undefined,
    desktop: null,
  };
}
