/** Picks the carrier: the desktop window's bridge when there is one, else loopback HTTP with a WebSocket for events. */
import type {
  AgentClient,
  EventName,
  EventPayload,
  MethodInput,
  MethodName,
  MethodOutput,
} from '../../shared/contract.ts';
import { fromWireError, type WireError } from '../../shared/errors.ts';
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
};

/** What the preload script of the desktop window exposes: errors travel as values, because a bridge loses their class. */
export type AnglesBridge = {
  readonly call: (method: MethodName, input: unknown) => Promise<{ value: unknown } | { error: WireError }>;
  readonly on: (event: EventName, listener: (payload: unknown) => void) => () => void;
};

declare global {
  interface Window {
    readonly angles?: AnglesBridge;
  }
}

export function createPageClient(): PageClient {
  if (window.angles !== undefined) return createBridgeClient(window.angles);
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
  return {
    connection: createStore<Connection>({ state: 'live', reads: 1 }),
    retryNow: () => undefined,
    call: async <M extends MethodName>(method: M, input: MethodInput<M>) => {
      const answer = await bridge.call(method, input);
      if ('error' in answer) throw fromWireError(answer.error);
      return answer.value as MethodOutput<M>;
    },
    on: <E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void) =>
      bridge.on(event, (payload) => listener(payload as EventPayload<E>)),
    close: () => undefined,
  };
}
