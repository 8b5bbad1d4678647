/** Starts the stand-in of Notion for a test or a demo, and drives it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Fault, RateMode } from './faults.ts';
import type { LoggedRequest } from './server.ts';
import type { Json } from './state.ts';

export type Notion = {
  /** For `NOTION_BASE_URL`. */
  readonly baseUrl: string;
  readonly token: string;
  readonly botId: string;
  /** One action of the control endpoint; see `person.ts` and `server.ts` for their names. */
  readonly call: <T = Json>(op: string, args?: Json) => Promise<T>;
  readonly fault: (fault: Fault) => Promise<void>;
  readonly rate: (mode: RateMode) => Promise<void>;
  readonly log: () => Promise<readonly LoggedRequest[]>;
  readonly stop: () => Promise<void>;
};

/** Starts it with one valid token and no limit of requests. It ends with this process at the latest. */
export async function startNotion(options: { readonly port?: number; readonly token?: string } = {}): Promise<Notion> {
  const file = fileURLToPath(new URL('./server.ts', import.meta.url));
  const child = spawn(process.execPath, [file], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', STAND_IN_PORT: String(options.port ?? 0) },
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('the stand-in of Notion ended at its start'))),
  ])) as [string];
  const baseUrl = `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}`;
  const call = async <T = Json>(op: string, args: Json = {}): Promise<T> => {
    const response = await fetch(`${baseUrl}/_control`, { method: 'POST', body: JSON.stringify({ op, ...args }) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  };
  const token = options.token ?? ['ntn', 'stand-in-of-a-token'].join('_');
  const { botId } = await call<{ botId: string }>('token', { token });
  return {
    baseUrl,
    token,
    botId,
    call,
    fault: async (fault) => void (await call('fault', fault as unknown as Json)),
    rate: async (mode) => void (await call('rate', mode as unknown as Json)),
    log: () => call<readonly LoggedRequest[]>('log'),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}
