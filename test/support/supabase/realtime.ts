/**
 * Stands in for Supabase Realtime: `postgres_changes` of tables that are in the publication, by real triggers and NOTIFY.
 *
 * Documented behaviour that it keeps (https://supabase.com/docs/guides/realtime/protocol,
 * https://supabase.com/docs/guides/realtime/postgres-changes, https://supabase.com/docs/guides/realtime/limits):
 * - Frames of protocol 2.0.0: [join_ref, ref, topic, event, payload]; phx_join, phx_leave, heartbeat, access_token.
 * - A join is answered with the ids of its subscriptions, then a `system` message that the subscription stands, or one
 *   with status error when a table is not in the publication `supabase_realtime`.
 * - Row level security: a user hears only of rows that the policies show. At most 100 channels a connection.
 * Not kept: broadcast, presence, limits per second, payloads (the record carries its id alone).
 */
import type { Server } from 'node:http';
import type postgres from 'postgres';
import { type WebSocket, WebSocketServer } from 'ws';
import { callerOf } from './gateway.ts';
import type { ProjectKeys } from './keys.ts';

type Subscription = {
  id: number;
  schema: string;
  table: string;
  topic: string;
  socket: WebSocket;
  owner: string | null;
};
type Frame = [string | null, string | null, string, string, Record<string, unknown>];

const CHANNELS_PER_CONNECTION = 100;

export type RealtimeServer = {
  /** Drops every connection, and while `false` refuses new ones. */
  readonly setOpen: (isOpen: boolean) => void;
  readonly close: () => void;
};

export async function serveRealtime(server: Server, sql: postgres.Sql, keys: ProjectKeys): Promise<RealtimeServer> {
  const sockets = new WebSocketServer({ noServer: true });
  const subscriptions = new Set<Subscription>();
  let isOpen = true;
  let nextId = 1_000;
  await sql.unsafe(`CREATE OR REPLACE FUNCTION standin.announce() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $f$
    BEGIN
      PERFORM pg_notify('standin_realtime', json_build_object('table', TG_TABLE_NAME, 'type', TG_OP,
        'id', coalesce(NEW.id, OLD.id), 'owner', coalesce(NEW.owner_id, OLD.owner_id))::text);
      RETURN NULL;
    END $f$; GRANT USAGE ON SCHEMA standin TO PUBLIC`);
  await sql.listen('standin_realtime', (text) => {
    const change = JSON.parse(text) as { table: string; type: string; id: unknown; owner: string | null };
    for (const each of subscriptions) {
      if (each.table !== change.table || (each.owner !== null && each.owner !== change.owner)) continue;
      const data = {
        schema: 'public',
        table: change.table,
        type: change.type,
        commit_timestamp: new Date().toISOString(),
      };
      const record = change.type === 'DELETE' ? { old_record: { id: change.id } } : { record: { id: change.id } };
      const columns = [{ name: 'id', type: 'text' }];
      send(each.socket, [
        null,
        null,
        each.topic,
        'postgres_changes',
        { ids: [each.id], data: { ...data, ...record, columns, errors: null } },
      ]);
    }
  });
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://local');
    const caller = callerOf(request.headers, url.searchParams, keys);
    if (!isOpen || url.pathname !== '/realtime/v1/websocket' || 'refused' in caller) {
      socket.end(`HTTP/1.1 ${isOpen ? '401 Unauthorized' : '503 Service Unavailable'}\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => serve(webSocket, caller.role === 'service_role'));
  });

  function serve(socket: WebSocket, isService: boolean): void {
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      for (const each of subscriptions) if (each.socket === socket) subscriptions.delete(each);
    });
    socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      const [joinRef, ref, topic, event, payload] = JSON.parse(String(data)) as Frame;
      const reply = (response: Record<string, unknown>, status = 'ok'): void =>
        send(socket, [joinRef, ref, topic, 'phx_reply', { status, response }]);
      if (event === 'phx_join') void join(socket, topic, payload, isService, reply).catch(() => socket.terminate());
      else if (event === 'phx_leave') {
        for (const each of subscriptions)
          if (each.socket === socket && each.topic === topic) subscriptions.delete(each);
        reply({});
      } else if (event === 'heartbeat') reply({});
    });
  }

  async function join(
    socket: WebSocket,
    topic: string,
    payload: Record<string, unknown>,
    isService: boolean,
    reply: (response: Record<string, unknown>, status?: string) => void,
  ): Promise<void> {
    const topics = new Set([...subscriptions].filter((each) => each.socket === socket).map((each) => each.topic));
    if (topics.size >= CHANNELS_PER_CONNECTION)
      return reply({ reason: 'ChannelRateLimitReached: Too many channels' }, 'error');
    const config = payload.config as { postgres_changes?: { event: string; schema: string; table: string }[] };
    const wanted = config.postgres_changes ?? [];
    const token = String(payload.access_token ?? '').split('.')[1];
    const claims =
      token === undefined ? {} : (JSON.parse(Buffer.from(token, 'base64url').toString()) as { sub?: string });
    const published = await sql`SELECT tablename FROM pg_publication_tables WHERE pubname = 'supabase_realtime'`;
    const made = wanted.map((each) => ({ id: nextId++, ...each }));
    reply({ postgres_changes: made });
    const missing = wanted.find(({ table }) => !published.some(({ tablename }) => tablename === table));
    const message =
      missing === undefined
        ? 'Subscribed to PostgreSQL'
        : `Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: [schema: public, table: ${missing.table}]`;
    const system = {
      message,
      status: missing === undefined ? 'ok' : 'error',
      extension: 'postgres_changes',
      channel: topic,
    };
    if (missing !== undefined) return send(socket, [null, null, topic, 'system', system]);
    for (const { table } of wanted)
      await sql.unsafe(`CREATE OR REPLACE TRIGGER standin_announce AFTER INSERT OR UPDATE OR DELETE ON public.${table}
                        FOR EACH ROW EXECUTE FUNCTION standin.announce()`);
    for (const { id, schema, table } of made)
      subscriptions.add({ id, schema, table, topic, socket, owner: isService ? null : (claims.sub ?? 'nobody') });
    send(socket, [null, null, topic, 'system', system]);
  }

  return {
    setOpen: (open) => {
      isOpen = open;
      if (!open) for (const socket of sockets.clients) socket.terminate();
    },
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

function send(socket: WebSocket, frame: Frame): void {
  socket.send(JSON.stringify(frame));
}
