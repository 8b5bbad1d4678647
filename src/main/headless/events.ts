import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AgentApi } from '../api-types.ts';

/** Pushes the agent's events to the WebSockets that were let in. */
export type EventStream = {
  /** Takes over a connection whose right to listen was checked. */
  readonly accept: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly close: () => void;
};

/** A listener that reads too slowly is cut off at this backlog: it reads everything again when it reconnects. */
const MOST_WAITING_BYTES = 4 * 1_024 * 1_024;
const MOST_LISTENERS = 64;
const PING_EVERY_MS = 30_000;

export function createEventStream(api: AgentApi): EventStream {
  const server = new WebSocketServer({ noServer: true, maxPayload: 1_024, perMessageDeflate: false });
  const answered = new WeakSet<WebSocket>();
  let unsubscribe: (() => void) | null = null;
  let timer: NodeJS.Timeout | null = null;

  const broadcast = (event: unknown): void => {
    const text = JSON.stringify(event);
    for (const socket of server.clients) {
      if (socket.bufferedAmount > MOST_WAITING_BYTES) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.send(text);
    }
  };
  const ping = (): void => {
    for (const socket of server.clients) {
      if (!answered.has(socket)) socket.terminate();
      answered.delete(socket);
      socket.ping();
    }
  };
  // Nobody listens: no subscription and no timer, so that an idle agent does nothing.
  const follow = (): void => {
    if (server.clients.size > 0) {
      unsubscribe ??= api.subscribe(broadcast);
      timer ??= setInterval(ping, PING_EVERY_MS);
    } else {
      unsubscribe?.();
      unsubscribe = null;
      if (timer !== null) clearInterval(timer);
      timer = null;
    }
  };

  return {
    accept: (request, socket, head) => {
      if (server.clients.size >= MOST_LISTENERS) {
        socket.destroy();
        return;
      }
      server.handleUpgrade(request, socket, head, (client) => {
        answered.add(client);
        client.on('pong', () => answered.add(client));
        // Events go one way: a client that talks has the wrong protocol.
        client.on('message', () => client.close(1008, 'this stream only sends'));
        client.on('error', () => client.terminate());
        client.on('close', follow);
        follow();
      });
    },
    close: () => {
      for (const client of server.clients) client.close(1001, 'the agent stops');
      unsubscribe?.();
      if (timer !== null) clearInterval(timer);
      server.close();
    },
  };
}
