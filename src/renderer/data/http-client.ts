/** The contract over loopback HTTP: one POST for each call, one WebSocket for all events. */
import type {
  AgentEvent,
  EventName,
  EventPayload,
  MethodInput,
  MethodName,
  MethodOutput,
} from '../../shared/contract.ts';
import { AppError, fromWireError, type WireError } from '../../shared/errors.ts';
import type { Connection, PageClient } from './client.ts';
import { retryDelayMs } from './reconnect.ts';
import { createStore } from './store.ts';

/** The part of a WebSocket that is used; a test brings its own. */
export type Socket = {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: never) => void) | null;
  readonly close: () => void;
};

export type HttpWorld = {
  readonly fetch: (
    path: string,
    init: { method: string; headers: Record<string, string>; body: string; signal: AbortSignal },
  ) => Promise<{ readonly status: number; readonly json: () => Promise<unknown> }>;
  readonly openSocket: (path: string) => Socket;
  /** Runs a task after a delay; returns how to call it off. */
  readonly later: (delayMs: number, task: () => void) => () => void;
  readonly random: () => number;
  readonly nowMs: () => number;
};

const CALL_TIMEOUT_MS = 60_000;
/** Reading whole folders takes as long as it takes; progress tells of it meanwhile. */
const SLOW_TIMEOUT_MS = 3_600_000;
const SLOW: ReadonlySet<MethodName> = new Set(['scan.run', 'roots.add', 'roots.decide']);
/** A signed-out page looks now and then whether another tab has signed in. */
const SIGNED_OUT_RETRY_MS = 15_000;

type Listener = (payload: never) => void;

/** Connects at once and keeps the connection until `close`. */
export function createHttpClient(world: HttpWorld): PageClient {
  const connection = createStore<Connection>({ state: 'connecting', reads: 0 });
  const listeners = new Map<EventName, Set<Listener>>();
  let socket: Socket | null = null;
  let cancelRetry: () => void = () => undefined;
  let attempt = 0;
  let closed = false;

  const lose = (): void => {
    if (closed || connection.get().state === 'signed-out') return;
    const { reads, ...before } = connection.get();
    const sinceMs = 'sinceMs' in before ? before.sinceMs : world.nowMs();
    connection.set({ state: 'lost', reads, sinceMs });
    cancelRetry();
    cancelRetry = world.later(retryDelayMs(attempt, world.random()), connect);
    attempt += 1;
  };
  const signOut = (): void => {
    if (closed) return;
    connection.set({ state: 'signed-out', reads: connection.get().reads });
    cancelRetry();
    cancelRetry = world.later(SIGNED_OUT_RETRY_MS, connect);
  };
  const dispatch = (data: unknown): void => {
    if (typeof data !== 'string') return;
    const { event, payload } = JSON.parse(data) as AgentEvent;
    for (const listener of [...(listeners.get(event) ?? [])]) listener(payload as never);
  };
  const openSocket = (): void => {
    const mine = world.openSocket('/events');
    socket = mine;
    mine.onopen = () => {
      attempt = 0;
      connection.set({ state: 'live', reads: connection.get().reads + 1 });
    };
    mine.onmessage = (message) => dispatch(message.data);
    mine.onclose = () => {
      if (socket === mine) {
        socket = null;
        lose();
      }
    };
  };
  // A refused WebSocket does not tell why, so a plain call asks first whether the page may come in.
  const connect = (): void => {
    cancelRetry();
    if (closed || socket !== null) return;
    post(world, 'agent.status', {}).then(
      () => {
        if (!closed && socket === null) openSocket();
      },
      (error: unknown) => {
        if (isSignedOut(error)) signOut();
        else lose();
      },
    );
  };
  connect();

  return {
    connection,
    desktop: null,
    retryNow: () => {
      attempt = 0;
      connect();
    },
    call: async <M extends MethodName>(method: M, input: MethodInput<M>) => {
      try {
        return (await post(world, method, input)) as MethodOutput<M>;
      } catch (error) {
        if (isSignedOut(error)) signOut();
        throw error;
      }
    },
    on: <E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void) => {
      const known = listeners.get(event) ?? new Set<Listener>();
      listeners.set(event, known);
      known.add(listener as Listener);
      return () => known.delete(listener as Listener);
    },
    close: () => {
      closed = true;
      cancelRetry();
      socket?.close();
      socket = null;
    },
  };
}

const isSignedOut = (error: unknown): boolean => error instanceof AppError && error.code === 'server.unauthorized';

async function post(world: HttpWorld, method: MethodName, input: unknown): Promise<unknown> {
  let response: Awaited<ReturnType<HttpWorld['fetch']>>;
  try {
    response = await world.fetch(`/api/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(SLOW.has(method) ? SLOW_TIMEOUT_MS : CALL_TIMEOUT_MS),
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'TimeoutError') {
      throw new AppError('agent.not_answering', 'The agent took too long to answer.', { retryable: true, cause });
    }
    throw new AppError('agent.not_running', 'The agent cannot be reached from this page.', { retryable: true, cause });
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.status === 200) return body;
  const wire = wireErrorOf(body);
  if (wire !== null) throw fromWireError(wire);
  if (response.status === 401) throw new AppError('server.unauthorized', 'This page is not signed in.');
  throw new AppError('internal', `The agent answered with status ${response.status}.`);
}

function wireErrorOf(body: unknown): WireError | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  const { error } = body;
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error
    ? (error as WireError)
    : null;
}
