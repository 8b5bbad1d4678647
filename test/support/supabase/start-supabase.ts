/**
 * A Supabase project on this machine, for tests and the demo: real Postgres and PostgREST behind a gateway, everything
 * in one process that ends with this one. Several can run at once; each has its own ports, keys and data.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import postgres from 'postgres';
import type { FaultOrder } from './faults.ts';
import type { ProjectKeys } from './keys.ts';

export type LoggedRequest = {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly atMs: number;
  readonly bytes: number;
};

export type LocalSupabase = {
  /** As SUPABASE_URL. */
  readonly url: string;
  /** As SUPABASE_DB_URL: the user `postgres`, no superuser. */
  readonly dbUrl: string;
  readonly keys: ProjectKeys;
  readonly pid: number;
  /** Runs statements as the table editor does: as `postgres`, past row level security. */
  readonly query: (sql: string, parameters?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;
  /** A connection of its own, for transactions that stay open. Closed by `stop`. */
  readonly connect: (options?: { readonly superuser?: boolean }) => postgres.Sql;
  /** A user who can sign in with a password. */
  readonly addUser: (
    email?: string,
  ) => Promise<{ readonly id: string; readonly email: string; readonly password: string }>;
  readonly fault: (order: FaultOrder) => Promise<void>;
  /** Forgets ordered faults and the log of requests. */
  readonly clear: () => Promise<void>;
  readonly requests: () => Promise<readonly LoggedRequest[]>;
  readonly settings: (change: {
    readonly auth?: { readonly tokenLifetimeS: number };
    readonly storage?: { readonly fileSizeLimitBytes: number };
  }) => Promise<void>;
  readonly setRealtime: (isOpen: boolean) => Promise<void>;
  readonly stop: () => Promise<void>;
};

type Place = { url: string; dbUrl: string; socketFolder: string; dbPort: number; keys: ProjectKeys };

export async function startSupabase(): Promise<LocalSupabase> {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'supervisor.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const place = await new Promise<Place>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line) as Place));
    child.on('exit', (code) => reject(new Error(`the local Supabase ended with ${code}`)));
  });
  const connections: postgres.Sql[] = [];
  const connect: LocalSupabase['connect'] = ({ superuser = false } = {}) => {
    const user = superuser ? 'supabase_admin' : 'postgres';
    const sql = postgres({
      host: place.socketFolder,
      port: place.dbPort,
      user,
      database: 'postgres',
      max: 1,
      onnotice: () => undefined,
    });
    connections.push(sql);
    return sql;
  };
  const main = connect();
  const control = async (name: string, body: unknown): Promise<unknown> =>
    (await fetch(`${place.url}/control/${name}`, { method: 'POST', body: JSON.stringify(body) })).json();
  return {
    url: place.url,
    dbUrl: place.dbUrl,
    keys: place.keys,
    pid: child.pid ?? 0,
    connect,
    query: async (sql, parameters = []) => await main.unsafe(sql, parameters as postgres.ParameterOrJSON<never>[]),
    addUser: async (email = `${randomUUID().slice(0, 8)}@example.test`) => {
      const password = randomUUID();
      const [user] =
        await main`INSERT INTO auth.users (email, encrypted_password) VALUES (${email}, ${password}) RETURNING id`;
      return { id: String(user?.id), email, password };
    },
    fault: async (order) => void (await control('fault', order)),
    clear: async () => void (await control('clear', {})),
    requests: async () => (await control('log', {})) as readonly LoggedRequest[],
    settings: async (change) => void (await control('settings', change)),
    setRealtime: async (open) => void (await control('realtime', { open })),
    stop: async () => {
      await Promise.all(connections.map((each) => each.end({ timeout: 1 })));
      child.stdin.end();
      await ended;
    },
  };
}
