/**
 * A network that fails, as a process of its own: `node test/support/cut-proxy.ts <port> ...` listens once for each port
 * of a server behind it and passes bytes on, as the mode says. It prints the ports as one line of JSON, takes modes as
 * lines on its standard input, answers each with a line of what it did so far, and ends when that input closes.
 * `PROXY_RECORD=folder` keeps every byte that a client sends, one file a connection.
 */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type ProxyMode =
  | { readonly kind: 'pass' }
  /** Nobody listens, and what was open ends. */
  | { readonly kind: 'down' }
  /** Answers come so much later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /**
   * Of answers that begin so, `share` never arrive: the server behind has done its work, the connection ends. Which
   * ones follows from the seed. `of`: only those to requests whose first line this expression fits.
   */
  | { readonly kind: 'cut-after'; readonly share: number; readonly seed: number; readonly of?: string }
  /** The same, with the first `bytes` of the answer. */
  | { readonly kind: 'truncate'; readonly bytes: number; readonly share: number; readonly seed: number }
  /**
   * Of the requests from now on one waits: the one with this number (from 0), before the server behind hears of it, or
   * with its answer in the air. It goes on with the next mode.
   */
  | { readonly kind: 'hold'; readonly at: number; readonly side: 'before' | 'after' }
  /** Everything as it is: only tells. */
  | { readonly kind: 'look' };

export type ProxyCounts = {
  readonly connections: number;
  readonly answers: number;
  readonly cut: number;
  /** Of those that were cut, by the first line of what was asked: `POST /v1/pages HTTP/1.1`. */
  readonly cutOf: Readonly<Record<string, number>>;
  /** The first line of the request that waits. */
  readonly held: string | null;
};

export type CutProxy = {
  /** One for each server behind it, in their order. */
  readonly ports: readonly number[];
  readonly set: (mode: ProxyMode) => Promise<ProxyCounts>;
  readonly stop: () => Promise<void>;
};

export async function startCutProxy(...behind: readonly number[]): Promise<CutProxy> {
  return start(behind, process.env);
}

/** Passes everything on, and keeps what the clients send in files of this folder. */
export async function startRecordingProxy(folder: string, ...behind: readonly number[]): Promise<CutProxy> {
  return start(behind, { ...process.env, PROXY_RECORD: folder });
}

async function start(behind: readonly number[], env: NodeJS.ProcessEnv): Promise<CutProxy> {
  const child = spawn(process.execPath, ['--no-warnings', import.meta.filename, ...behind.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async <T>(): Promise<T> => JSON.parse(String((await lines.next()).value)) as T;
  const ports = await read<number[]>();
  return {
    ports,
    set: async (mode) => {
      child.stdin.write(`${JSON.stringify(mode)}\n`);
      return read<ProxyCounts>();
    },
    stop: () =>
      new Promise((resolve) => {
        child.on('exit', () => resolve());
        child.stdin.end();
      }),
  };
}

function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/** Without ids: what was asked, not of what. */
const firstLine = (bytes: Buffer): string =>
  (/^[^\r\n?]*/.exec(bytes.subarray(0, 300).toString('latin1'))?.[0] ?? '').replace(
    /[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}/g,
    'ID',
  );

async function serve(behind: readonly number[]): Promise<void> {
  let mode: ProxyMode = { kind: 'pass' };
  let random = chance(1);
  const counts = {
    connections: 0,
    answers: 0,
    cut: 0,
    cutOf: {} as Record<string, number>,
    held: null as string | null,
  };
  /** Requests since a mode was set that holds one, and what waits for the next mode. */
  let seen = 0;
  let waiting: (() => void)[] = [];
  const open = new Set<Socket>();
  const recorded = process.env.PROXY_RECORD;

  const answer = (client: Socket, bytes: Buffer, asked: string): void => {
    counts.answers += 1;
    const { kind } = mode;
    const isMeant = !('of' in mode) || mode.of === undefined || new RegExp(mode.of).test(asked);
    if ((kind === 'cut-after' || kind === 'truncate') && isMeant && random() < mode.share) {
      counts.cut += 1;
      counts.cutOf[asked] = (counts.cutOf[asked] ?? 0) + 1;
      // A reset, as a router gives it: whatever was on its way is gone.
      if (kind === 'truncate') client.write(bytes.subarray(0, mode.bytes), () => client.resetAndDestroy());
      else client.resetAndDestroy();
    } else if (kind === 'delay') setTimeout(() => client.write(bytes), mode.ms);
    else client.write(bytes);
  };
  const pass = (client: Socket, port: number): void => {
    counts.connections += 1;
    const server = connectTo(port, '127.0.0.1');
    // Only what follows a request of the client is the beginning of an answer.
    let isAsked = false;
    let asked = '';
    const isHeld = { before: false, after: false };
    /** Passes bytes on in their order, now or when the next mode is set. */
    const send = (side: 'before' | 'after', to: Socket, bytes: Buffer): void => {
      if (isHeld[side]) waiting.push(() => to.write(bytes));
      else to.write(bytes);
    };
    const hold = (): void => {
      if (mode.kind !== 'hold' || seen++ !== mode.at) return;
      const { side } = mode;
      isHeld[side] = true;
      counts.held = asked;
      waiting.push(() => {
        isHeld[side] = false;
      });
    };
    const file = recorded === undefined ? null : join(recorded, String(counts.connections));
    client.on('data', (bytes: Buffer) => {
      if (!isAsked) {
        asked = firstLine(bytes);
        hold();
      }
      isAsked = true;
      if (file !== null) appendFileSync(file, bytes);
      send('before', server, bytes);
    });
    server.on('data', (bytes: Buffer) => {
      if (isHeld.after) send('after', client, bytes);
      else if (isAsked) answer(client, bytes, asked);
      else if (mode.kind === 'delay') setTimeout(() => client.write(bytes), mode.ms);
      else client.write(bytes);
      isAsked = false;
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(one);
      one.on('error', () => undefined);
      one.on('end', () => other.end());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  };
  const servers: Server[] = behind.map((port) => createServer((client) => pass(client, port)));
  const listen = (server: Server, port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  const ports: number[] = [];
  for (const server of servers) ports.push(await listen(server, 0));
  process.stdout.write(`${JSON.stringify(ports)}\n`);

  for await (const line of createInterface({ input: process.stdin })) {
    const wasDown = mode.kind === 'down';
    const next = JSON.parse(line) as ProxyMode;
    if (next.kind === 'look') {
      process.stdout.write(`${JSON.stringify(counts)}\n`);
      continue;
    }
    mode = next;
    seen = 0;
    counts.held = null;
    const held = waiting;
    waiting = [];
    for (const go of held) go();
    if ('seed' in mode) random = chance(mode.seed);
    if (mode.kind === 'down' && !wasDown) {
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      for (const socket of open) socket.resetAndDestroy();
      await Promise.all(closed);
    }
    if (mode.kind !== 'down' && wasDown)
      for (const [index, server] of servers.entries()) await listen(server, ports[index] ?? 0);
    process.stdout.write(`${JSON.stringify(counts)}\n`);
  }
  process.exit(0);
}

if (process.argv[1]?.endsWith('cut-proxy.ts') === true) await serve(process.argv.slice(2).map(Number));
