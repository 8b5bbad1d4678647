/** The real agent as a process of its own: `angles start`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Connection, connect } from '../../src/main/headless/client.ts';
import { COMPILED } from './compiled.ts';
import { NODE, type ProcessEnd, run } from './strace.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What is shipped, where it was built from these sources, as `npm test` does; it starts three times as fast as they do. */
const MAIN = join(ROOT, (await isBuilt()) ? 'out/main/main.js' : 'src/main/headless/main.ts');
/** A start that takes longer than this hangs. */
const READY_MS = 60_000;

export type Daemon = {
  readonly pid: number;
  /** From the start of the process until every change of the downtime was durable. */
  readonly readyMs: number;
  readonly connect: () => Promise<Connection>;
  /** Ends it at once; resolves when the process is gone. */
  readonly kill: () => Promise<void>;
  /** Asks it to stop; resolves with its exit code. */
  readonly stop: () => Promise<number | null>;
  readonly output: () => string;
};

export type DaemonPlace = {
  readonly dataFolder: string;
  readonly root: string;
  readonly home: string;
  /** Which services it talks to; a project that is nowhere when left out. */
  readonly services?: Readonly<Record<string, string>>;
  /** The same, for what is no service of sync. */
  readonly environment?: Record<string, string>;
};

const NOWHERE = {
  SUPABASE_URL: 'https://project.supabase.co',
  SUPABASE_KEY: 'sb_publishable_0123456789abcdefghij',
};

function environment({ dataFolder, home, services, environment: more }: DaemonPlace): NodeJS.ProcessEnv {
  const own = { PATH: process.env.PATH ?? '', HOME: home, ANGLES_HOME: dataFolder, ...COMPILED };
  return { ...own, ...(more ?? services ?? NOWHERE) };
}

async function isBuilt(): Promise<boolean> {
  const file = pathToFileURL(join(ROOT, 'scripts/sources.mjs')).href;
  type Sources = Record<'builtFrom' | 'fingerprint', (root: string) => string | null>;
  const { builtFrom, fingerprint } = (await import(/* @vite-ignore */ file)) as Sources;
  return builtFrom(ROOT) === fingerprint(ROOT);
}

function startArgs(root: string): string[] {
  return ['--no-warnings', MAIN, 'start', '--no-progress', '--port', '0', '--root', root];
}

/** Starts the process and does not wait for anything. */
export function spawnDaemon(place: DaemonPlace): ChildProcess {
  return spawn(NODE, startArgs(place.root), { env: environment(place), stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Resolves when it says that it is ready; rejects with what it printed when it ends before. */
export async function startDaemon(place: DaemonPlace): Promise<Daemon> {
  const beganMs = performance.now();
  const child = spawnDaemon(place);
  const ended = endOf(child);
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      // Nobody would end it.
      child.kill('SIGKILL');
      reject(new Error(`not ready after ${READY_MS} ms: ${output}`));
    }, READY_MS);
    const onText = (chunk: Buffer): void => {
      output += chunk.toString();
      if (!output.includes('Ready after')) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on('data', onText);
    child.stderr?.on('data', onText);
    void ended.then((code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code}: ${output}`));
    });
  });
  return {
    pid: child.pid ?? 0,
    readyMs: performance.now() - beganMs,
    output: () => output,
    connect: async () => {
      const connection = await connect(place.dataFolder);
      if (connection === null) throw new Error(`nobody answers: ${output}`);
      return connection;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Resolves with the exit code when the process is gone and its output read. */
export function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('close', (code) => resolve(code)));
}

/** Runs one command line of the program. */
export function angles(place: DaemonPlace, ...args: readonly string[]): Promise<ProcessEnd> {
  return run(NODE, ['--no-warnings', MAIN, ...args], { env: environment(place) });
}

/** Runs one command line under strace or another wrapper. */
export function anglesUnder(
  wrapper: readonly string[],
  place: DaemonPlace,
  ...args: readonly string[]
): Promise<ProcessEnd> {
  const [command = '', ...rest] = wrapper;
  return run(command, [...rest, NODE, '--no-warnings', MAIN, ...args], { env: environment(place) });
}
