/** A small client of the Chrome DevTools Protocol over one WebSocket, with flat sessions. */
import WebSocket from 'ws';

export type CdpParams = Record<string, unknown>;
type Listener = (params: never) => void;

export type CdpSession = {
  readonly send: <T = CdpParams>(method: string, params?: CdpParams) => Promise<T>;
  readonly on: (event: string, listener: Listener) => void;
};

export type Cdp = CdpSession & {
  readonly session: (sessionId: string) => CdpSession;
  readonly close: () => void;
};

export async function connectCdp(url: string): Promise<Cdp> {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 256 * 1_048_576 });
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const pending = new Map<
    number,
    { resolve: (value: never) => void; reject: (error: Error) => void; method: string }
  >();
  const listeners = new Map<string, Listener[]>();
  let last = 0;
  let isClosed = false;
  const send = <T>(method: string, params: CdpParams, sessionId?: string): Promise<T> => {
    if (isClosed) return Promise.reject(new Error(`${method}: the browser is gone`));
    last += 1;
    const id = last;
    socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    return new Promise<T>((resolve, reject) => pending.set(id, { resolve: resolve as never, reject, method }));
  };
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as {
      id?: number;
      method?: string;
      params?: CdpParams;
      sessionId?: string;
      result?: unknown;
      error?: { message: string };
    };
    if (message.id !== undefined) {
      const call = pending.get(message.id);
      pending.delete(message.id);
      if (message.error !== undefined) call?.reject(new Error(`${call.method}: ${message.error.message}`));
      else call?.resolve(message.result as never);
      return;
    }
    for (const listener of listeners.get(`${message.sessionId ?? ''} ${message.method}`) ?? [])
      listener((message.params ?? {}) as never);
  });
  socket.on('close', () => {
    isClosed = true;
    for (const call of pending.values()) call.reject(new Error(`${call.method}: the browser is gone`));
    pending.clear();
  });
  socket.on('error', () => undefined);
  const sessionOf = (sessionId: string): CdpSession => ({
    send: (method, params = {}) => send(method, params, sessionId === '' ? undefined : sessionId),
    on: (event, listener) => {
      const key = `${sessionId} ${event}`;
      listeners.set(key, [...(listeners.get(key) ?? []), listener]);
    },
  });
  return { ...sessionOf(''), session: sessionOf, close: () => socket.terminate() };
}
