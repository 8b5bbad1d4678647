/** Starts the two real servers, fast: the data folder is prepared once per machine and copied. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { quickDisk } from '../quick-disk.ts';
import { launcher, type ServerPackages } from './packages.ts';

const BOOTSTRAP = join(import.meta.dirname, 'bootstrap.sql');
const START_MS = 30_000;

export type PostgresServer = {
  /** Folder of the socket: superuser `supabase_admin` and everybody else are trusted there. */
  readonly socketFolder: string;
  readonly port: number;
  /** For the user `postgres` over TCP, as SUPABASE_DB_URL. */
  readonly password: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
};

export async function startPostgres(packages: ServerPackages): Promise<PostgresServer> {
  removeLeftovers();
  const template = await preparedTemplate(packages);
  const folder = mkdtempSync(join(quickDisk(), 'angles-pg-'));
  const data = join(folder, 'data');
  cpSync(template, data, { recursive: true });
  chmodSync(data, 0o700);
  const port = await freePort();
  const child = await runPostgres(packages, data, folder, port);
  const password = randomBytes(12).toString('hex');
  const admin = connectAsAdmin(folder, port);
  await admin.unsafe(`ALTER ROLE postgres PASSWORD '${password}'`);
  await admin.end();
  return {
    socketFolder: folder,
    port,
    password,
    pid: child.pid ?? 0,
    stop: async () => {
      await stopped(child, 'SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Folders of servers that were killed an hour ago or more, with who started them. */
function removeLeftovers(): void {
  for (const folder of [...new Set([tmpdir(), quickDisk()])].flatMap(foldersOfServers)) {
    const pidFile = join(folder, 'data', 'postmaster.pid');
    try {
      const isOld = statSync(folder).mtimeMs < Date.now() - 3_600_000;
      const pid = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split('\n')[0] : null;
      if (isOld && !existsSync(`/proc/${pid}`)) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another test removed it meanwhile, or it belongs to another user.
    }
  }
}

const foldersOfServers = (disk: string): string[] =>
  readdirSync(disk)
    .filter((name) => /^angles-pg-(new-)?\w{6}$/.test(name))
    .map((name) => join(disk, name));

/** A connection that passes every rule, for what the stand-ins do in the place of Supabase itself. */
export function connectAsAdmin(socketFolder: string, port: number, max = 1): postgres.Sql {
  return postgres({
    host: socketFolder,
    port,
    user: 'supabase_admin',
    database: 'postgres',
    max,
    onnotice: () => undefined,
  });
}

async function preparedTemplate(packages: ServerPackages): Promise<string> {
  const key = createHash('sha256').update(readFileSync(BOOTSTRAP)).digest('hex').slice(0, 12);
  const template = join(tmpdir(), `angles-pg-template-${packages.version}-${key}-${process.getuid?.() ?? 0}`);
  if (existsSync(template)) return template;
  const folder = mkdtempSync(join(tmpdir(), 'angles-pg-new-'));
  const data = join(folder, 'data');
  const [command = '', ...args] = launcher();
  const options = ['-U', 'supabase_admin', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  execFileSync(command, [...args, join(packages.postgresBin, 'initdb'), '-D', data, ...options, '--wal-segsize=1'], {
    stdio: 'ignore',
    cwd: folder,
  });
  writeFileSync(join(data, 'pg_hba.conf'), 'local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n');
  const port = await freePort();
  const child = await runPostgres(packages, data, folder, port);
  const admin = connectAsAdmin(folder, port);
  await admin.unsafe(readFileSync(BOOTSTRAP, 'utf8'));
  await admin.end();
  await stopped(child, 'SIGINT');
  try {
    renameSync(data, template);
  } catch (error) {
    // Another test prepared it meanwhile.
    if (!existsSync(template)) throw error;
  }
  rmSync(folder, { recursive: true, force: true });
  return template;
}

async function runPostgres(
  packages: ServerPackages,
  data: string,
  folder: string,
  port: number,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: folder,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    shared_buffers: '64MB',
    max_connections: '60',
    max_wal_size: '512MB',
    wal_level: 'logical',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command = '', ...args] = launcher();
  const child = spawn(command, [...args, join(packages.postgresBin, 'postgres'), '-D', data, ...options], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await printed(child, /database system is ready to accept connections/);
  return child;
}

export type PostgrestServer = { readonly port: number; readonly pid: number; readonly stop: () => Promise<void> };

export async function startPostgrest(
  packages: ServerPackages,
  database: PostgresServer,
  jwtSecret: string,
): Promise<PostgrestServer> {
  const port = await freePort();
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', packages.postgrest], {
    env: {
      PATH: process.env.PATH ?? '',
      PGRST_DB_URI: `postgres://authenticator@/postgres?host=${encodeURIComponent(database.socketFolder)}&port=${database.port}`,
      PGRST_DB_SCHEMAS: 'public',
      PGRST_DB_EXTRA_SEARCH_PATH: 'public,extensions',
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_DB_MAX_ROWS: '1000',
      PGRST_JWT_SECRET: jwtSecret,
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_SERVER_PORT: String(port),
      PGRST_DB_POOL: '10',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await printed(child, /Schema cache loaded/);
  return { port, pid: child.pid ?? 0, stop: () => stopped(child, 'SIGTERM') };
}

/** Resolves when the output says so; rejects with the output when the process ends before. */
function printed(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`no start within ${START_MS} ms: ${output}`)), START_MS);
    child.stderr?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000);
      if (!pattern.test(output)) return;
      clearTimeout(timer);
      resolve();
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`a server ended with ${code ?? signal}: ${output}`));
    });
  });
}

function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.on('exit', () => resolve());
    child.kill(signal);
  });
}

/** A port that was free a moment ago; two servers that take one at once are told apart by their start failing. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(address)));
    });
  });
}
