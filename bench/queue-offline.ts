/**
 * A week without a network, in a network namespace of its own (`unshare -n`): an agent makes changes, the network
 * returns, everything drains into a real Postgres. Arguments: changes. Prints one line of JSON.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { applyMigrations } from '../src/main/sync/supabase/migrate.ts';
import { startCutProxy } from '../test/support/cut-proxy.ts';
import { startSupabase } from '../test/support/supabase/start-supabase.ts';

const changes = process.argv[2] ?? '1000';
const LONGEST_MS = 3_600_000;
/** As the program starts itself: see `lean.ts`. */
const LEAN = ['--max-semi-space-size=4'];
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '2097152' };

const ip = (...args: readonly string[]): void => {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
};
const memoryMb = (pid: number, field: string): number =>
  Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) /
  1_024;

ip('link', 'set', 'lo', 'up');
ip('link', 'add', 'net0', 'type', 'veth', 'peer', 'name', 'net1');
ip('link', 'set', 'net1', 'up');
const supabase = await startSupabase();
await applyMigrations(supabase.dbUrl);
const user = await supabase.addUser();
const proxy = await startCutProxy(Number(new URL(supabase.url).port));
await proxy.set({ kind: 'down' });
const folder = mkdtempSync(join(tmpdir(), 'angles-bench-queue-'));
const root = join(folder, 'root');
mkdirSync(root);

const child = spawn(
  process.execPath,
  [
    '--no-warnings',
    ...LEAN,
    join(import.meta.dirname, 'queue-child.ts'),
    join(folder, 'data'),
    root,
    changes,
    join(folder, 'took.json'),
  ],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      ...MALLOC,
      SUPABASE_URL: `http://127.0.0.1:${proxy.ports[0]}`,
      SUPABASE_KEY: supabase.keys.publishable,
      SUPABASE_EMAIL: user.email,
      SUPABASE_PASSWORD: user.password,
      // Its queue grows as well; what drains is measured at the other one.
      NOTION_API_KEY: ['ntn', 'of-nobody'].join('_'),
      NOTION_DATABASE_ID: '00000000000000000000000000000000',
      NOTION_BASE_URL: 'http://127.0.0.1:9',
    },
  },
);
const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
const pid = child.pid ?? 0;
await Promise.race([
  new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve)),
  ended.then((code) => Promise.reject(new Error(`the agent ended with ${code}`))),
]);
const { took, bareTook, records } = JSON.parse(readFileSync(join(folder, 'took.json'), 'utf8')) as {
  readonly took: number[];
  readonly bareTook: number[];
  readonly records: number;
};
const offlineMb = memoryMb(pid, 'VmHWM');

const count = async (table: string): Promise<number> =>
  Number((await supabase.query(`SELECT count(*)::int AS count FROM ${table}`))[0]?.count);
const waitFor = async (table: string, rows: number, everyMs: number): Promise<number> => {
  const began = performance.now();
  while ((await count(table)) < rows) {
    if (performance.now() - began > LONGEST_MS) throw new Error(`${table} has ${await count(table)} of ${rows} rows`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return performance.now() - began;
};
await proxy.set({ kind: 'pass' });
ip('addr', 'add', '192.0.2.1/24', 'dev', 'net0');
ip('link', 'set', 'net0', 'up');
const resumedMs = await waitFor('decision_vault', 1, 20);
const drainedMs = resumedMs + (await waitFor('decision_vault', records, 250));
const twice = await supabase.query('SELECT title FROM decision_vault GROUP BY id, title HAVING count(*) > 1');
const drainMb = memoryMb(pid, 'VmHWM');
child.kill('SIGTERM');
await ended;
process.stdout.write(
  `${JSON.stringify({ took, bareTook, records, offlineMb, resumedMs, drainedMs, drainMb, twice: twice.length })}\n`,
);
await proxy.stop();
await supabase.stop();
rmSync(folder, { recursive: true, force: true });
