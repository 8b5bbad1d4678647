import type { Agent } from 'node:http';
import type { AgentClient, AgentEvent, EventName, EventPayload, MethodName } from '../../shared/contract.ts';
import { AppError, ERROR_CATALOGUE, fromWireError, type WireError } from '../../shared/errors.ts';
import { isAlive } from '../is-alive.ts';
import { type Endpoint, readEndpoint } from './endpoint.ts';

/**
 * Not by `import`: that reads every name of the module, of which some are getters that load all of Node's fetch. They
 * would cost a third of a short command's time (measured with --cpu-prof, Node 24).
 */
const http = process.getBuiltinModule('node:http');

export type Connection = {
  readonly client: AgentClient;
  readonly endpoint: Endpoint;
  /** The version of the running agent. */
  readonly version: string;
};

/** Waiting this long for an answer means that the agent hangs. */
export const PING_TIMEOUT_MS = 3_000;
const CALL_TIMEOUT_MS = 60_000;
/** These read whole folders or remotes: they end when they end, or when the agent does. */
const UNLIMITED: readonly MethodName[] = [
  'scan.run',
  'roots.add',
  'roots.decide',
  'sync.run',
  'sync.decide',
  'sync.test',
  'sync.prepare',
  'migrate.run',
  'backups.run',
  'backups.verify',
  'backups.prune',
  'backups.drill',
  'restore.plan',
  'restore.apply',
  'restore.undo',
  'restore.resume',
  'drift.run',
  'key.import',
  'key.rotate',
];

/**
 * Finds the agent that runs on this data folder. null when there is none (no `agent.json`, one of a process that is
 * gone, or one whose port nobody or somebody else answers). Throws `agent.not_answering` when it hangs.
 */
export async function connect(dataFolder: string, timeoutMs: number = PING_TIMEOUT_MS): Promise<Connection | null> {
  const endpoint = readEndpoint(dataFolder);
  if (endpoint === null || !isAlive(endpoint.pid)) return null;
  const pool = new http.Agent({ keepAlive: true, maxSockets: 4 });
  try {
    const answer = await send(pool, endpoint, { method: 'GET', path: '/ping', timeoutMs });
    const { pid, version } = JSON.parse(answer.body) as { pid?: unknown; version?: unknown };
    if (answer.status === 200 && pid === endpoint.pid) {
      return { client: createHttpClient(endpoint, pool), endpoint, version: String(version) };
    }
  } catch (error) {
    if (error instanceof AppError) {
      pool.destroy();
      throw error;
    }
    // Refused, cut off, or not our protocol: whatever listens there is not the agent.
  }
  pool.destroy();
  return null;
}

/** The carrier over loopback HTTP; the WebSocket is opened when an event is first listened to. */
export function createHttpClient(endpoint: Endpoint, pool: Agent = new http.Agent({ keepAlive: true })): AgentClient {
  const listeners = new Map<EventName, Set<(payload: never) => void>>();
  let stopEvents: (() => void) | null = null;
  const hear = (happened: AgentEvent): void => {
    for (const listener of listeners.get(happened.event) ?? [])
      (listener as (payload: unknown) => void)(happened.payload);
  };
  return {
    call: (async (method: MethodName, input: unknown) =>
      callOver(pool, endpoint, method, input)) as AgentClient['call'],
    on: <E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void) => {
      const own = listeners.get(event) ?? new Set();
      listeners.set(event, own.add(listener as (payload: never) => void));
      stopEvents ??= followEvents(endpoint, hear);
      return () => own.delete(listener as (payload: never) => void);
    },
    close: () => {
      stopEvents?.();
      stopEvents = null;
      pool.destroy();
    },
  };
}

async function callOver(pool: Agent, endpoint: Endpoint, method: MethodName, input: unknown): Promise<unknown> {
  const timeoutMs = UNLIMITED.includes(method) ? 0 : CALL_TIMEOUT_MS;
  const body = JSON.stringify(input);
  let answer: Answer;
  try {
    answer = await send(pool, endpoint, { method: 'POST', path: `/api/${method}`, body, timeoutMs });
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('agent.not_answering', `The agent (process ${endpoint.pid}) ended during the call.`, { cause });
  }
  const value = parseAnswer(answer.body);
  if (answer.status === 200) return value;
  throw errorOf(value, answer.status);
}

function parseAnswer(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function errorOf(value: unknown, status: number): AppError {
  const wire = (value as { error?: WireError } | null)?.error;
  if (wire !== undefined && Object.hasOwn(ERROR_CATALOGUE, wire.code)) return fromWireError(wire);
  return new AppError(
    'internal',
    `The agent answered with status ${status}${wire === undefined ? '' : ` (${wire.code})`}.`,
  );
}

type Answer = { readonly status: number; readonly body: string };
type Outgoing = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  /** 0 waits for ever. */
  readonly timeoutMs: number;
};

function send(pool: Agent, endpoint: Endpoint, outgoing: Outgoing): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${endpoint.token}`,
      ...(outgoing.body === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(outgoing.body) }),
    };
    const request = http.request(new URL(outgoing.path, endpoint.url), {
      agent: pool,
      method: outgoing.method,
      headers,
    });
    const notAnswering = (): void => {
      request.destroy();
      const message = `The agent (process ${endpoint.pid}) did not answer for ${outgoing.timeoutMs / 1_000} s.`;
      reject(new AppError('agent.not_answering', message, { retryable: true }));
    };
    const timer = outgoing.timeoutMs === 0 ? undefined : setTimeout(notAnswering, outgoing.timeoutMs);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
    };
    request.on('error', (error) => end(() => reject(error)));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => end(() => reject(error)));
      response.on('end', () =>
        end(() => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })),
      );
    });
    request.end(outgoing.body);
  });
}

const RECONNECT_FIRST_MS = 250;
const RECONNECT_MOST_MS = 10_000;

/** Listens until the returned function is called; connects again, ever slower, while the agent is away. */
function followEvents(endpoint: Endpoint, hear: (event: AgentEvent) => void): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let end = (): void => undefined;
  let waitMs = RECONNECT_FIRST_MS;
  const open = async (): Promise<void> => {
    const { WebSocket } = await import('ws');
    if (stopped) return;
    const url = new URL('/events', endpoint.url.replace('http:', 'ws:'));
    const socket = new WebSocket(url, {
      headers: { Authorization: `Bearer ${endpoint.token}` },
      handshakeTimeout: 3_000,
    });
    end = () => socket.terminate();
    socket.on('open', () => {
      waitMs = RECONNECT_FIRST_MS;
    });
    socket.on('message', (data) => hear(JSON.parse(String(data)) as AgentEvent));
    // `close` follows every error: that is where it is handled.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (stopped) return;
      timer = setTimeout(() => void open(), waitMs / 2 + (Math.random() * waitMs) / 2);
      waitMs = Math.min(waitMs * 2, RECONNECT_MOST_MS);
    });
  };
  void open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    end();
  };
}
